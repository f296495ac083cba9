#include "speed/state.hpp"

#include <algorithm>

namespace chandler::speed {
namespace {

std::vector<StoredMinute>::iterator find_minute(std::vector<StoredMinute>& minutes, std::int64_t open_time) {
  return std::ranges::lower_bound(minutes, open_time, {},
                                  [](const StoredMinute& m) { return m.kline.open_time; });
}

}  // namespace

std::size_t State::add_stream(std::string name, std::optional<std::int64_t> position,
                              std::optional<Timestamp> watermark) {
  const auto it = std::ranges::find(streams_, name, &Stream::name);
  const auto index = static_cast<std::size_t>(it - streams_.begin());
  if (it == streams_.end()) streams_.push_back({std::move(name), {}, {}, false});
  Stream& stream = streams_[index];
  stream.position = position;
  if (watermark) {
    const std::int64_t newest = to_ms(*watermark + lateness_);
    stream.newest_event = std::max(stream.newest_event.value_or(newest), newest);
  }
  return index;
}

State::Symbol& State::symbol_of(std::string_view name) {
  if (last_symbol_ != nullptr && last_symbol_->name == name) return *last_symbol_;
  auto it = symbols_.find(name);
  if (it == symbols_.end()) {
    auto symbol = std::make_unique<Symbol>();
    symbol->name = name;
    it = symbols_.emplace(std::string(name), std::move(symbol)).first;
  }
  last_symbol_ = it->second.get();
  return *last_symbol_;
}

bool State::add_closed(Symbol& symbol, const StoredMinute& minute) {
  const std::int64_t t = minute.kline.open_time;
  symbol.last_closed = std::max(symbol.last_closed.value_or(t), t);
  if (symbol.open && symbol.open->kline.open_time <= t) symbol.open.reset();
  if (symbol.closed.empty() || symbol.closed.back().kline.open_time < t) {
    symbol.closed.push_back(minute);
  } else {
    const auto it = find_minute(symbol.closed, t);
    if (it->kline.open_time == t) {
      if (!supersedes(minute, *it)) return false;
      *it = minute;
      return true;
    }
    symbol.closed.insert(it, minute);
  }
  ++pending_;
  return true;
}

bool State::add_open(Symbol& symbol, const StoredMinute& minute) {
  const std::int64_t t = minute.kline.open_time;
  if (symbol.last_closed && t <= *symbol.last_closed) return false;
  if (symbol.open) {
    if (t < symbol.open->kline.open_time) return false;
    if (t == symbol.open->kline.open_time && !supersedes(minute, *symbol.open)) return false;
  }
  symbol.open = minute;
  symbol.open_moved = true;
  return true;
}

Applied State::apply(std::size_t index, const MinuteEvent& event) {
  Stream& stream = streams_[index];
  Applied applied;
  applied.late = stream.newest_event && event.event_time < *stream.newest_event - lateness_.count();
  stream.newest_event = std::max(stream.newest_event.value_or(event.event_time), event.event_time);
  stream.moved = true;

  Symbol& symbol = symbol_of(event.symbol);
  symbol.stream = index;
  ++symbol.messages;
  if (event.event_time >= symbol.newest_event) {
    symbol.newest_event = event.event_time;
    symbol.price = event.kline.close;
  }
  const StoredMinute minute{event.kline, event.event_time};
  if (event.closed) {
    if (add_closed(symbol, minute)) applied.effect = Effect::closed_minute;
  } else if (add_open(symbol, minute)) {
    applied.effect = Effect::open_minute;
  }
  return applied;
}

std::optional<Timestamp> State::watermark(std::size_t index) const {
  const auto& newest = streams_[index].newest_event;
  if (!newest) return std::nullopt;
  return from_ms(*newest) - lateness_;
}

std::optional<Timestamp> State::watermark() const {
  std::optional<Timestamp> least;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (const auto w = watermark(i)) least = std::min(least.value_or(*w), *w);
  }
  return least;
}

bool State::has_changes() const {
  return std::ranges::any_of(streams_, &Stream::moved);
}

CommitBatch State::take() {
  CommitBatch batch;
  batch.minutes = std::exchange(pending_, 0);
  std::vector<lake::SpeedSnapshot> snapshots(streams_.size());
  for (auto& [name, symbol] : symbols_) {
    if (!symbol->closed.empty()) batch.symbols.push_back({name, std::exchange(symbol->closed, {})});
    if (symbol->open && std::exchange(symbol->open_moved, false)) {
      snapshots[symbol->stream].open.push_back(
          {name, from_ms(symbol->open->event_time), symbol->open->kline});
    }
  }
  std::ranges::sort(batch.symbols, {}, &SymbolChanges::symbol);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (!std::exchange(streams_[i].moved, false)) continue;
    snapshots[i].stream = streams_[i].name;
    snapshots[i].position = streams_[i].position;
    snapshots[i].watermark = watermark(i);
    std::ranges::sort(snapshots[i].open, {}, &lake::OpenCandle::symbol);
    batch.snapshots.push_back(std::move(snapshots[i]));
  }
  return batch;
}

void State::put_back(CommitBatch batch) {
  for (const SymbolChanges& changes : batch.symbols) {
    Symbol& symbol = symbol_of(changes.symbol);
    for (const StoredMinute& minute : changes.closed) add_closed(symbol, minute);
  }
  for (const auto& snapshot : batch.snapshots) {
    const auto stream = std::ranges::find(streams_, snapshot.stream, &Stream::name);
    if (stream != streams_.end()) stream->moved = true;
    for (const auto& candle : snapshot.open) {
      Symbol& symbol = symbol_of(candle.symbol);
      add_open(symbol, {candle.kline, to_ms(candle.event_time)});
      symbol.open_moved = true;
    }
  }
}

std::vector<SymbolView> State::view() const {
  std::vector<SymbolView> all;
  all.reserve(symbols_.size());
  for (const auto& [name, symbol] : symbols_) {
    SymbolView v{name, symbol->price, symbol->newest_event, symbol->messages, std::nullopt};
    if (symbol->open) v.open_minute = symbol->open->kline.open_time;
    all.push_back(std::move(v));
  }
  std::ranges::sort(all, {}, &SymbolView::symbol);
  return all;
}

}  // namespace chandler::speed
