// What a client asks on an open stream connection: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY,
// GET_PROPERTY. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "net/http_message.hpp"

namespace chandler::sim {

inline constexpr std::size_t kMostStreams = 1024;  // of one connection

// What one connection listens to.
struct Subscriptions {
  std::set<std::string, std::less<>> names;  // as sent; also those that no stream has
  bool combined = false;                     // whether events come in {"stream":…,"data":…}
};

// /ws, /ws/NAME/NAME…, /stream, /stream?streams=NAME/NAME….
bool is_stream_path(std::string_view path);
Subscriptions initial_subscriptions(const net::HttpRequest& request);

// Carries the request out and returns the answer. Texts that are no request change nothing.
std::string answer_stream_request(Subscriptions& subscriptions, std::string_view text);

}  // namespace chandler::sim
