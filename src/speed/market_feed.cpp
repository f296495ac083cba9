#include "speed/market_feed.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/parallel.hpp"
#include "lake/catalog.hpp"

namespace chandler::speed {
namespace {

constexpr std::chrono::milliseconds kLook{250};
constexpr std::chrono::milliseconds kFirstConnection{30'000};
constexpr std::chrono::milliseconds kRetry{2'000};
// Minutes this fresh may not have reached the exchange's REST side.
constexpr Millis kSettled{5'000};
constexpr Millis kCertain = 2 * kMinute;
constexpr std::size_t kManySymbols = 100;

template <class Cut>
Status add_known(const lake::Storage& storage, const lake::Partition& partition, Cut&& cut, RangeSet& known) {
  const auto footer = lake::read_kline_footer(storage, partition);
  if (!footer)
    return footer.error().code == ErrorCode::not_found ? Status{} : Status(std::unexpected(footer.error()));
  CHANDLER_ASSIGN(RangeSet present, lake::present_in(storage, std::span(&*footer, 1)));
  present.add(footer->asked);
  known.add(cut(present));
  return {};
}

}  // namespace

Result<RangeSet> known_minutes(const lake::Storage& storage, const std::string& symbol, TimeRange range) {
  RangeSet known;
  const auto cut = [&](const RangeSet& set) { return set.intersected(range); };
  for (auto m = month_of(range.begin); begin_of(m) < range.end; m += std::chrono::months{1}) {
    CHANDLER_TRY(add_known(storage, lake::minutes_partition(symbol, m), cut, known));
  }
  for (Day d = day_of(range.begin); begin_of(d) < range.end; d += std::chrono::days{1}) {
    CHANDLER_TRY(add_known(storage, lake::speed_partition(symbol, d), cut, known));
  }
  return known;
}

MarketFeed::MarketFeed(FeedOptions options, exchange::RestClient& rest, Clock& clock, Figures& figures)
    : options_(std::move(options)), rest_(rest), clock_(clock), figures_(figures) {}

Result<std::unique_ptr<MarketFeed>> MarketFeed::start(FeedOptions options, const lake::Storage& storage,
                                                      exchange::RestClient& rest, Clock& clock,
                                                      Figures& figures, std::stop_token stop) {
  auto feed = std::unique_ptr<MarketFeed>(new MarketFeed(std::move(options), rest, clock, figures));
  CHANDLER_ASSIGN(const Timestamp now, rest.server_time({.stop = stop}));
  feed->market_now_ms_ = to_ms(now);
  // Only for the weight limit, since a hole of many symbols takes many requests: without it the cautious
  // default is kept.
  if (feed->options_.symbols.size() >= kManySymbols) (void)rest.exchange_info({.stop = stop});
  CHANDLER_TRY(feed->read_coverage(storage));

  exchange::StreamOptions stream = feed->options_.stream;
  for (const std::string& symbol : feed->options_.symbols)
    stream.streams.push_back(exchange::stream_name(symbol, "kline_1m"));
  exchange::StreamCallbacks callbacks;
  callbacks.on_message = [f = feed.get()](std::string_view message) { f->on_message(message); };
  callbacks.on_subscribed = [f = feed.get()](std::span<const std::string>, bool gap) {
    if (gap) f->gap_ = true;
    f->figures_.connects.fetch_add(1);
  };
  feed->streams_ = std::make_unique<exchange::StreamClient>(std::move(stream), std::move(callbacks), clock,
                                                            Random(feed->options_.seed));
  CHANDLER_TRY(feed->streams_->wait_subscribed(kFirstConnection, stop));
  feed->catch_up_ = std::jthread([f = feed.get()](std::stop_token end) { f->catch_up_loop(end); });
  return feed;
}

MarketFeed::~MarketFeed() {
  catch_up_.request_stop();
  streams_.reset();
}

Status MarketFeed::read_coverage(const lake::Storage& storage) {
  const Timestamp now = floor_minute(market_now());
  const TimeRange recent{floor_minute(now - options_.catch_up), now};
  std::vector<RangeSet> known(options_.symbols.size());
  CHANDLER_TRY(parallel_for(known.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(known[i], known_minutes(storage, options_.symbols[i], recent));
    return {};
  }));
  for (std::size_t i = 0; i < known.size(); ++i) {
    // A symbol that the lake does not have begins now; its history is backfill's.
    const Timestamp since = known[i].empty() ? now : known[i].begin()->begin;
    coverage_.add_symbol(options_.symbols[i], since, std::move(known[i]));
  }
  return {};
}

void MarketFeed::on_message(std::string_view message) {
  FeedEvent event;
  event.received = clock_.now();
  Timestamp minute;
  {
    const std::lock_guard lock(mutex_);
    event.refused = rejection_of(parser_, parser_.parse(message), exchange::EventKind::kline);
    if (event.refused) {
      event.json = message;
    } else {
      const auto& kline = parser_.kline();
      market_now_ms_ = std::max(market_now_ms_.load(), to_ms(kline.event_time));
      event.symbol = kline.symbol;
      event.json = parser_.event_json();
      event.closed = kline.closed;
      minute = from_ms(kline.kline.open_time);
    }
  }
  const bool closed = event.closed;
  const auto refused = event.refused;
  const std::string symbol = closed ? event.symbol : std::string();
  const bool pushed = push(std::move(event), false, {});
  if (!pushed && refused) figures_.reject(*refused);
  if (pushed && closed) {
    const std::lock_guard lock(mutex_);
    coverage_.add(symbol, minute);
  }
}

bool MarketFeed::push(FeedEvent event, bool may_wait, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto fits = [&] {
    return queue_.size() < options_.max_queued && queued_bytes_ < options_.max_queued_bytes;
  };
  if (!fits() && (!may_wait || !changed_.wait(lock, stop, fits))) return false;
  queued_bytes_ += event.json.size();
  queue_.push_back(std::move(event));
  figures_.queued = static_cast<std::int64_t>(queue_.size());
  changed_.notify_all();
  return true;
}

void MarketFeed::take(std::vector<FeedEvent>& events, std::chrono::milliseconds wait) {
  events.clear();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [this] { return !queue_.empty(); });
    events.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    queue_.clear();
    queued_bytes_ = 0;
  }
  changed_.notify_all();
  const auto counters = streams_->counters();
  figures_.disconnects = counters.disconnects;
  figures_.streams = static_cast<std::int64_t>(counters.open);
  figures_.queued = 0;
}

// The candles of one hole. False if the exchange did not answer for all of it.
bool MarketFeed::fetch(const std::string& symbol, TimeRange range, std::stop_token stop) {
  while (!range.empty()) {
    const auto page =
        rest_.klines(symbol, candles::Interval::m1, range, exchange::kMaxKlinesPerPage, {.stop = stop});
    if (!page) {
      if (!stop.stop_requested())
        spdlog::warn("{}: minutes that were missed cannot be fetched yet: {}", symbol, to_text(page.error()));
      return false;
    }
    Timestamp told = range.begin;
    for (std::size_t i = 0; i < page->rows.size(); ++i) {
      const auto kline = page->rows.at(i);
      const Timestamp minute = from_ms(kline.open_time);
      figures_.caught_up.fetch_add(1);  // before anybody can see it
      if (!push({symbol, exchange::kline_event_json(symbol, kline), true, true, clock_.now()}, true, stop))
        return false;
      told = minute + kMinute;
      const std::lock_guard lock(mutex_);
      coverage_.add(symbol, minute);
    }
    const bool whole = page->rows.size() < static_cast<std::size_t>(exchange::kMaxKlinesPerPage);
    // Minutes that the exchange does not have are its own holes, but the newest may only be late.
    const Timestamp answered =
        whole ? std::max(told, std::min(range.end, floor_minute(market_now() - kCertain))) : told;
    {
      const std::lock_guard lock(mutex_);
      if (range.begin < answered) coverage_.add(symbol, TimeRange{range.begin, answered});
    }
    if (whole) return answered >= range.end;
    range.begin = told;
  }
  return true;
}

bool MarketFeed::catch_up(const std::string& symbol, Timestamp until, std::stop_token stop) {
  RangeSet missing;
  {
    const std::lock_guard lock(mutex_);
    missing = coverage_.missing(symbol, until);
  }
  bool complete = true;
  for (const TimeRange& range : missing) complete = fetch(symbol, range, stop) && complete;
  return complete;
}

void MarketFeed::catch_up_loop(std::stop_token stop) {
  while (clock_.sleep(kLook, stop)) {
    const bool gap = gap_.exchange(false);
    const Timestamp until = market_now() - (gap ? kSettled : options_.grace);
    bool complete = true;
    for (const std::string& symbol : options_.symbols) {
      if (stop.stop_requested()) return;
      complete = catch_up(symbol, until, stop) && complete;
    }
    if (complete) continue;
    if (gap) gap_ = true;
    if (!clock_.sleep(kRetry, stop)) return;
  }
}

}  // namespace chandler::speed
