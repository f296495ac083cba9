#include "http/curl_transport.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace chandler::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Kind = Failure::Kind;

// A server on loopback that writes exactly the bytes it is told to, which no HTTP library would.
class RawServer {
 public:
  struct Step {
    std::string bytes;
    bool close = false;  // after the bytes; otherwise the connection stays for the next request
    bool reset = false;  // with RST
  };

  explicit RawServer(std::function<Step(const std::string& request)> answer) : answer_(std::move(answer)) {
    setenv("no_proxy", "127.0.0.1", 1);  // this server is meant, whatever the environment says
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
  }
  ~RawServer() {
    acceptor_.request_stop();
    acceptor_.join();
    connections_.clear();
    close(listener_);
  }

  std::string url(const std::string& path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const { return accepted_; }

 private:
  static bool readable(int fd, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd p{fd, POLLIN, 0};
      if (poll(&p, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all(const std::stop_token& stop) {
    while (readable(listener_, stop)) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) continue;
      ++accepted_;
      connections_.emplace_back([this, fd](const std::stop_token& s) { serve(fd, s); });
    }
  }

  void serve(int fd, const std::stop_token& stop) {
    std::string received;
    char buffer[4096];
    while (readable(fd, stop)) {
      const auto n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      received.append(buffer, static_cast<std::size_t>(n));
      if (!received.ends_with("\r\n\r\n")) continue;
      Step step;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(received);
        step = answer_(received);
      }
      received.clear();
      if (!step.bytes.empty()) send(fd, step.bytes.data(), step.bytes.size(), MSG_NOSIGNAL);
      if (step.reset) {
        const linger hard{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      }
      if (step.reset || step.close) break;
    }
    close(fd);
  }

  std::function<Step(const std::string&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_{0};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

std::string ok(const std::string& body) {
  return fmt::format("HTTP/1.1 200 OK\r\nX-MBX-USED-WEIGHT-1M: 12\r\nContent-Length: {}\r\n\r\n{}",
                     body.size(), body);
}

Request to(std::string url, std::chrono::nanoseconds timeout = 10s) {
  Request request;
  request.url = std::move(url);
  request.timeout = timeout;
  return request;
}

TEST(CurlTransport, GivesStatusHeadersAndBody) {
  RawServer server([](const auto&) { return RawServer::Step{ok("hello")}; });
  const auto transport = make_curl_transport();
  const auto reply = transport->send(to(server.url("/api/v3/time?a=b")));
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "hello");
  EXPECT_EQ(reply->header("x-mbx-used-weight-1m"), "12");
  EXPECT_EQ(reply->header("absent"), "");
  EXPECT_THAT(server.requests().at(0), HasSubstr("GET /api/v3/time?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests().at(0), HasSubstr("User-Agent: chandler/"));
}

TEST(CurlTransport, KeepsTheConnectionForTheNextRequest) {
  RawServer server([](const auto&) { return RawServer::Step{ok("x")}; });
  const auto transport = make_curl_transport();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transport->send(to(server.url())));
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, ServesManyThreadsAtOnce) {
  RawServer server([](const std::string& request) {
    return RawServer::Step{ok(request.substr(4, request.find(" HTTP") - 4))};
  });
  const auto transport = make_curl_transport();
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 30; ++i) {
          const std::string path = fmt::format("/{}/{}", t, i);
          const auto reply = transport->send(to(server.url(path)));
          right += reply && reply->body == path;
        }
      });
    }
  }
  EXPECT_EQ(right, 180);
  EXPECT_LE(server.connections(), 6);
}

TEST(CurlTransport, ErrorStatusesAndRedirectsAreReplies) {
  RawServer server([](const auto&) {
    return RawServer::Step{"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"};
  });
  const auto reply = make_curl_transport()->send(to(server.url()));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(CurlTransport, TheHeadIsToldBeforeTheBodyAndOnlyTheFinalOne) {
  RawServer server([](const auto&) {
    return RawServer::Step{
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\nhalf",
        true};
  });
  Request request = to(server.url());
  std::vector<int> heads;
  request.on_head = [&](const Head& head) {
    heads.push_back(head.status);
    EXPECT_EQ(head.header("retry-after"), "7");
    EXPECT_EQ(head.header("x-early"), "");
  };
  const auto reply = make_curl_transport()->send(request);
  EXPECT_THAT(heads, ::testing::ElementsAre(429));
  ASSERT_FALSE(reply) << "the body was cut off";
  EXPECT_EQ(reply.error().kind, Kind::broken);
}

TEST(CurlTransport, WhatIsHeldBackNeverReachesTheServer) {
  RawServer server([](const auto&) { return RawServer::Step{ok("x")}; });
  const auto transport = make_curl_transport();
  for (const bool kept_alive : {false, true}) {
    Request request = to(server.url());
    request.may_send = [] { return false; };
    const auto reply = transport->send(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind, Kind::held_back);
    EXPECT_EQ(server.requests().size(), kept_alive ? 1u : 0u);
    if (!kept_alive) {
      ASSERT_TRUE(transport->send(to(server.url())));
    }
  }
}

TEST(CurlTransport, BreakagesAreToldApart) {
  RawServer server([](const std::string& request) -> RawServer::Step {
    if (request.starts_with("GET /reset")) return {.bytes = "", .close = false, .reset = true};
    if (request.starts_with("GET /truncated"))
      return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", .close = true};
    if (request.starts_with("GET /chunks"))
      return {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .close = true};
    if (request.starts_with("GET /garbage")) return {.bytes = "\x01\x02\x03 nonsense\r\n\r\n", .close = true};
    if (request.starts_with("GET /hang")) return {};
    std::string bytes = ok(std::string(5000, 'x'));
    return {.bytes = bytes, .close = true};
  });
  const auto transport = make_curl_transport();
  const auto kind_of = [&](const std::string& path, std::chrono::nanoseconds timeout = 10s,
                           std::size_t most = 1u << 20) {
    Request request = to(server.url(path), timeout);
    request.max_bytes = most;
    const auto reply = transport->send(request);
    EXPECT_FALSE(reply) << path;
    return reply ? Kind::cancelled : reply.error().kind;
  };
  EXPECT_EQ(kind_of("/reset"), Kind::broken);
  EXPECT_EQ(kind_of("/truncated"), Kind::broken);
  EXPECT_EQ(kind_of("/chunks"), Kind::broken);
  EXPECT_EQ(kind_of("/garbage"), Kind::broken);
  EXPECT_EQ(kind_of("/hang", 100ms), Kind::timeout);
  EXPECT_EQ(kind_of("/large", 10s, 4999), Kind::too_large);
  Request request = to(server.url("/large"));
  request.max_bytes = 5000;
  EXPECT_TRUE(transport->send(request));
}

TEST(CurlTransport, NoServerIsUnreachableAndNoUrlIsRefused) {
  std::string gone;
  {
    RawServer server([](const auto&) { return RawServer::Step{}; });
    gone = server.url();
  }
  const auto transport = make_curl_transport();
  EXPECT_EQ(transport->send(to(gone)).error().kind, Kind::unreachable);
  EXPECT_EQ(transport->send(to("file:///etc/passwd")).error().kind, Kind::refused);
  EXPECT_EQ(transport->send(to("http://")).error().kind, Kind::refused);
}

// The signature itself is checked by the object store of tests/lake; here, that all of it is sent.
TEST(CurlTransport, ASignedBodyIsSentWithItsHeadersAndASignatureOverThem) {
  RawServer server([](const auto&) { return RawServer::Step{ok("x")}; });
  Request request = to(server.url("/bucket/key"));
  request.method = "PUT";
  request.headers = {"x-amz-content-sha256: digest", "If-None-Match: *"};
  request.body = "the body\r\n\r\n";  // the end that this server waits for
  request.signature = {"key-id", "secret", "eu-central-1", "s3"};
  const auto reply = make_curl_transport()->send(request);
  ASSERT_TRUE(reply) << reply.error().text;
  std::string sent;
  for (const std::string& part : server.requests()) sent += part;
  EXPECT_THAT(sent, HasSubstr("PUT /bucket/key HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("If-None-Match: *\r\n"));
  EXPECT_THAT(sent, HasSubstr("Authorization: AWS4-HMAC-SHA256 Credential=key-id/"));
  EXPECT_THAT(sent, HasSubstr("/eu-central-1/s3/aws4_request, SignedHeaders="));
  EXPECT_THAT(sent, ::testing::Not(HasSubstr("secret")));
  EXPECT_THAT(sent, ::testing::EndsWith("\r\n\r\nthe body\r\n\r\n"));
}

TEST(CurlTransport, ARequestIsGivenUpWhenTheCallersTimeIsUsedUp) {
  RawServer server([](const auto&) { return RawServer::Step{}; });
  Request request = to(server.url(), 300s);
  std::atomic<int> asked{0};
  request.time_left = [&] { return ++asked < 3 ? 1s : 0s; };
  const auto reply = make_curl_transport()->send(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Kind::timeout);
  EXPECT_EQ(asked, 3);
}

TEST(CurlTransport, AStopRequestEndsATransferThatHangs) {
  RawServer server([](const auto&) { return RawServer::Step{}; });
  const auto transport = make_curl_transport();
  std::stop_source stop;
  Request request = to(server.url(), 300s);
  request.stop = stop.get_token();
  std::jthread stopper([&] {
    while (server.requests().empty()) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  const auto reply = transport->send(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Kind::cancelled);
  EXPECT_EQ(transport->send(request).error().kind, Kind::cancelled) << "and the next one does not start";
}

}  // namespace
}  // namespace chandler::http
