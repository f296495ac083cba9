// Query strings of the web API, of the simulated exchange, and requests on its WebSocket.
#include "fuzz_target.hpp"
#include "lake/layout.hpp"
#include "reference_json.hpp"
#include "sim/endpoint_query.hpp"
#include "sim/stream_name.hpp"
#include "sim/stream_requests.hpp"
#include "web/parameters.hpp"

using namespace chandler;

namespace {

const std::vector<web::Param> kParams = {
    {"symbol", web::ParamType::symbol, "a pair", true},
    {"interval", web::ParamType::interval, "of the candles", false, "1d"},
    {"from", web::ParamType::instant, "the first instant"},
    {"limit", web::ParamType::integer, "rows", false, "500", {}, 1, 1000},
    {"fill", web::ParamType::boolean, "missing days too", false, "false"},
    {"format", web::ParamType::text, "of the answer", false, "json", {"json", "csv"}}};

void check_arguments(const net::HttpRequest& request) {
  const web::Route route{.path = "/api/v1/candles", .params = kParams, .handle = [](const web::Arguments&) {
                           return web::Answer{};
                         }};
  const web::Answer answer = web::call(route, request);
  fuzz::require(answer.status == 200 || (answer.status == 400 && nlohmann::json::accept(answer.body)),
                "a refusal is a JSON document");
  const auto arguments = web::Arguments::read(kParams, request.query);
  if (!arguments) {
    fuzz::require(arguments.error().code == ErrorCode::usage, "a refused parameter is a usage error");
    return;
  }
  fuzz::require(lake::is_symbol(arguments->text("symbol")), "a symbol can be a folder of the lake");
  const std::int64_t limit = arguments->integer("limit");
  fuzz::require(limit >= 1 && limit <= 1000, "an integer is in its range");
  fuzz::require(arguments->text("format") == "json" || arguments->text("format") == "csv",
                "choices are kept");
  const auto from = arguments->instant("from");
  if (from) {
    fuzz::require(*from >= Timestamp{}, "an instant is not before 1970");
    fuzz::require(parse_instant(format_instant(*from)) == *from, "an instant reads back");
  }
  (void)arguments->interval("interval");
}

template <class T>
void check_answer(const sim::Answer<T>& answer) {
  if (!answer) fuzz::require(answer.error().code < 0, "a refusal has one of the exchange's codes");
}

// As each endpoint of the exchange reads the same parameters.
void check_query(const net::HttpRequest& request) {
  const auto klines = sim::read_klines_query(request);
  check_answer(klines);
  if (klines) {
    const sim::CandleQuery& candles = klines->candles;
    fuzz::require(candles.limit >= 1 && candles.limit <= 1000, "a limit is in its range");
    fuzz::require(candles.time_zone >= -std::chrono::hours{12} && candles.time_zone <= std::chrono::hours{14},
                  "a time zone is one");
  }
  check_answer(sim::read_info_query(request));
  check_answer(sim::read_ticker_query(request));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  net::HttpRequest request;
  if (request.set_target(text)) {
    check_arguments(request);
    check_query(request);
    if (sim::is_stream_path(request.path)) {
      for (const auto& name : sim::initial_subscriptions(request).names) (void)sim::parse_stream_name(name);
    }
  }
  sim::Subscriptions subscriptions;
  const std::string answer = sim::answer_stream_request(subscriptions, text);
  fuzz::require(nlohmann::json::accept(answer), "an answer is JSON");
  fuzz::require(subscriptions.names.size() <= sim::kMostStreams, "a connection has at most so many streams");
  return 0;
}
