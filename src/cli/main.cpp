#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/library_versions.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

constexpr std::chrono::milliseconds kSameWish{300};
// Whoever stops a program does not wait for ever. What hangs where no stop reaches it (a network file system,
// a pipe that nobody reads) is left behind: the lake is as it is after a kill, whole.
constexpr timespec kStopTakesAtMost{.tv_sec = 4, .tv_nsec = 500'000'000};

// Turns the first SIGINT or SIGTERM into a stop request; a second one, later, or the lapse of time ends the
// process.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // inherited by every thread that is started later
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes is an error of the write, as a full disk is
    std::thread([set = set_, source = source_]() mutable {
      int signal = 0;
      sigwait(&set, &signal);
      std::thread([source]() mutable { source.request_stop(); }).detach();
      // Whoever starts programs in groups (`timeout`) signals the process and its group: that is one wish,
      // not two.
      const auto heard = std::chrono::steady_clock::now();
      int second = -1;
      do {
        second = sigtimedwait(&set, nullptr, &kStopTakesAtMost);
      } while ((second < 0 && errno == EINTR) ||
               (second > 0 && std::chrono::steady_clock::now() - heard < kSameWish));
      if (second < 0) {
        constexpr std::string_view kSaid = "warning: stopping took too long, so the program ends at once\n";
        (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
      }
      ::_exit(130);
    }).detach();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t set_{};
  std::stop_source source_;
};

void add_globals(Flags& flags, Globals& globals) {
  flags.option("--lake", &globals.lake, "The lake: a folder or s3://bucket/prefix")
      .type("DIR|s3://…")
      .show_default();
  flags.option("--config", &globals.config, "Configuration file (default: chandler.toml, if it is there)")
      .type("FILE");
  flags.toggle("--json", &globals.json, "Print one JSON document on stdout and nothing else");
  flags.toggle("--quiet", &globals.quiet, "No progress, no notes; only errors on stderr");
  flags.toggle("-v,--verbose", &globals.verbosity, "More about what is being done; -vv for everything");
  flags
      .option("--threads", &globals.threads,
              "Processor threads at most; 0 for one per core. Results do not depend on it")
      .range(0, 1024)
      .show_default();
  flags.option("--log-format", &globals.log_format, "Logs as text or as one JSON object a line")
      .choices({"text", "json"})
      .show_default();
}

int finish(const Globals& globals, const Error& error) {
  print_error(error);
  if (globals.json) print_json(Json{{"error", to_json(error)}});
  return exit_code(error.code);
}

int run(int argc, char** argv) {
  Program program;
  program.name = "chandler";
  program.about = "chandler keeps candles: a complete, checked, always current history of crypto markets";
  program.version = CHANDLER_VERSION;
  program.version_text = [] { return version_text(CHANDLER_VERSION); };
  Globals globals;
  add_globals(program.globals, globals);
  Registry registry(program);
  add_commands(registry);

  const auto arguments = with_configuration(program, std::vector<std::string>(argv + 1, argv + argc));
  if (!arguments) return finish(globals, arguments.error());
  const auto parsed = parse(program, *arguments);
  configure_logging(globals.quiet ? -1 : globals.verbosity,
                    globals.log_format == "json" ? LogFormat::json : LogFormat::text);
  if (!parsed) return finish(globals, parsed.error());
  if (parsed->command == nullptr) {
    print(parsed->text);
    return 0;
  }

  if (globals.threads > 0) ::setenv("CHANDLER_THREADS", std::to_string(globals.threads).c_str(), 1);
  Signals signals;
  SystemClock clock;
  const auto progress = make_progress(clock, globals.quiet || globals.json);
  Context context{globals, signals.token(), clock, *progress, !globals.json && stdout_shows_colour()};
  const Result<int> code = registry.run_of(*parsed->command)(context);
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
