#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/help.hpp"

namespace chandler::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    program_.name = "keeper";
    program_.about = "keeper keeps";
    program_.version = "1.2.3";
    program_.version_text = [] { return "keeper 1.2.3\n"; };
    program_.globals.option("--lake", &lake, "The lake").type("DIR").show_default();
    program_.globals.toggle("-v,--verbose", &verbosity, "More");
    Flags& fetch = program_.commands.emplace_back(Command{"fetch", "Fetch what is missing", false, {}}).flags;
    fetch.argument("symbols", &symbols, "Symbols").type("SYMBOL");
    fetch.option("--in-flight", &in_flight, "Requests at a time").range(1, 64).show_default();
    fetch.option("--share", &share, "Share").range(0, 1);
    fetch.option("--source", &source, "Where from").choices({"auto", "rest"}).show_default();
    fetch.option("--model", &models, "Only these").split_at(',').type("NAME,…");
    fetch.option("-o,--output", &output, "Write to a file").type("FILE");
    fetch.option("--lag", std::function<void(double)>([this](double x) { lag = x; }), "Lag").at_least(0);
    fetch.toggle("--refetch", &refetch, "Again");
    Flags& show = program_.commands.emplace_back(Command{"show", "Show one", false, {}}).flags;
    show.argument("symbol", &symbol, "Symbol").type("SYMBOL").required();
    program_.commands.emplace_back(Command{"secret", "Not for users", true, {}});
  }

  Parsed parsed(const std::vector<std::string>& arguments) {
    const auto result = parse(program_, arguments);
    EXPECT_TRUE(result.has_value()) << to_text(result.error());
    return result.value_or(Parsed{});
  }
  Error refused(const std::vector<std::string>& arguments) {
    const auto result = parse(program_, arguments);
    EXPECT_FALSE(result.has_value());
    return result ? Error{} : result.error();
  }

  Program program_;
  std::string lake = "./lake", source = "auto", output, symbol;
  std::vector<std::string> symbols, models;
  std::uint64_t in_flight = 8;
  double share = 0, lag = -1;
  int verbosity = 0;
  bool refetch = false;
};

TEST_F(CommandLine, ValuesGoWhereTheDefinitionsSay) {
  const auto result =
      parsed({"fetch", "A", "--in-flight=5", "B", "--share", "0.25", "--model", "x,y", "--model", "z", "-o",
              "file", "--lag", "1.5", "--refetch", "-vv", "--lake", "there"});
  EXPECT_EQ(result.command, program_.find("fetch"));
  EXPECT_THAT(symbols, ElementsAre("A", "B"));
  EXPECT_THAT(models, ElementsAre("x", "y", "z"));
  EXPECT_EQ(in_flight, 5u);
  EXPECT_EQ(share, 0.25);
  EXPECT_EQ(lag, 1.5);
  EXPECT_EQ(output, "file");
  EXPECT_EQ(lake, "there");
  EXPECT_EQ(verbosity, 2);
  EXPECT_TRUE(refetch);
}

TEST_F(CommandLine, GlobalFlagsMayStandBeforeTheCommand) {
  EXPECT_EQ(parsed({"--lake", "fetch", "-v", "show", "A"}).command, program_.find("show"));
  EXPECT_EQ(lake, "fetch");
  EXPECT_EQ(verbosity, 1);
}

TEST_F(CommandLine, ABadValueIsNamedWithItsFlagAndWhatIsAllowed) {
  EXPECT_THAT(refused({"fetch", "--in-flight", "65"}).what,
              AllOf(HasSubstr("--in-flight"), HasSubstr("65 is not between 1 and 64")));
  EXPECT_THAT(refused({"fetch", "--in-flight", "many"}).what,
              AllOf(HasSubstr("--in-flight"), HasSubstr("'many' is not a number")));
  EXPECT_THAT(refused({"fetch", "--share", "-0.5"}).what, HasSubstr("-0.5 is not between 0 and 1"));
  EXPECT_THAT(refused({"fetch", "--lag", "-1"}).what, HasSubstr("-1 is less than 0"));
  EXPECT_THAT(refused({"fetch", "--source", "archive"}).what,
              AllOf(HasSubstr("--source"), HasSubstr("'archive' is none of auto, rest")));
}

TEST_F(CommandLine, AnErrorIsAUsageErrorAndNamesTheHelpToRead) {
  EXPECT_EQ(refused({"fetch", "--no-such-flag"}).code, ErrorCode::usage);
  EXPECT_EQ(refused({"fetch", "--no-such-flag"}).remedy, "keeper fetch --help");
  EXPECT_EQ(refused({}).remedy, "keeper --help");
  EXPECT_EQ(refused({"show"}).remedy, "keeper show --help");
}

TEST_F(CommandLine, WhatHasToBeGivenIsNamedAsHelpNamesIt) {
  EXPECT_EQ(refused({"show"}).what, "SYMBOL is missing: Symbol");
  program_.commands[1].flags.argument("files", &symbols, "Files to show").type("FILE").required();
  program_.commands[1].flags.option("--as", &output, "What it is").type("KIND").required();
  EXPECT_EQ(refused({"show", "X"}).what, "FILE… is missing: Files to show");
  EXPECT_EQ(refused({"show", "X", "f"}).what, "--as KIND is missing: What it is");
}

TEST_F(CommandLine, HelpAndVersionAreTextsAndChooseNoCommand) {
  EXPECT_EQ(parsed({"--version"}).text, "keeper 1.2.3\n");
  const auto help = parsed({"fetch", "--help"});
  EXPECT_EQ(help.command, nullptr);
  EXPECT_THAT(help.text, HasSubstr("Usage: keeper fetch [SYMBOL…] [FLAG…]"));
}

TEST_F(CommandLine, HelpTellsBoundsChoicesAndDefaults) {
  const std::string text = help_text(program_, program_.find("fetch"), 100);
  EXPECT_THAT(text, HasSubstr("\n  --in-flight N       Requests at a time (1 to 64; default 8)\n"));
  EXPECT_THAT(text, HasSubstr("\n  --source auto|rest  Where from (default auto)\n"));
  EXPECT_THAT(text, HasSubstr("\n  -o, --output FILE   Write to a file\n"));
  EXPECT_THAT(text, HasSubstr("\n  --lake DIR     The lake (default ./lake)\n"));
  EXPECT_EQ(usage_line(program_, program_.find("show")), "keeper show SYMBOL [FLAG…]");
}

TEST_F(CommandLine, HelpWrapsAtTheTerminalsWidthUnderItsColumn) {
  program_.commands[0].about = "one two three four five six seven eight nine ten eleven twelve";
  const std::string text = help_text(program_, nullptr, 40);
  EXPECT_THAT(text, HasSubstr("\n  fetch  one two three four five six\n         seven eight"));
}

TEST_F(CommandLine, HiddenCommandsRunButAreNotListed) {
  EXPECT_EQ(parsed({"secret"}).command, program_.find("secret"));
  EXPECT_THAT(help_text(program_, nullptr, 80), AllOf(HasSubstr("fetch"), Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace chandler::cli
