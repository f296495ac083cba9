// All symbols of the simulated exchange, and where they are read from.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sim/listing.hpp"

namespace chandler::sim {

// Candles of one symbol as read, in any order, with duplicates.
struct SymbolData {
  Klines minutes;
  Klines days;
};

// Immutable once made; ordered by symbol.
class Market {
 public:
  // Rows are sorted; of several with one open time the first counts.
  explicit Market(std::map<std::string, SymbolData> data);

  // Reads whatever candles are at the places: a lake (its klines_1m and klines_1d; a folder or s3://…), or a
  // file or a folder of files of any depth: the exchange's archive zips, CSV and CSV.gz, 1m and 1d (see
  // identify); other files are passed over. Errors: not_found (no such place, no candles), invalid_data (a
  // candle file that cannot be read), interrupted.
  static Result<std::shared_ptr<const Market>> load(std::span<const std::string> places,
                                                    std::stop_token stop = {});

  const Listing* find(std::string_view symbol) const;
  std::span<const std::unique_ptr<const Listing>> listings() const { return listings_; }
  // From the first candle of all to the end of the last.
  TimeRange extent() const;
  // The end of the last minute; where there are no minutes, of the last day.
  Timestamp live_end() const;

 private:
  std::vector<std::unique_ptr<const Listing>> listings_;
};

}  // namespace chandler::sim
