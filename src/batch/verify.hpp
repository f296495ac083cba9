// Every invariant of a lake, checked from its bytes: each file by itself (verify_file.hpp), no files that do
// not belong, and derived tables that equal what the klines give.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "batch/verify_file.hpp"

namespace chandler::batch {

struct VerifiedSymbol {
  std::string symbol;
  std::size_t files = 0;
  std::size_t rows = 0;
  std::size_t bytes = 0;
  std::vector<Violation> violations;  // in order of file
  // Derived files that have not followed the klines yet, since a job was stopped before it came to them. Not
  // a violation: they say what they were derived from, and the next backfill or build brings them up to date.
  std::vector<std::string> pending;
};

struct VerifyReport {
  std::vector<VerifiedSymbol> symbols;  // in order of name
  std::vector<Violation> strays;        // files that belong to no table, and damaged ones beside the tables
  std::size_t of_another_encoder = 0;   // files whose bytes could not be compared, see CheckedFile
  std::size_t rewritten = 0;            // files that another program wrote, see CheckedFile

  std::size_t files() const;
  std::size_t rows() const;
  std::size_t bytes() const;
  std::size_t pending() const;
  std::vector<Violation> violations() const;  // all of them; those of symbols first
};

// All symbols if `symbols` is empty; strays are looked for only then. Fails only if the lake cannot be
// listed, a symbol is not there, or on a stop. Reads alone, so it may run beside a writer; what looks wrong
// is looked at a second time. Uses all cores; memory is bounded by one file per core and the days of a few
// symbols.
Result<VerifyReport> verify(const lake::Storage& storage, const std::vector<std::string>& symbols,
                            Progress& progress, std::stop_token stop = {});

}  // namespace chandler::batch
