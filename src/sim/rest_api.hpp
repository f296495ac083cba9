// The exchange's REST endpoints: request and instant → answer. Pure; limits, faults and sockets are
// elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_message.hpp"
#include "sim/endpoint_query.hpp"
#include "sim/market.hpp"
#include "sim/rate_limiter.hpp"

namespace chandler::sim {

// Thread safe. Format and semantics: Binance's "REST API" documentation (general, market data) and recorded
// answers.
class RestApi {
 public:
  RestApi(std::shared_ptr<const Market> market, int weight_per_minute)
      : market_(std::move(market)), weight_per_minute_(weight_per_minute) {}

  // What the request costs; nothing where the path is no endpoint.
  static std::optional<int> weight(const net::HttpRequest& request);
  // 404 for other paths, 405 for other methods than GET and HEAD.
  net::HttpResponse answer(const net::HttpRequest& request, Timestamp now) const;

 private:
  net::HttpResponse ping(const net::HttpRequest& request) const;
  net::HttpResponse time(const net::HttpRequest& request, Timestamp now) const;
  net::HttpResponse exchange_info(const net::HttpRequest& request, Timestamp now) const;
  net::HttpResponse klines(const net::HttpRequest& request, Timestamp now) const;
  net::HttpResponse day_ticker(const net::HttpRequest& request, Timestamp now) const;
  const Listing* listed(const std::string& symbol, Timestamp now) const;
  Answer<std::vector<const Listing*>> chosen(const Choice& choice, Timestamp now) const;

  std::shared_ptr<const Market> market_;
  int weight_per_minute_;
};

}  // namespace chandler::sim
