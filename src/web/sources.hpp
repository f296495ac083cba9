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

// The same for the symbol that a request names.
Result<SymbolFiles> find_symbol(const Sources& sources, const Arguments& arguments);

// The parameter of every address that is about one symbol.
Param symbol_param();

// A handler of a route from a function of the sources and the arguments; what it fails with is answered as an
// error.
std::function<Answer(const Arguments&)> handled(
    const Sources& sources, std::function<Result<Answer>(const Sources&, const Arguments&)> make);

// Everything that is wrong now, the worst first.
std::vector<Problem> problems_now(const Sources& sources);

std::vector<Route> status_routes(const Sources& sources);
std::vector<Route> candle_routes(const Sources& sources);
std::vector<Route> coverage_routes(const Sources& sources);
std::vector<Route> table_routes(const Sources& sources);
std::vector<Route> query_routes(const Sources& sources);
std::vector<Route> forecast_routes(const Sources& sources);

}  // namespace chandler::web
