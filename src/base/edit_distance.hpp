// How far a mistyped word is from the one that was meant.
#pragma once

#include <cstddef>
#include <string_view>

namespace chandler {

// Optimal string alignment distance in bytes: insertions, deletions, substitutions, and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace chandler
