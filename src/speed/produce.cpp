#include "speed/produce.hpp"

#include <fmt/format.h>

#include "speed/kafka_sink.hpp"
#include "speed/listed.hpp"
#include "speed/status_writer.hpp"

namespace chandler::speed {
namespace {

constexpr std::chrono::milliseconds kWait{100};
constexpr std::chrono::milliseconds kFlush{30'000};
constexpr std::chrono::milliseconds kFirstConnection{30'000};
constexpr KafkaHeader kStreamSource[] = {{"source", "stream"}};
constexpr KafkaHeader kRestSource[] = {{"source", "rest"}};

void count(Figures& figures, std::string_view message) {
  figures.messages.fetch_add(1, std::memory_order_relaxed);
  figures.bytes.fetch_add(message.size(), std::memory_order_relaxed);
}

Status produce_klines(const ProduceEnvironment& environment, const ProduceOptions& options, KafkaSink& sink) {
  CHANDLER_ASSIGN(const auto feed,
                  MarketFeed::start(options.feed, environment.storage, environment.rest, environment.clock,
                                    environment.figures, environment.stop));
  std::vector<FeedEvent> events;
  RejectionLog rejections;
  while (!environment.stop.stop_requested()) {
    feed->take(events, kWait);
    for (const FeedEvent& event : events) {
      count(environment.figures, event.json);
      if (event.refused) {
        environment.figures.reject(*event.refused);
        rejections.name("stream", event.json, *event.refused);
        continue;
      }
      const std::span<const KafkaHeader> source = event.fetched ? kRestSource : kStreamSource;
      CHANDLER_TRY(sink.publish({event.symbol, event.json, source, event.received}, environment.stop));
    }
    CHANDLER_TRY(sink.healthy());
  }
  return {};
}

// Tickers are sights of a moving window: one that is missed is replaced by the next, so nothing is fetched.
Status produce_tickers(const ProduceEnvironment& environment, const ProduceOptions& options,
                       KafkaSink& sink) {
  struct Price {
    std::string json;
    Timestamp received;
  };
  struct Inbox {
    std::mutex mutex;
    std::condition_variable_any changed;
    exchange::StreamEventParser parser;
    RejectionLog rejections;
    std::map<std::string, Price> newest;
  } inbox;
  exchange::StreamOptions stream = options.feed.stream;
  for (const std::string& symbol : options.feed.symbols)
    stream.streams.push_back(exchange::stream_name(symbol, "ticker"));
  exchange::StreamCallbacks callbacks;
  callbacks.on_message = [&](std::string_view message) {
    const Timestamp received = environment.clock.now();
    const std::lock_guard lock(inbox.mutex);
    if (const auto why =
            rejection_of(inbox.parser, inbox.parser.parse(message), exchange::EventKind::ticker)) {
      count(environment.figures, message);
      environment.figures.reject(*why);
      inbox.rejections.name("stream", message, *why);
      return;
    }
    const auto& ticker = inbox.parser.ticker();
    inbox.newest[std::string(ticker.symbol)] = {price_json(ticker), received};
    inbox.changed.notify_all();
  };
  callbacks.on_subscribed = [&](std::span<const std::string>, bool) {
    environment.figures.connects.fetch_add(1);
  };
  exchange::StreamClient client(std::move(stream), std::move(callbacks), environment.clock,
                                Random(options.feed.seed));
  CHANDLER_TRY(client.wait_subscribed(kFirstConnection, environment.stop));
  std::map<std::string, Price> prices;
  while (!environment.stop.stop_requested()) {
    {
      std::unique_lock lock(inbox.mutex);
      inbox.changed.wait_for(lock, kWait, [&] { return !inbox.newest.empty(); });
      prices = std::exchange(inbox.newest, {});
    }
    for (const auto& [symbol, price] : prices) {
      count(environment.figures, price.json);
      CHANDLER_TRY(sink.publish({symbol, price.json, kStreamSource, price.received}, environment.stop));
    }
    const auto counters = client.counters();
    environment.figures.disconnects = counters.disconnects;
    environment.figures.streams = static_cast<std::int64_t>(counters.open);
    CHANDLER_TRY(sink.healthy());
  }
  return {};
}

}  // namespace

std::string price_json(const exchange::TickerEvent& t) {
  return fmt::format(
      R"({{"symbol":"{}","event_time":{},"price":{},"open":{},"high":{},"low":{},"volume":{},"quote_volume":{},)"
      R"("number_trades":{},"price_change":{},"price_change_percent":{},"timestamp":{}}})",
      t.symbol, to_ms(t.event_time), t.price, t.open, t.high, t.low, t.volume, t.quote_volume, t.trades,
      t.price_change, t.price_change_percent, to_ms(t.close_time));
}

Status produce(const ProduceEnvironment& environment, const ProduceOptions& options) {
  CHANDLER_TRY(check_listed(environment.storage, environment.rest, options.feed.symbols, environment.stop));
  CHANDLER_ASSIGN(const auto sink, KafkaSink::open(options.address, options.partitions, environment.clock,
                                                   environment.figures));
  const StatusWriter status(environment.storage, environment.clock, environment.figures, "produce");
  const Status done = options.channel == Channel::kline ? produce_klines(environment, options, *sink)
                                                        : produce_tickers(environment, options, *sink);
  const Status flushed = sink->flush(kFlush);
  if (!done && done.error().code != ErrorCode::interrupted) return done;
  return flushed;
}

Status live(const SpeedEnvironment& environment, exchange::RestClient& rest, const LiveOptions& options) {
  CHANDLER_TRY(check_listed(environment.storage, rest, options.feed.symbols, environment.stop));
  Pipeline pipeline(environment.storage, environment.clock, environment.dead_letters, environment.figures,
                    stopped_by(options.pipeline, environment.stop));
  CHANDLER_ASSIGN(const auto stream, pipeline.open_stream("live"));
  const StatusWriter status_file(environment.storage, environment.clock, environment.figures, "live");
  CHANDLER_ASSIGN(auto feed, MarketFeed::start(options.feed, environment.storage, rest, environment.clock,
                                               environment.figures, environment.stop));
  std::vector<FeedEvent> events;
  Status status;
  while (status && !environment.stop.stop_requested()) {
    // When commits do not keep up, the feed's inbox fills, and what it drops is fetched later.
    if (pipeline.is_full()) {
      environment.clock.sleep(kWait, environment.stop);
    } else {
      feed->take(events, kWait);
      for (std::size_t i = 0; status && i < events.size(); ++i) {
        status = pipeline.take({stream.index, -1, events[i].symbol, events[i].json, events[i].received});
      }
    }
    if (status) status = pipeline.tick();
    environment.observer.on_progress(pipeline, pipeline.take_touched());
  }
  feed.reset();
  const Status stored = pipeline.flush();
  environment.observer.on_progress(pipeline, pipeline.take_touched());
  return status ? stored : status;
}

}  // namespace chandler::speed
