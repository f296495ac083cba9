#include "exchange/http_error.hpp"

#include <fmt/format.h>

namespace chandler::exchange {

Error error_of(const http::Failure& failure, const Service& service) {
  using Kind = http::Failure::Kind;
  const std::string unreachable = fmt::format("{} cannot be reached: {}", service.name, failure.text);
  switch (failure.kind) {
    case Kind::cancelled:
      return {ErrorCode::interrupted, "the request was cancelled", {}, {}};
    case Kind::too_large:
      return {ErrorCode::invalid_data, failure.text, {}, std::string(kLaterRemedy)};
    case Kind::refused:
      return {ErrorCode::unreachable,
              unreachable,
              {},
              fmt::format("check the address ({}), and SSL_CERT_FILE where a proxy re-signs the traffic",
                          service.flag)};
    default:
      return {
          ErrorCode::unreachable,
          unreachable,
          {},
          fmt::format(
              "check the network and the proxy settings (http_proxy, https_proxy), or name another address "
              "with {}",
              service.flag)};
  }
}

Error error_of_status(int status, const Service& service) {
  if (status == 429 || status == 418) {
    return {ErrorCode::unreachable,
            fmt::format("the request limit of {} is spent (HTTP {})", service.name, status),
            {},
            "wait, or stop other programs that use it from this network address"};
  }
  if (status == 451) {
    return {ErrorCode::unreachable,
            fmt::format("{} does not serve this location (HTTP 451)", service.name),
            {},
            fmt::format(
                "name another address with {}, e.g. https://data-api.binance.vision for --rest-url, or use a "
                "proxy",
                service.flag)};
  }
  return {ErrorCode::unreachable,
          fmt::format("{} answers HTTP {}", service.name, status),
          {},
          std::string(kLaterRemedy)};
}

bool may_pass(http::Failure::Kind kind) {
  using Kind = http::Failure::Kind;
  return kind == Kind::timeout || kind == Kind::unreachable || kind == Kind::broken ||
         kind == Kind::too_large;
}

}  // namespace chandler::exchange
