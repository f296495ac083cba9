#include "web/live_feed.hpp"

#include <fmt/format.h>

#include "web/access.hpp"
#include "web/candle_format.hpp"

namespace chandler::web {
namespace {

// A closed candle stays provisional until it is stored, by when others may have followed.
constexpr std::size_t kLastCandles = 5;

constexpr std::chrono::seconds kHeartbeat{15};

std::string event(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

std::string lake_event(const LakeListing& listing) {
  // A string: JavaScript's numbers do not hold 64 bits.
  return event("lake", fmt::format(R"({{"generation":"{:016x}"}})", listing.generation));
}

net::HttpResponse head() {
  net::HttpResponse response;
  response.add_header("Content-Type", "text/event-stream");
  response.add_header("Cache-Control", "no-store");
  response.add_header("X-Accel-Buffering", "no");  // a proxy in front must not hold events back
  response.headers += common_headers();
  return response;
}

net::HttpResponse refusal_of(const Answer& answer) {
  auto response = net::HttpResponse::json(answer.status, answer.body);
  response.headers += common_headers();
  return response;
}

}  // namespace

std::vector<Param> live_params() {
  return {{"symbol", ParamType::symbol, "whose candles; none: only news that the lake has changed"},
          {"interval", ParamType::interval, "of the candles", false, "1m"}};
}

LiveFeed::LiveFeed(const Sources& sources, LakeWatch& watch, WorkPool& pool, std::size_t max_listeners)
    : sources_(sources), pool_(pool), max_listeners_(max_listeners) {
  watch.on_change([this](const ListingPtr& listing) { tell(listing); });
  heart_ = std::jthread([this](const std::stop_token& stop) {
    while (sources_.clock.sleep(kHeartbeat, stop)) {
      for (const ListenerPtr& listener : open_listeners()) listener->stream->write(": alive\n\n");
    }
  });
}

LiveFeed::~LiveFeed() = default;

void LiveFeed::listen(const net::HttpRequest& request, net::Responder responder) {
  static const std::vector<Param> params = live_params();
  const auto arguments = Arguments::read(params, request.query);
  if (!arguments) return responder.send(refusal_of(error_answer(arguments.error())));
  if (request.method == "HEAD") return responder.send(head());
  if (open_listeners().size() >= max_listeners_) {
    return responder.send(
        refusal_of(error_answer(503, "overloaded", "too many listen already", "try again later")));
  }
  const ListingPtr listing = sources_.watch.now();
  auto listener = std::make_shared<Listener>();
  listener->symbol = arguments->text("symbol");
  listener->interval = arguments->interval("interval");
  if (!listener->symbol.empty()) {
    const auto known = find_symbol(*listing, listener->symbol, sources_.storage->uri());
    if (!known) return responder.send(refusal_of(error_answer(known.error())));
  }
  listener->stream = responder.stream(head());
  // `retry`: how long a browser waits before it comes back.
  listener->stream->write("retry: 2000\n\n" + lake_event(*listing));
  {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(listener);
  }
  if (!listener->symbol.empty()) {
    pool_.submit([this, listener, listing] { send_candles(listener, *listing); });
  }
}

std::vector<LiveFeed::ListenerPtr> LiveFeed::open_listeners() {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [](const ListenerPtr& listener) { return !listener->stream->is_open(); });
  return listeners_;
}

std::size_t LiveFeed::listeners() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

void LiveFeed::tell(const ListingPtr& listing) {
  const auto listeners = open_listeners();
  if (listeners.empty()) return;
  pool_.submit([this, listing, listeners] {
    const std::string news = lake_event(*listing);
    for (const ListenerPtr& listener : listeners) {
      listener->stream->write(news);
      if (!listener->symbol.empty()) send_candles(listener, *listing);
    }
  });
}

void LiveFeed::send_candles(const ListenerPtr& listener, const LakeListing& listing) {
  const SymbolFiles* files = listing.find(listener->symbol);
  const std::uint64_t generation = files != nullptr ? files->generation() : 0;
  if (listener->sent.exchange(generation) == generation) return;
  if (files == nullptr) {
    listener->stream->write(event("gone", "{}"));
    return;
  }
  CandleQuery query;
  query.interval = listener->interval;
  query.limit = kLastCandles;
  query.detail = serving::Detail::prices;
  const auto page = sources_.candles.read(*files, query);
  if (!page) return;  // the next change tries again; the page shows what it has
  listener->stream->write(event("candle", candles_json(listener->symbol, listener->interval, *page)));
}

}  // namespace chandler::web
