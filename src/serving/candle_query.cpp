#include "serving/candle_query.hpp"

namespace chandler::serving {
namespace {

template <class T>
void extend(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void Candles::append(const Candles& other) {
  rows.append(other.rows);
  extend(minutes, other.minutes);
  extend(filled, other.filled);
  extend(provisional, other.provisional);
}

void Candles::keep_last(std::size_t count) {
  if (size() <= count) return;
  const auto drop = static_cast<std::ptrdiff_t>(size() - count);
  candles::for_each_column([&](auto column) {
    auto& values = rows.*column;
    values.erase(values.begin(), values.begin() + drop);
  });
  minutes.erase(minutes.begin(), minutes.begin() + drop);
  filled.erase(filled.begin(), filled.begin() + drop);
  provisional.erase(provisional.begin(), provisional.begin() + drop);
}

}  // namespace chandler::serving
