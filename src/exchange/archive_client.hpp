// Binance's public archive (data.binance.vision): one zip per symbol and month or day, with its SHA-256
// beside it.
#pragma once

#include <atomic>
#include <optional>

#include "exchange/archive_file.hpp"
#include "exchange/backoff.hpp"
#include "exchange/send_gate.hpp"
#include "http/transport.hpp"

namespace chandler::exchange {

inline constexpr std::string_view kDefaultArchiveUrl = "https://data.binance.vision";

struct ArchiveOptions {
  std::string base_url{kDefaultArchiveUrl};
  // A month is a few MB: more time than a page of JSON needs. Fewer attempts than REST, which is there where
  // this fails.
  RetryPolicy retry{.attempts = 5, .request_timeout = std::chrono::milliseconds{60'000}};
  int tries_of_a_mismatch = 3;  // downloads of one file that fails its checks
};

struct ArchiveFile {
  candles::Klines rows;            // source archive; as published: inside the month or day, to be cleaned
  std::vector<CsvReject> rejects;  // lines of the CSV that are no possible candle
  std::string url;
  std::string sha256;              // of the zip, lower-case hex
  bool checksum_published = true;  // false: there was none to compare with, the zip's own CRC had to do
};

// What the client did, for summaries.
struct ArchiveCounters {
  std::int64_t requests = 0;      // sent, repeats included
  std::int64_t retries = 0;       // sent because the one before failed
  std::int64_t told_to_wait = 0;  // 429 and 418
  std::int64_t files = 0;         // read and accepted
  std::int64_t absent = 0;        // 404
  std::int64_t mismatches = 0;    // downloads that failed a check
  std::int64_t unusable = 0;      // files of which every download did
  std::int64_t bytes = 0;
};

// Thread safe; holds references only, all of which must outlive it.
class ArchiveClient {
 public:
  ArchiveClient(ArchiveOptions options, http::Transport& transport, Clock& clock, Random random);

  // nullopt: not published (404). invalid_data: fails its checks each time, so that another source has to be
  // asked; unreachable, interrupted as in RestClient; usage: an interval other than 1m and 1d. Memory: the
  // zip and its rows (a month of minutes: 10 MB).
  Result<std::optional<ArchiveFile>> fetch_month(std::string_view symbol, candles::Interval interval,
                                                 year_month month, const Call& call = {});
  Result<std::optional<ArchiveFile>> fetch_day(std::string_view symbol, candles::Interval interval, Day day,
                                               const Call& call = {});

  const std::string& base_url() const { return options_.base_url; }
  ArchiveCounters counters() const;
  const SendGate& gate() const { return gate_; }

 private:
  Result<std::optional<ArchiveFile>> fetch(const ArchivePiece& piece, const Call& call);
  Tried<std::optional<ArchiveFile>> fetch_once(const ArchivePiece& piece, const std::string& url,
                                               const Call& call);
  Result<std::optional<std::string>> download(const std::string& url, std::size_t max_bytes,
                                              const Call& call);
  Tried<std::optional<std::string>> attempt(const std::string& url, std::size_t max_bytes, const Call& call);

  ArchiveOptions options_;
  http::Transport& transport_;
  Clock& clock_;
  Backoff backoff_;
  SendGate gate_;
  std::atomic<std::int64_t> requests_{0}, retries_{0}, told_to_wait_{0}, files_{0}, absent_{0},
      mismatches_{0}, unusable_{0}, bytes_{0};
};

}  // namespace chandler::exchange
