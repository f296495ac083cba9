// What every handler reads from; owned by the dashboard server and outliving the handlers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "web/candle_reader.hpp"
#include "web/lake_watch.hpp"
#include "web/overview.hpp"
#include "web/parameters.hpp"

namespace chandler::web {

struct Sources {
  std::shared_ptr<const lake::Storage> storage;
  const LakeWatch& watch;
  const OverviewKeeper& overview;
  const CandleReader& candles;
  Clock& clock;
  std::string version;
};

// The symbol's files, or not_found with what there is.
Result<SymbolFiles> find_symbol(const LakeListing& listing, std::string_view symbol,
                                std::string_view lake_uri);

std::vector<Route> status_routes(const Sources& sources);
std::vector<Route> candle_routes(const Sources& sources);
std::vector<Route> coverage_routes(const Sources& sources);
std::vector<Route> table_routes(const Sources& sources);
std::vector<Route> query_routes(const Sources& sources);
std::vector<Route> forecast_routes(const Sources& sources);

}  // namespace chandler::web
