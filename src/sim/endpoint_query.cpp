#include "sim/endpoint_query.hpp"

#include <algorithm>

namespace chandler::sim {
namespace {

constexpr std::size_t kDefaultLimit = 500, kMostLimit = 1000;

const ApiError kBadCombination{-1128, "Combination of optional parameters invalid."};

// As CHANDLER_TRY does for the errors of the program.
#define CHANDLER_READ(lhs, expression) CHANDLER_READ_(CHANDLER_CONCAT(read_, __LINE__), lhs, expression)
#define CHANDLER_READ_(read, lhs, expression)      \
  auto read = (expression);                        \
  if (!read) return std::unexpected(read.error()); \
  lhs = std::move(*read)

}  // namespace

Answer<KlinesQuery> read_klines_query(const net::HttpRequest& request) {
  Query query(request);
  KlinesQuery wanted;
  CHANDLER_READ(wanted.symbol, query.symbol());
  CHANDLER_READ(const std::string interval, query.interval_name());
  CHANDLER_READ(wanted.candles.limit, query.limit(kDefaultLimit, kMostLimit));
  CHANDLER_READ(wanted.candles.start, query.time("startTime", Query::Rounding::up));
  CHANDLER_READ(wanted.candles.end, query.time("endTime", Query::Rounding::down));
  CHANDLER_READ(wanted.candles.time_zone, query.time_zone());
  CHANDLER_READ(wanted.unit, query.time_unit());
  if (const auto read = query.all_read(); !read) return std::unexpected(read.error());
  if (const auto known = candles::parse_interval(interval)) {
    wanted.candles.interval = *known;
  } else {
    wanted.bad_interval = ApiError{-1120, "Invalid interval."};
  }
  return wanted;
}

Answer<InfoQuery> read_info_query(const net::HttpRequest& request) {
  Query query(request);
  InfoQuery wanted;
  CHANDLER_READ(wanted.choice.symbol, query.optional_symbol());
  CHANDLER_READ(wanted.choice.symbols, query.symbols());
  CHANDLER_READ(const auto permissions, query.permissions());
  CHANDLER_READ(const std::string sets, query.choice("showPermissionSets", "true", {"true", "false"}));
  CHANDLER_READ(wanted.choice.status, query.symbol_status());
  CHANDLER_READ(wanted.unit, query.time_unit());
  if (const auto read = query.all_read(); !read) return std::unexpected(read.error());
  const Choice& c = wanted.choice;
  if (c.symbol && c.symbols) return std::unexpected(kBadCombination);
  if ((c.symbol || c.symbols) && (permissions || !c.status.empty())) return std::unexpected(kBadCombination);
  wanted.show_permission_sets = sets == "true";
  wanted.permitted = !permissions || std::ranges::any_of(*permissions, [](const std::string& p) {
    return p == "SPOT" || p == "MARGIN";
  });
  return wanted;
}

Answer<TickerQuery> read_ticker_query(const net::HttpRequest& request) {
  Query query(request);
  TickerQuery wanted;
  CHANDLER_READ(wanted.choice.symbol, query.optional_symbol());
  CHANDLER_READ(wanted.choice.symbols, query.symbols());
  CHANDLER_READ(wanted.full, query.full_ticker());
  CHANDLER_READ(wanted.choice.status, query.symbol_status());
  CHANDLER_READ(wanted.unit, query.time_unit());
  if (const auto read = query.all_read(); !read) return std::unexpected(read.error());
  if (wanted.choice.symbol && wanted.choice.symbols) return std::unexpected(kBadCombination);
  return wanted;
}

}  // namespace chandler::sim
