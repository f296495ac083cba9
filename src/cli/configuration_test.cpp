#include "cli/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "lake/test_lake.hpp"

namespace chandler::cli {
namespace {

using lake::testing::TemporaryFolder;
using lake::testing::write_bytes;
using ::testing::HasSubstr;

// A program of two commands; `parse` gives it arguments, a chandler.toml and an environment.
class Configuration : public ::testing::Test {
 protected:
  Configuration() {
    std::filesystem::current_path(folder_.path());
    program_.name = "chandler";
    program_.globals.option("--lake", &lake, "").show_default();
    program_.globals.option("--config", &config, "");
    program_.globals.toggle("--json", &json, "");
    program_.globals.toggle("-v,--verbose", &verbosity, "");
    program_.commands.emplace_back().name = "live";
    program_.commands.back().flags.option("--stream-url", &stream_url, "");
    program_.commands.emplace_back().name = "fetch";
    Flags& fetch = program_.commands.back().flags;
    fetch.argument("symbols", &symbols, "");
    fetch.option("--since", &since, "");
    fetch.option("--in-flight", &in_flight, "");
    fetch.option("--only", &only, "");
    fetch.toggle("--refetch", &refetch, "");
  }
  ~Configuration() override {
    for (const std::string& name : set_) ::unsetenv(name.c_str());
    std::filesystem::current_path("/");
  }

  void environment(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  void file(const std::string& text, const std::string& name = "chandler.toml") {
    write_bytes(folder_.path() / name, text);
  }
  // Empty on success, else the error as a user sees it.
  std::string parse(std::vector<std::string> arguments) {
    const auto given = with_configuration(program_, std::move(arguments));
    const Result<Parsed> parsed = given ? cli::parse(program_, *given) : std::unexpected(given.error());
    if (parsed) return {};
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
    return to_text(parsed.error());
  }

  std::string lake = "./lake", config, stream_url, since;
  bool json = false, refetch = false;
  int verbosity = 0, in_flight = 8;
  std::vector<std::string> symbols, only;

 private:
  TemporaryFolder folder_;
  std::vector<std::string> set_;
  Program program_;
};

TEST_F(Configuration, WithoutAnythingTheDefaultsHold) {
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(lake, "./lake");
  EXPECT_EQ(in_flight, 8);
}

TEST_F(Configuration, AFlagBeatsTheEnvironmentBeatsTheFileBeatsTheDefault) {
  file("lake = 'of-file'\nin-flight = 3\n");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(lake, "of-file");
  EXPECT_EQ(in_flight, 3);
  environment("CHANDLER_LAKE", "of-environment");
  environment("CHANDLER_IN_FLIGHT", "4");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(lake, "of-environment");
  EXPECT_EQ(in_flight, 4);
  EXPECT_EQ(parse({"fetch", "--lake", "of-flag", "--in-flight=5"}), "");
  EXPECT_EQ(lake, "of-flag");
  EXPECT_EQ(in_flight, 5);
  EXPECT_EQ(parse({"--lake=before", "fetch"}), "");
  EXPECT_EQ(lake, "before");
}

TEST_F(Configuration, ATableOfACommandBeatsTheTopOfTheFileAndIsForItAlone) {
  file(
      "since = 2020-01-01\n[fetch]\nsince = '2021-01-01'\nlake = 'fetched'\n[live]\nstream-url = 'ws://x'\n");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(since, "2021-01-01");
  EXPECT_EQ(lake, "fetched");
  EXPECT_EQ(stream_url, "");
  lake = "./lake";
  EXPECT_EQ(parse({"live"}), "");
  EXPECT_EQ(lake, "./lake");
  EXPECT_EQ(stream_url, "ws://x");
}

TEST_F(Configuration, DatesListsAndSwitchesCanBeWrittenAsToml) {
  file("since = 2024-05-01\nonly = ['A', 'B']\nrefetch = true\njson = false\n");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(since, "2024-05-01");
  EXPECT_EQ(only, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(refetch);
  EXPECT_FALSE(json);
}

TEST_F(Configuration, SwitchesInTheEnvironmentCanBeOff) {
  environment("CHANDLER_JSON", "true");
  environment("CHANDLER_REFETCH", "0");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_TRUE(json);
  EXPECT_FALSE(refetch);
}

TEST_F(Configuration, AnEmptyVariableIsAsGoodAsNone) {
  file("lake = 'of-file'\n");
  environment("CHANDLER_LAKE", "");
  environment("CHANDLER_CONFIG", "");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(lake, "of-file");
}

TEST_F(Configuration, AMisspeltKeyIsNamedWithItsLine) {
  file("lake = 'x'\nlaek = 'y'\n");
  EXPECT_THAT(parse({"fetch"}), AllOf(HasSubstr("'laek' is not a flag"), HasSubstr("chandler.toml:2")));
}

TEST_F(Configuration, AMisspeltKeyOfACommandIsNamedWhicheverCommandRuns) {
  file("[fetch]\n\nsinze = '2020-01-01'\n");
  const auto expected = AllOf(HasSubstr("'sinze' is not a flag of fetch"), HasSubstr("chandler.toml:3"),
                              HasSubstr("chandler fetch --help"));
  EXPECT_THAT(parse({"fetch"}), expected);
  EXPECT_THAT(parse({"live"}), expected);
}

TEST_F(Configuration, AFlagOfAnotherCommandIsNotTakenInATable) {
  file("[live]\nsince = '2020-01-01'\n");
  EXPECT_THAT(parse({"live"}), HasSubstr("'since' is not a flag of live"));
}

TEST_F(Configuration, AnUnknownTableIsNamed) {
  file("[fech]\nsince = '2020-01-01'\n");
  EXPECT_THAT(parse({"fetch"}), AllOf(HasSubstr("[fech] is not a command"), HasSubstr("chandler.toml:1")));
}

TEST_F(Configuration, AFileThatIsNoTomlIsNamedWithItsLine) {
  file("lake = 'x'\nlake == 3\n");
  EXPECT_THAT(parse({"fetch"}), AllOf(HasSubstr("is not TOML"), HasSubstr("chandler.toml:2")));
}

TEST_F(Configuration, AValueOfAnUnusableKindIsNamed) {
  file("lake = 12:30:00\n");
  EXPECT_THAT(parse({"fetch"}), AllOf(HasSubstr("'lake' has a value that cannot be used"), HasSubstr(":1")));
}

TEST_F(Configuration, AWrongTypeIsAnError) {
  file("in-flight = 'many'\n");
  EXPECT_THAT(parse({"fetch"}), HasSubstr("in-flight"));
}

TEST_F(Configuration, AFileThatWasAskedForHasToBeThere) {
  EXPECT_THAT(parse({"fetch", "--config", "other.toml"}), HasSubstr("does not exist"));
  file("lake = 'other'\n", "other.toml");
  EXPECT_EQ(parse({"fetch", "--config", "other.toml"}), "");
  EXPECT_EQ(lake, "other");
  lake.clear();
  environment("CHANDLER_CONFIG", "other.toml");
  EXPECT_EQ(parse({"fetch"}), "");
  EXPECT_EQ(lake, "other");
}

TEST_F(Configuration, AFlagsValueIsNotTakenForTheCommand) {
  file("[fetch]\nin-flight = 2\n[live]\nstream-url = 'ws://x'\n");
  EXPECT_EQ(parse({"--lake", "live", "fetch", "BTCUSDT"}), "");
  EXPECT_EQ(lake, "live");
  EXPECT_EQ(in_flight, 2);
  EXPECT_EQ(symbols, (std::vector<std::string>{"BTCUSDT"}));
}

TEST_F(Configuration, AShortFlagCountsAsGiven) {
  file("verbose = true\n");
  EXPECT_EQ(parse({"fetch", "-vv"}), "");
  EXPECT_EQ(verbosity, 2);
}

}  // namespace
}  // namespace chandler::cli
