// The parameters of each REST endpoint, read as the exchange reads them: for the look-alike and for whatever
// else answers as the exchange does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/listing.hpp"
#include "sim/query.hpp"

namespace chandler::sim {

struct KlinesQuery {
  std::string symbol;
  CandleQuery candles;
  // The exchange looks for the symbol first: this is answered only where there is one.
  std::optional<ApiError> bad_interval;
  TimeUnit unit = TimeUnit::milliseconds;
};
Answer<KlinesQuery> read_klines_query(const net::HttpRequest& request);

// Which symbols an answer is about: these, or, where there are none, all with the status (empty: any).
struct Choice {
  std::optional<std::string> symbol;
  std::optional<std::vector<std::string>> symbols;
  std::string status;

  // The named ones; nothing: all.
  std::optional<std::vector<std::string>> names() const {
    return symbol ? std::optional(std::vector{*symbol}) : symbols;
  }
  bool admits(bool trading) const { return status.empty() || status == (trading ? "TRADING" : "BREAK"); }
};

struct InfoQuery {
  Choice choice;
  // False where permissions are asked for that no symbol here has: each has SPOT and MARGIN.
  bool permitted = true;
  bool show_permission_sets = true;
  TimeUnit unit = TimeUnit::milliseconds;
};
Answer<InfoQuery> read_info_query(const net::HttpRequest& request);

struct TickerQuery {
  Choice choice;
  bool full = true;  // else type=MINI
  TimeUnit unit = TimeUnit::milliseconds;
};
Answer<TickerQuery> read_ticker_query(const net::HttpRequest& request);

// Of one symbol whose status is not the one asked for; of several, such a symbol is left out.
inline const ApiError kOtherStatus{-1220, "The symbol's status does not match the requested symbolStatus."};

}  // namespace chandler::sim
