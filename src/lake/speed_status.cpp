#include "lake/speed_status.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace chandler::lake {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kFolder = "speed_1m/_status";
constexpr std::string_view kSuffix = ".json";

struct Field {
  const char* name;
  std::int64_t SpeedStatus::*value;
};
constexpr Field kFields[] = {
    {"messages", &SpeedStatus::messages},
    {"closed", &SpeedStatus::closed},
    {"repeated", &SpeedStatus::repeated},
    {"late", &SpeedStatus::late},
    {"rejected", &SpeedStatus::rejected},
    {"reconnects", &SpeedStatus::reconnects},
    {"fetched", &SpeedStatus::fetched},
    {"published", &SpeedStatus::published},
    {"streams", &SpeedStatus::streams},
    {"unread", &SpeedStatus::unread},
    {"pending_minutes", &SpeedStatus::pending_minutes},
    {"commits", &SpeedStatus::commits},
    {"commit_failures", &SpeedStatus::commit_failures},
    {"minutes_added", &SpeedStatus::minutes_added},
    {"minutes_replaced", &SpeedStatus::minutes_replaced},
    {"newest_event", &SpeedStatus::newest_event},
    {"watermark", &SpeedStatus::watermark},
    {"last_commit", &SpeedStatus::last_commit},
    {"delivery_p99_ms", &SpeedStatus::delivery_p99_ms},
    {"storing_p99_ms", &SpeedStatus::storing_p99_ms},
};

// Names of processes are part of a path and of JSON: whatever else a host is called becomes '_'.
std::string plain(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!is_plain) c = '_';
  }
  return out;
}

std::optional<std::int64_t> whole(dom::element object, const char* key) {
  std::int64_t value = 0;
  if (object[key].get(value)) return std::nullopt;
  return value;
}

}  // namespace

std::string status_path(std::string_view process) {
  return fmt::format("{}/{}{}", kFolder, plain(process), kSuffix);
}

std::string to_text(const SpeedStatus& status) {
  std::string text = fmt::format(
      R"({{"process":"{}","command":"{}","started_at":{},"updated_at":{},"messages_per_second":{:.1f})",
      plain(status.process), plain(status.command), to_ms(status.started_at), to_ms(status.updated_at),
      status.messages_per_second);
  for (const Field& field : kFields) text += fmt::format(R"(,"{}":{})", field.name, status.*field.value);
  text += R"(,"rejected_by_reason":{)";
  bool first = true;
  for (const auto& [reason, count] : status.rejected_by_reason) {
    text += fmt::format(R"({}"{}":{})", std::exchange(first, false) ? "" : ",", plain(reason), count);
  }
  return text + "}}\n";
}

Result<SpeedStatus> parse_speed_status(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(text.data(), text.size()).get(root))
    return fail(ErrorCode::damaged, "the status is not JSON");
  SpeedStatus status;
  std::string_view process, command;
  const auto started = whole(root, "started_at");
  const auto updated = whole(root, "updated_at");
  if (root["process"].get(process) || root["command"].get(command) || !started || !updated ||
      root["messages_per_second"].get(status.messages_per_second)) {
    return fail(ErrorCode::damaged, "the status lacks a field");
  }
  status.process = process;
  status.command = command;
  status.started_at = from_ms(*started);
  status.updated_at = from_ms(*updated);
  // Figures that another version does not write are 0.
  for (const Field& field : kFields) status.*field.value = whole(root, field.name).value_or(0);
  dom::object reasons;
  if (!root["rejected_by_reason"].get(reasons)) {
    for (const auto [reason, count] : reasons) {
      std::int64_t n = 0;
      if (!count.get(n)) status.rejected_by_reason[std::string(reason)] = n;
    }
  }
  return status;
}

Result<std::vector<SpeedStatus>> read_speed_statuses(const Storage& storage) {
  std::vector<SpeedStatus> all;
  CHANDLER_ASSIGN(const auto files, storage.list(kFolder));
  for (const StoredFile& file : files) {
    if (!file.path.ends_with(kSuffix)) continue;
    const auto text = read_text(storage, file.path);
    if (!text) continue;  // its process has just ended
    if (auto status = parse_speed_status(*text)) all.push_back(std::move(*status));
  }
  std::ranges::sort(all, {}, &SpeedStatus::process);
  return all;
}

}  // namespace chandler::lake
