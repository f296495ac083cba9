// Private to net/: hands a connection whose request asked for it over to the WebSocket protocol.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "net/http_message.hpp"
#include "net/server_worker.hpp"
#include "net/web_socket.hpp"

namespace chandler::net {

// On the worker's thread; `request` is a proper upgrade and is not needed after the call.
void accept_web_socket(const std::shared_ptr<Worker>& worker, boost::asio::ip::tcp::socket socket,
                       const HttpRequest& request, WebSocketEvents events);

}  // namespace chandler::net
