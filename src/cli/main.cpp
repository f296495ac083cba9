#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

// Turns the first SIGINT or SIGTERM into a stop request; a second one ends the process at once.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // inherited by every thread that is started later
    std::signal(SIGPIPE, SIG_IGN);
    std::thread([set = set_, source = source_]() mutable {
      int signal = 0;
      sigwait(&set, &signal);
      source.request_stop();
      sigwait(&set, &signal);
      ::_exit(130);
    }).detach();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t set_{};
  std::stop_source source_;
};

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("--lake", globals.lake, "The lake: a folder or s3://bucket/prefix")
      ->type_name("DIR|s3://…")
      ->capture_default_str();
  app.add_option("--config", globals.config, "Configuration file (default: chandler.toml, if it is there)")
      ->type_name("FILE");
  app.add_flag("--json", globals.json, "Print one JSON document on stdout and nothing else");
  app.add_flag("--quiet", globals.quiet, "No progress, no notes; only errors on stderr");
  app.add_flag("-v,--verbose", globals.verbosity, "More about what is being done; -vv for everything");
  app.add_option("--log-format", globals.log_format, "Logs as text or as one JSON object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

int finish(const Globals& globals, const Error& error) {
  print_error(error);
  if (globals.json) print_json(Json{{"error", to_json(error)}});
  return exit_code(error.code);
}

int run(int argc, char** argv) {
  CLI::App app("chandler keeps candles: a complete, checked, always current history of crypto markets",
               "chandler");
  app.set_version_flag("--version", CHANDLER_VERSION);
  app.require_subcommand(1);
  Globals globals;
  add_globals(app, globals);
  Registry registry(app);
  add_commands(registry);

  auto arguments = with_configuration(app, std::vector<std::string>(argv + 1, argv + argc));
  if (!arguments) return finish(globals, arguments.error());
  try {
    std::vector<std::string> reversed(arguments->rbegin(), arguments->rend());
    app.parse(reversed);
  } catch (const CLI::Success& e) {
    app.exit(e);
    return 0;
  } catch (const CLI::ParseError& e) {
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "" : chosen.front()->get_name() + " ";
    return finish(globals, {ErrorCode::usage, e.what(), {}, fmt::format("chandler {}--help", command)});
  }

  configure_logging(globals.quiet ? -1 : globals.verbosity,
                    globals.log_format == "json" ? LogFormat::json : LogFormat::text);
  Signals signals;
  SystemClock clock;
  const auto progress = make_progress(clock, globals.quiet || globals.json);
  Context context{globals, signals.token(), clock, *progress, !globals.json && stdout_shows_colour()};
  const Result<int> code = (*registry.chosen())(context);
  progress->end();
  const int exit = code ? *code : finish(globals, code.error());
  std::fflush(stdout);
  return exit;
}

}  // namespace
}  // namespace chandler::cli

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Columns are allocated and freed month after month. By default each comes from the kernel and goes back to
  // it, and a sixth of a build's processor time is spent on clearing its pages.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
  try {
    return chandler::cli::run(argc, argv);
  } catch (const std::exception& e) {
    chandler::cli::print_error(
        {chandler::ErrorCode::internal, e.what(), {}, "this is a defect of chandler; please report it"});
    return 1;
  }
}
