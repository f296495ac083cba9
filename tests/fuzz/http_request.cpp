// What a client sends to the HTTP server: in one piece and cut into small ones it must be the same request.
#include <boost/asio/buffer.hpp>

#include "base/percent_code.hpp"
#include "fuzz_target.hpp"
#include "net/request_parser.hpp"

using namespace chandler;

namespace {

constexpr std::size_t kMaxTarget = 8192;
constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::uint64_t kMaxBody = 64 * 1024;

struct Outcome {
  net::HttpRequest request;
  bool done = false;
  bool refused = false;
};

// As HttpConnection does it: bytes that the parser leaves are offered again with what follows.
Outcome read(std::string_view bytes, std::size_t piece) {
  Outcome outcome;
  net::RequestParser parser(outcome.request, kMaxTarget);
  parser.header_limit(kMaxHeader);
  parser.body_limit(kMaxBody);
  parser.eager(true);
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size() && !parser.is_done(); at += piece) {
    waiting += bytes.substr(at, piece);
    while (!waiting.empty() && !parser.is_done()) {
      boost::beast::error_code error;
      const std::size_t taken = parser.offer(boost::asio::buffer(waiting), error);
      fuzz::require(taken <= waiting.size(), "no more is taken than is there");
      waiting.erase(0, taken);
      if (error == boost::beast::http::error::need_more) break;
      if (error) {
        outcome.refused = true;
        return outcome;
      }
    }
  }
  outcome.done = parser.is_done();
  return outcome;
}

void check_query(const net::HttpRequest& request) {
  std::string again;
  for (const auto& [name, value] : request.query) {
    fuzz::require(request.param(name).has_value(), "a parameter that was sent is there");
    again += (again.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  }
  const auto read_back = net::parse_query(again);
  fuzz::require(read_back && read_back->size() == request.query.size(), "a query reads back");
  for (std::size_t i = 0; i < read_back->size(); ++i) {
    fuzz::require((*read_back)[i].name == request.query[i].name, "to the same names");
    fuzz::require((*read_back)[i].value == request.query[i].value, "and values");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = fuzz::text_of(data + 1, size - 1);
  const Outcome whole = read(bytes, bytes.size() + 1);
  if (whole.done) {
    fuzz::require(whole.request.path.starts_with('/') || whole.request.path == "*",
                  "a path begins with a slash");
    fuzz::require(whole.request.path.find('\0') == std::string::npos, "no zero byte gets into a path");
    fuzz::require(whole.request.body.size() <= kMaxBody, "a body has a limit");
    check_query(whole.request);
  }
  const Outcome cut = read(bytes, data[0] + std::size_t{1});
  if (!whole.done) return 0;
  fuzz::require(cut.done, "cutting does not change whether a request is whole");
  fuzz::require(cut.request.target == whole.request.target, "cutting does not change the target");
  fuzz::require(cut.request.method == whole.request.method, "cutting does not change the method");
  fuzz::require(cut.request.body == whole.request.body, "cutting does not change the body");
  fuzz::require(cut.request.keep_alive == whole.request.keep_alive, "cutting does not change keep-alive");
  fuzz::require(cut.request.header_count() == whole.request.header_count(),
                "cutting does not change headers");
  for (std::size_t i = 0; i < cut.request.header_count(); ++i)
    fuzz::require(cut.request.header_value(i) == whole.request.header_value(i), "nor their values");
  return 0;
}
