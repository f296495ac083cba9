// The look-alike exchange on a port: what `chandler sim` runs, and what demos and tests start in their own
// process.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "sim/exchange.hpp"
#include "sim/stream_hub.hpp"

namespace chandler::sim {

struct SimOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  unsigned threads = 2;
  // Where the exchange's clock starts; by default an hour and a half before the end of the minutes, so that
  // an open minute and an open day are there.
  std::optional<Timestamp> now;
  double speed = 1;  // market seconds per second; 0 stands still
  ExchangeOptions exchange;
  StreamOptions streams;
};

class SimServer {
 public:
  // Errors: usage (address, speed, rate), unreachable (port taken). `clock` outlives the server.
  static Result<std::unique_ptr<SimServer>> start(std::shared_ptr<const Market> market, SimOptions options,
                                                  const Clock& clock);
  virtual ~SimServer() = default;  // stops

  virtual std::string url() const = 0;          // http://127.0.0.1:PORT, REST
  virtual std::string archive_url() const = 0;  // the same, what `--archive-url` takes
  virtual std::string stream_url() const = 0;   // ws://127.0.0.1:PORT
  virtual std::uint16_t port() const = 0;
  virtual Timestamp now() const = 0;  // the exchange's clock
  virtual void set_clock(Timestamp now, double speed) = 0;
  virtual Statistics statistics() const = 0;
  virtual void reset_statistics() = 0;
  virtual void stop() = 0;
};

}  // namespace chandler::sim
