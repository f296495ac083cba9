#include "net/web_socket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "net/http_server.hpp"
#include "net/test_socket.hpp"

namespace chandler::net {
namespace {

using namespace std::chrono_literals;

// What happened at one end, in order, as text.
class Diary {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  // Waits until the line is there.
  bool has(const std::string& line) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return std::ranges::find(lines_, line) != lines_.end(); });
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  WebSocketEvents events() {
    WebSocketEvents events;
    events.on_open = [this](const WebSocketPtr& session) {
      const std::lock_guard lock(mutex_);
      session_ = session;
      lines_.push_back("open");
      changed_.notify_all();
    };
    events.on_message = [this](const WebSocketPtr&, std::string_view text) {
      add("text " + std::string(text));
    };
    events.on_ping = [this](const WebSocketPtr&, std::string_view text) { add("ping " + std::string(text)); };
    events.on_pong = [this](const WebSocketPtr&, std::string_view text) { add("pong " + std::string(text)); };
    events.on_close = [this](const WebSocketPtr&, const WebSocketClose& how) {
      add("close " + std::to_string(how.code));
    };
    return events;
  }
  WebSocketPtr session() {
    has("open");
    const std::lock_guard lock(mutex_);
    return session_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  WebSocketPtr session_;
};

class WebSocket : public testing::Test {
 protected:
  WebSocket() {
    HttpServerOptions options;
    options.limits.web_socket.max_message_bytes = 1000;
    server_ = std::move(*HttpServer::start(options, [this](const HttpRequest& request, Responder responder) {
      if (request.path == "/refuse") {
        HttpResponse refusal = HttpResponse::json(429, "{}");
        refusal.add_header("Retry-After", "7");
        return responder.send(std::move(refusal));
      }
      if (request.path == "/silent") {
        HttpResponse nothing;
        nothing.delivery = Delivery::hang;
        return responder.send(std::move(nothing));
      }
      responder.upgrade(far_.events());
    }));
    options_.url = "ws://127.0.0.1:" + std::to_string(server_->port()) + "/ws?x=1";
  }

  std::unique_ptr<WebSocketClient> connect() {
    return std::move(*WebSocketClient::connect(options_, near_.events()));
  }

  Diary near_, far_;
  std::unique_ptr<HttpServer> server_;
  WebSocketClientOptions options_;
};

TEST_F(WebSocket, TextsArriveInOrderInBothDirections) {
  const auto client = connect();
  std::vector<std::string> wanted{"open"};
  for (int i = 0; i < 500; ++i) {
    client->session()->send("n" + std::to_string(i));
    far_.session()->send(std::string("m") + std::to_string(i));
    wanted.push_back("text n" + std::to_string(i));
  }
  ASSERT_TRUE(far_.has("text n499"));
  ASSERT_TRUE(near_.has("text m499"));
  EXPECT_EQ(far_.lines(), wanted);
}

TEST_F(WebSocket, PingsAreAnsweredWithTheirPayload) {
  const auto client = connect();
  far_.session()->ping("1700000000000");
  EXPECT_TRUE(near_.has("ping 1700000000000"));
  EXPECT_TRUE(far_.has("pong 1700000000000"));
  client->session()->ping("x");
  EXPECT_TRUE(near_.has("pong x"));
  client->session()->pong("unasked");
  EXPECT_TRUE(far_.has("pong unasked"));
}

TEST_F(WebSocket, AClosingHandshakeTellsBothEndsTheCode) {
  const auto client = connect();
  far_.session()->close(1008, "policy");
  EXPECT_TRUE(near_.has("close 1008"));
  EXPECT_TRUE(far_.has("close 1008"));
  EXPECT_FALSE(client->session()->is_open());
  client->session()->send("into the void");
}

TEST_F(WebSocket, ADroppedConnectionShowsAs1006) {
  const auto client = connect();
  far_.session()->drop();
  EXPECT_TRUE(near_.has("close 1006"));
  EXPECT_TRUE(far_.has("close 1006"));
}

TEST_F(WebSocket, DestroyingTheClientEndsBothEnds) {
  connect().reset();
  EXPECT_EQ(near_.lines().back(), "close 1006") << "told before the destructor returned";
  EXPECT_TRUE(far_.has("close 1006"));
}

TEST_F(WebSocket, StoppingTheServerEndsItsSessions) {
  const auto client = connect();
  far_.has("open");
  server_->stop();
  EXPECT_TRUE(near_.has("close 1006"));
}

TEST_F(WebSocket, MessagesOverTheLimitEndTheSession) {
  const auto client = connect();
  client->session()->send(std::string(1001, 'x'));
  EXPECT_TRUE(near_.has("close 1009"));
}

TEST_F(WebSocket, APeerThatDoesNotReadIsDroppedAtTheLimit) {
  WebSocketLimits small;
  small.max_queued_bytes = 1 << 20;
  options_.limits = small;
  options_.limits.max_message_bytes = 1 << 30;
  HttpServerOptions slow;
  slow.limits.web_socket = small;
  std::atomic<bool> release = false;
  Diary far;
  const auto server = std::move(*HttpServer::start(
      slow, [&](const HttpRequest&, Responder responder) { responder.upgrade(far.events()); }));
  options_.url = "ws://127.0.0.1:" + std::to_string(server->port());
  WebSocketEvents events = near_.events();
  events.on_message = [&](const WebSocketPtr&, std::string_view) {
    while (!release) std::this_thread::sleep_for(1ms);
  };
  const auto client = std::move(*WebSocketClient::connect(options_, std::move(events)));
  const auto piece = std::make_shared<const std::string>(100'000, 'x');
  for (int i = 0; i < 2000 && far.session()->is_open(); ++i) far.session()->send(piece);
  EXPECT_TRUE(far.has("close 1006"));
  release = true;
}

TEST_F(WebSocket, ARefusalNamesTheStatusAndTheWait) {
  options_.url = "ws://127.0.0.1:" + std::to_string(server_->port()) + "/refuse";
  const auto refused = WebSocketClient::connect(options_, near_.events());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unreachable);
  EXPECT_NE(refused.error().what.find("429"), std::string::npos);
  EXPECT_EQ(refused.error().remedy, "wait 7 s");
}

TEST_F(WebSocket, ConnectingEndsAtTheDeadlineOrWhenStopped) {
  options_.url = "ws://127.0.0.1:" + std::to_string(server_->port()) + "/silent";
  options_.connect_deadline = 200ms;
  EXPECT_EQ(WebSocketClient::connect(options_, near_.events()).error().code, ErrorCode::unreachable);
  options_.connect_deadline = 3600s;
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    source.request_stop();
  });
  EXPECT_EQ(WebSocketClient::connect(options_, near_.events(), source.get_token()).error().code,
            ErrorCode::interrupted);
  EXPECT_TRUE(near_.lines().empty());
}

TEST_F(WebSocket, SilenceOverTheLimitCountsAsBroken) {
  options_.silence_limit = 200ms;
  const auto client = connect();
  EXPECT_TRUE(near_.has("close 1006"));
}

TEST_F(WebSocket, AddressesThatAreNoStreamsAreRefused) {
  for (const char* url : {"http://a/", "ws://", "wss:///path", "ws://:1", ""}) {
    options_.url = url;
    EXPECT_EQ(WebSocketClient::connect(options_, {}).error().code, ErrorCode::usage) << url;
  }
  options_.url = "ws://127.0.0.1:1/";
  EXPECT_EQ(WebSocketClient::connect(options_, {}).error().code, ErrorCode::unreachable);
}

TEST_F(WebSocket, APlainRequestIsToldToUpgrade) {
  TestSocket client(server_->port());
  client.send(get("/ws"));
  const std::string answer = client.until_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 426 "));
  EXPECT_NE(answer.find("Sec-WebSocket-Version: 13"), std::string::npos);
}

}  // namespace
}  // namespace chandler::net
