// What can still be told about a kline file that fails its checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/range_set.hpp"
#include "lake/layout.hpp"

namespace chandler::lake {

struct Salvaged {
  // Ranges that the exchange had answered for; nullopt if they cannot be told.
  std::optional<RangeSet> asked;
  // Open times (ms) of all rows, and of the imported ones, which no exchange gives back; nullopt likewise.
  std::optional<std::vector<std::int64_t>> rows, imported;
};

// Reads what the checksums vouch for as it is. Where Parquet's own footer is damaged, the entries are looked
// for in its raw bytes; their seal says whether they are the ones that were written and, if a single byte of
// the asked ranges has changed, which. Any bytes give some answer. `file` is the whole content.
Salvaged salvage(std::string_view file, const Partition& partition);

}  // namespace chandler::lake
