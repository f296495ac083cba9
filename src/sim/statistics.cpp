#include "sim/statistics.hpp"

#include <fmt/format.h>

#include <numeric>

namespace chandler::sim {

std::int64_t Statistics::fault_count() const {
  return std::accumulate(faults.begin(), faults.end(), std::int64_t{0});
}

std::string Statistics::to_json() const {
  std::string out = fmt::format(
      R"({{"requests":{},"weight":{},"max_weight_per_minute":{},"weight_limit":{},"told_to_wait":{},)"
      R"("requests_while_told_to_wait":{},"requests_after_the_order":{},"bans":{},"bytes":{},"paths":{{)",
      requests, weight, max_weight_per_minute, weight_limit, told_to_wait, requests_while_told_to_wait,
      requests_after_the_order, bans, bytes);
  const auto close = [&out](char bracket) {
    if (out.back() == ',') out.pop_back();
    out += bracket;
  };
  for (const auto& [path, count] : paths) {
    out += '"';
    for (const char c : path) {
      if (c == '"' || c == '\\') out += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    out += fmt::format("\":{},", count);
  }
  close('}');
  out += R"(,"statuses":{)";
  for (const auto& [status, count] : statuses) out += fmt::format("\"{}\":{},", status, count);
  close('}');
  out += R"(,"faults":{)";
  for (std::size_t i = 0; i < kFaultKinds; ++i)
    out += fmt::format("\"{}\":{},", name(static_cast<Fault>(i)), faults[i]);
  close('}');
  out += fmt::format(
      R"(,"streams":{{"connections":{},"refused":{},"open":{},"messages":{},"closed_by_age":{},"dropped_connections":{},)"
      R"("dropped_messages":{},"duplicated":{},"reordered":{},"delayed":{}}}}})",
      streams.connections, streams.refused, streams.open, streams.messages, streams.closed_by_age,
      streams.dropped_connections, streams.dropped_messages, streams.duplicated, streams.reordered,
      streams.delayed);
  return out;
}

}  // namespace chandler::sim
