#include "web/metrics_text.hpp"

#include "metrics/process.hpp"

namespace chandler::web {
namespace {

using metrics::Families;

double number(std::uint64_t n) {
  return static_cast<double>(n);
}

void add_server(Families& f, const MetricsInput& in) {
  f.begin_counter("chandler_http_requests_total", "Requests answered, by address and status");
  for (const EndpointCounts& e : in.endpoints) {
    f.add(number(e.ok), {{"path", e.path}, {"status", "2xx"}});
    f.add(number(e.not_modified), {{"path", e.path}, {"status", "304"}});
    f.add(number(e.refused), {{"path", e.path}, {"status", "4xx"}});
    f.add(number(e.failed), {{"path", e.path}, {"status", "5xx"}});
  }
  f.begin_counter("chandler_http_making_seconds_total",
                  "Time spent making answers that were not in the cache");
  for (const EndpointCounts& e : in.endpoints) f.add(e.making_seconds, {{"path", e.path}});
  f.begin_counter("chandler_http_made_total", "Answers made, not taken from the cache");
  for (const EndpointCounts& e : in.endpoints) f.add(number(e.made), {{"path", e.path}});
  f.counter("chandler_http_connections_accepted_total", "Connections accepted", number(in.server.accepted));
  f.counter("chandler_http_connections_refused_total", "Connections over the limit",
            number(in.server.refused));
  f.counter("chandler_http_malformed_total", "Requests that were no HTTP or broke a limit",
            number(in.server.malformed));
  f.gauge("chandler_http_connections", "Connections open now", number(in.server.open));
  f.gauge("chandler_http_waiting", "Requests that wait for a thread", number(in.waiting));
  f.gauge("chandler_live_listeners", "Clients that listen to events", number(in.listeners));
  f.counter("chandler_cache_hits_total", "Answers found in the cache", number(in.cache.hits));
  f.counter("chandler_cache_misses_total", "Answers not found in the cache", number(in.cache.misses));
  f.gauge("chandler_cache_bytes", "Bytes of cached answers", number(in.cache.bytes));
  f.gauge("chandler_candle_block_bytes", "Bytes of candles kept in memory", number(in.block_bytes));
}

void add_lake(Families& f, const Overview& overview, const std::vector<Problem>& problems) {
  f.gauge("chandler_lake_symbols", "Symbols of the lake", number(overview.total));
  const auto each = [&](std::string name, std::string help, auto value) {
    f.begin_gauge(std::move(name), std::move(help));
    for (const auto& s : overview.symbols) f.add(value(*s), {{"symbol", s->symbol}});
  };
  each("chandler_symbol_minutes", "Minutes stored in klines_1m",
       [](const SymbolOverview& s) { return number(s.status.minutes); });
  each("chandler_symbol_coverage", "Share of the minutes between the first and the last that are stored",
       [](const SymbolOverview& s) { return s.status.coverage; });
  each("chandler_symbol_missing_minutes", "Minutes that are missing between the first and the last",
       [](const SymbolOverview& s) { return number(s.status.missing_minutes); });
  each("chandler_symbol_lag_seconds", "Behind the newest instant that any symbol knows",
       [](const SymbolOverview& s) { return static_cast<double>(s.status.lag.count()) / 1000; });
  each("chandler_symbol_speed_minutes", "Minutes of the live stream that wait for the merge",
       [](const SymbolOverview& s) { return number(s.status.speed_minutes); });
  f.begin_gauge("chandler_lake_problems", "What is wrong, by severity");
  double counts[3] = {};
  for (const Problem& p : problems) ++counts[static_cast<std::size_t>(p.severity)];
  f.add(counts[0], {{"severity", "info"}});
  f.add(counts[1], {{"severity", "warning"}});
  f.add(counts[2], {{"severity", "error"}});
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
  Families f;
  f.begin_gauge("chandler_build_info", "The program's version");
  f.add(1, {{"version", input.version}});
  metrics::add_process(f);
  add_server(f, input);
  add_lake(f, *input.overview, input.problems);
  return f.text();
}

}  // namespace chandler::web
