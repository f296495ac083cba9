// A set of instants as sorted, disjoint, non-touching half-open ranges: what has been asked, what is stored,
// what is missing are all such sets, and the work list is their difference.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace chandler {

class RangeSet {
 public:
  RangeSet() = default;
  RangeSet(std::initializer_list<TimeRange> ranges);

  // Touching and overlapping ranges become one. O(1) when added in ascending order.
  void add(TimeRange range);
  void add(const RangeSet& other);
  void subtract(TimeRange range);
  void subtract(const RangeSet& other);
  RangeSet intersected(TimeRange range) const;

  bool empty() const { return ranges_.empty(); }
  bool contains(TimeRange range) const;
  bool contains(Timestamp t) const { return contains({t, t + Millis{1}}); }
  Millis length() const;
  std::span<const TimeRange> ranges() const { return ranges_; }
  auto begin() const { return ranges_.begin(); }
  auto end() const { return ranges_.end(); }
  friend bool operator==(const RangeSet&, const RangeSet&) = default;

  // "begin-end,begin-end" in epoch milliseconds: how asked ranges are stored in file metadata.
  std::string encode() const;
  static Result<RangeSet> decode(std::string_view text);

 private:
  std::vector<TimeRange> ranges_;
};

}  // namespace chandler
