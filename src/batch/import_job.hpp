// History files into klines_1m or klines_1d.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "batch/import_partitions.hpp"
#include "candles/interval.hpp"

namespace chandler::batch {

struct ImportReject {
  std::string file;
  std::uint64_t line = 0;
  std::string reason;
};

struct ImportOptions {
  std::string symbol;
  candles::Interval interval = candles::Interval::m1;  // or d1
  std::uint64_t max_rejects = 100;
  std::function<Status(const ImportReject&)> on_reject;  // called for each, in order; may be empty
};

struct Imported {
  std::uint64_t bytes = 0;  // of the files on disk
  std::uint64_t lines = 0;
  std::uint64_t rows = 0;      // possible candles, repeats included
  std::uint64_t absent = 0;    // rows that say that a candle does not exist
  std::uint64_t rejected = 0;  // rows that are no candles
  PartitionCounts candles;
  std::size_t partitions = 0;            // files of the lake that changed
  std::optional<Timestamp> first, last;  // open times in the files
};

// Reads all files, and only when that went well and at most max_rejects rows were bad makes the result
// visible, all partitions together. Derives nothing. The caller holds the lake's lock. Memory does not depend
// on the files' size. Errors: what CsvInput and the lake say; invalid_data for a file that is no CSV of
// candles, whose rows are of another interval, or that has too many bad rows; interrupted.
Result<Imported> import_files(lake::Storage& storage, std::span<const std::string> files,
                              const ImportOptions& options, Progress& progress, std::stop_token stop = {});

}  // namespace chandler::batch
