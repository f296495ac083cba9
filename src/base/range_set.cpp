#include "base/range_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace chandler {

RangeSet::RangeSet(std::initializer_list<TimeRange> ranges) {
  for (const TimeRange& r : ranges) add(r);
}

void RangeSet::add(TimeRange range) {
  if (range.empty()) return;
  if (ranges_.empty() || ranges_.back().end < range.begin) {
    ranges_.push_back(range);
    return;
  }
  // The ranges that touch the new one: from the first that ends at or after its begin …
  const auto first =
      std::ranges::lower_bound(ranges_, range.begin, {}, [](const TimeRange& r) { return r.end; });
  // … to the last that begins at or before its end.
  const auto last = std::ranges::upper_bound(first, ranges_.end(), range.end, {},
                                             [](const TimeRange& r) { return r.begin; });
  if (first == last) {
    ranges_.insert(first, range);
    return;
  }
  first->begin = std::min(first->begin, range.begin);
  first->end = std::max(std::prev(last)->end, range.end);
  ranges_.erase(std::next(first), last);
}

void RangeSet::add(const RangeSet& other) {
  for (const TimeRange& r : other) add(r);
}

void RangeSet::subtract(TimeRange range) {
  subtract(RangeSet{range});
}

void RangeSet::subtract(const RangeSet& other) {
  std::vector<TimeRange> left;
  auto cut = other.ranges_.begin();
  for (TimeRange r : ranges_) {
    while (cut != other.ranges_.end() && cut->end <= r.begin) ++cut;
    for (auto c = cut; c != other.ranges_.end() && c->begin < r.end; ++c) {
      if (r.begin < c->begin) left.push_back({r.begin, c->begin});
      r.begin = std::max(r.begin, c->end);
      if (r.empty()) break;
    }
    if (!r.empty()) left.push_back(r);
  }
  ranges_ = std::move(left);
}

RangeSet RangeSet::intersected(TimeRange range) const {
  RangeSet result;
  for (const TimeRange& r : ranges_) {
    result.add({std::max(r.begin, range.begin), std::min(r.end, range.end)});
  }
  return result;
}

bool RangeSet::contains(TimeRange range) const {
  if (range.empty()) return true;
  const auto it =
      std::ranges::upper_bound(ranges_, range.begin, {}, [](const TimeRange& r) { return r.begin; });
  return it != ranges_.begin() && range.end <= std::prev(it)->end;
}

Millis RangeSet::length() const {
  Millis total{0};
  for (const TimeRange& r : ranges_) total += r.length();
  return total;
}

std::string RangeSet::encode() const {
  std::string text;
  for (const TimeRange& r : ranges_) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}-{}", to_ms(r.begin), to_ms(r.end));
  }
  return text;
}

Result<RangeSet> RangeSet::decode(std::string_view text) {
  RangeSet set;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t first = 0, last = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != '-') break;
    parsed = std::from_chars(parsed.ptr + 1, end, last);
    if (parsed.ec != std::errc{} || last <= first) break;
    set.add({from_ms(first), from_ms(last)});
    if (parsed.ptr == end) return set;
    if (*parsed.ptr != ',') break;
    at = parsed.ptr + 1;
  }
  if (text.empty()) return set;
  return fail(ErrorCode::damaged, fmt::format("'{}' is not a list of time ranges", text.substr(0, 80)));
}

}  // namespace chandler
