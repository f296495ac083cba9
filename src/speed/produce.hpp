// The jobs of `chandler produce` (the market → a topic) and `chandler live` (the market → speed_1m, without a
// broker).
#pragma once

#include "speed/consume.hpp"
#include "speed/market_feed.hpp"

namespace chandler::speed {

enum class Channel { kline, ticker };

struct ProduceOptions {
  KafkaAddress address;
  int partitions = 4;  // of a topic that has to be made
  Channel channel = Channel::kline;
  FeedOptions feed;
};

struct ProduceEnvironment {
  lake::Storage& storage;  // tells what is missing from before; takes the status
  exchange::RestClient& rest;
  Clock& clock;
  Figures& figures;
  std::stop_token stop;
};

// Until it is stopped; what was taken is acknowledged by the broker by then. Errors: unreachable, usage.
Status produce(const ProduceEnvironment& environment, const ProduceOptions& options);

// A 24-hour ticker as the consumers of the topic crypto-prices expect it.
std::string price_json(const exchange::TickerEvent& ticker);

struct LiveOptions {
  FeedOptions feed;
  PipelineOptions pipeline;
};

// Until it is stopped; everything that came is stored by then.
Status live(const SpeedEnvironment& environment, exchange::RestClient& rest, const LiveOptions& options);

}  // namespace chandler::speed
