#include "base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace chandler {
namespace {

LogFormat chosen = LogFormat::text;

// The message with the characters escaped that JSON does not allow inside a string.
template <class Buffer>
void append_escaped(Buffer& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
}

class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&, spdlog::memory_buf_t& out) override {
    append_escaped(out, std::string_view(msg.payload.data(), msg.payload.size()));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

std::unique_ptr<spdlog::pattern_formatter> json_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})");
  return formatter;
}

}  // namespace

void configure_logging(int verbosity, LogFormat format) {
  chosen = format;
  auto logger = spdlog::stderr_color_mt("chandler");
  if (format == LogFormat::json) {
    logger->set_formatter(json_formatter());
  } else {
    logger->set_pattern("%^%l%$: %v", spdlog::pattern_time_type::utc);
  }
  logger->set_level(verbosity < 0    ? spdlog::level::err
                    : verbosity == 0 ? spdlog::level::warn
                    : verbosity == 1 ? spdlog::level::info
                                     : spdlog::level::debug);
  spdlog::drop_all();
  spdlog::set_default_logger(std::move(logger));
}

LogFormat log_format() {
  return chosen;
}

std::string json_log_line(std::string_view level, std::string_view message) {
  spdlog::details::log_msg line("chandler",
                                level == "error"  ? spdlog::level::err
                                : level == "info" ? spdlog::level::info
                                                  : spdlog::level::warn,
                                spdlog::string_view_t(message.data(), message.size()));
  spdlog::memory_buf_t out;
  json_formatter()->format(line, out);
  return std::string(out.data(), out.size());
}

}  // namespace chandler
