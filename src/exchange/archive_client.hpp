// Binance's public archive (data.binance.vision): one zip per symbol and month or day, with its SHA-256
// beside it.
#pragma once

#include <optional>

#include "exchange/backoff.hpp"
#include "exchange/http.hpp"
#include "exchange/payload.hpp"
#include "exchange/send_gate.hpp"

namespace chandler::exchange {

inline constexpr std::string_view kDefaultArchiveUrl = "https://data.binance.vision";

struct ArchiveOptions {
  std::string base_url{kDefaultArchiveUrl};
  RetryPolicy retry;
};

struct ArchiveFile {
  candles::Klines rows;  // source archive; open times inside the month or day, in order, unique
  std::string url;
  std::string sha256;              // of the zip, lower-case hex
  bool checksum_published = true;  // false: there was none to compare with, the zip's own CRC had to do
};

// Thread safe; holds references only, all of which must outlive it.
class ArchiveClient {
 public:
  ArchiveClient(ArchiveOptions options, Transport& transport, Clock& clock, Random random);

  // nullopt: not published (404). invalid_data: fails its checks attempt after attempt, so that another
  // source has to be asked; unreachable, interrupted as in RestClient. Memory: the zip and its rows (a month
  // of minutes: 10 MB).
  Result<std::optional<ArchiveFile>> fetch_month(std::string_view symbol, candles::Interval interval,
                                                 year_month month, const Call& call = {});
  Result<std::optional<ArchiveFile>> fetch_day(std::string_view symbol, candles::Interval interval, Day day,
                                               const Call& call = {});

  const std::string& base_url() const { return options_.base_url; }

 private:
  struct Piece;
  Result<std::optional<ArchiveFile>> fetch(const Piece& piece, const Call& call);
  Result<std::optional<std::string>> download(const std::string& url, std::size_t max_bytes,
                                              const Call& call);

  ArchiveOptions options_;
  Transport& transport_;
  Clock& clock_;
  Backoff backoff_;
  SendGate gate_;
};

}  // namespace chandler::exchange
