#include "net/http_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/random.hpp"
#include "net/test_socket.hpp"

namespace chandler::net {
namespace {

using namespace std::chrono_literals;
using testing::Test;

std::unique_ptr<HttpServer> serve(HttpHandler handler, HttpLimits limits = {}, unsigned threads = 1) {
  HttpServerOptions options;
  options.threads = threads;
  options.limits = limits;
  return std::move(*HttpServer::start(options, std::move(handler)));
}

void echo(const HttpRequest& request, Responder responder) {
  responder.send(
      HttpResponse::text(200, "text/plain", request.method + " " + request.path + " " + request.body));
}

TEST(HttpServer, AnswersManyRequestsOnOneConnection) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  for (int i = 0; i < 50; ++i) {
    client.send(get("/n" + std::to_string(i)));
    ASSERT_EQ(body_of(client.answer()), "GET /n" + std::to_string(i) + " ");
  }
  EXPECT_EQ(server->counts().accepted, 1U);
  EXPECT_EQ(server->counts().requests, 50U);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  std::string all;
  for (int i = 0; i < 200; ++i) all += get("/" + std::to_string(i));
  all += "POST /last HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(body_of(client.answer()), "GET /" + std::to_string(i) + " ");
  EXPECT_EQ(body_of(client.answer()), "POST /last hello");
}

TEST(HttpServer, ARequestMayArriveByteByByte) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  for (const char c : get("/slow")) client.send(std::string(1, c));
  EXPECT_EQ(body_of(client.answer()), "GET /slow ");
}

TEST(HttpServer, ChunkedBodiesAreJoined) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  client.send("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(client.answer()), "POST /c abcde");
}

// Found by fuzzing.
TEST(HttpServer, AChunkedBodyMayArriveByteByByte) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  const std::string_view text =
      "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
      "POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (const char c : text) {
    client.send(std::string(1, c));
    std::this_thread::sleep_for(std::chrono::milliseconds{1});  // so that it arrives alone
  }
  EXPECT_EQ(body_of(client.answer()), "POST /c abc");
  EXPECT_EQ(body_of(client.answer()), "POST /d ");
}

TEST(HttpServer, AnAnswerMayComeLaterFromAnotherThread) {
  std::mutex mutex;
  std::deque<Responder> waiting;
  const auto server = serve([&](const HttpRequest&, Responder responder) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
  });
  TestSocket client(server->port());
  client.send(get("/"));
  std::jthread other([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::lock_guard lock(mutex);
      if (waiting.empty()) continue;
      waiting.front().send(HttpResponse::json(200, "{}"));
      waiting.pop_front();
      return;
    }
  });
  EXPECT_EQ(body_of(client.answer()), "{}");
}

TEST(HttpServer, AResponderDroppedWithoutAnAnswerMeans500) {
  const auto server = serve([](const HttpRequest&, Responder) {});
  TestSocket client(server->port());
  client.send(get("/"));
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 500 "));
}

TEST(HttpServer, AHandlerThatThrowsCostsItsRequestOnly) {
  const auto server = serve([](const HttpRequest& request, Responder responder) {
    if (request.path == "/throw") throw std::runtime_error("thrown by the test");
    echo(request, std::move(responder));
  });
  TestSocket client(server->port());
  client.send(get("/throw") + get("/next"));
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(body_of(client.answer()), "GET /next ");
}

TEST(HttpServer, HundredsOfWaitingConnectionsHoldUpNobody) {
  const auto server = serve([](const HttpRequest& request, Responder responder) {
    HttpResponse response = HttpResponse::json(200, "{}");
    if (request.path == "/hang") response.delivery = Delivery::hang;
    responder.send(std::move(response));
  });
  std::deque<TestSocket> waiting;
  for (int i = 0; i < 400; ++i) {
    waiting.emplace_back(server->port());
    ASSERT_TRUE(waiting.back().send(get("/hang")));
  }
  TestSocket quick(server->port());
  quick.send(get("/"));
  EXPECT_EQ(body_of(quick.answer()), "{}");
}

TEST(HttpServer, ADelayedAnswerHoldsUpNobodyElse) {
  const auto server = serve([](const HttpRequest& request, Responder responder) {
    HttpResponse response = HttpResponse::json(200, "{}");
    if (request.path == "/slow") response.delay = 3600s;
    responder.send(std::move(response));
  });
  TestSocket slow(server->port());
  slow.send(get("/slow"));
  TestSocket quick(server->port());
  quick.send(get("/"));
  EXPECT_EQ(body_of(quick.answer()), "{}");
}

TEST(HttpServer, HeadAnswersWithTheLengthAndNoBody) {
  const auto server =
      serve([](const HttpRequest&, Responder r) { r.send(HttpResponse::json(200, "12345")); });
  TestSocket client(server->port());
  client.send("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = client.until_end();
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpServer, Http10ClosesUnlessAskedToStay) {
  const auto server = serve(echo);
  TestSocket client(server->port());
  client.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_NE(client.until_end().find("Connection: close"), std::string::npos);
  EXPECT_EQ(client.end_reason(), 0);
  TestSocket staying(server->port());
  staying.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(body_of(staying.answer()), "GET /a ");
  staying.send(get("/b"));
  EXPECT_EQ(body_of(staying.answer()), "GET /b ");
}

TEST(HttpServer, BrokenDeliveriesBreakTheWayTheySay) {
  const auto server = serve([](const HttpRequest& request, Responder responder) {
    HttpResponse response = HttpResponse::json(200, "0123456789");
    if (request.path == "/reset") response.delivery = Delivery::reset;
    if (request.path == "/hang") response.delivery = Delivery::hang;
    if (request.path == "/truncate") {
      response.delivery = Delivery::truncate;
      response.truncate_after = 4;
    }
    responder.send(std::move(response));
  });
  TestSocket reset(server->port());
  reset.send(get("/reset"));
  EXPECT_EQ(reset.until_end(), "");
  EXPECT_EQ(reset.end_reason(), ECONNRESET);

  TestSocket truncate(server->port());
  truncate.send(get("/truncate"));
  const std::string part = truncate.until_end();
  EXPECT_NE(part.find("Content-Length: 10\r\n"), std::string::npos);
  EXPECT_EQ(body_of(part), "0123");
  EXPECT_EQ(truncate.end_reason(), 0);

  TestSocket hang(server->port(), 1);
  hang.send(get("/hang"));
  EXPECT_EQ(hang.until_end(), "");
  EXPECT_EQ(hang.end_reason(), EAGAIN);
}

TEST(HttpServer, AClientThatLeavesAHungRequestIsForgotten) {
  const auto server = serve([](const HttpRequest&, Responder responder) {
    HttpResponse response;
    response.delivery = Delivery::hang;
    responder.send(std::move(response));
  });
  {
    TestSocket client(server->port());
    client.send(get("/"));
    while (server->counts().requests == 0) std::this_thread::sleep_for(1ms);
  }
  while (server->counts().open > 0) std::this_thread::sleep_for(1ms);
}

TEST(HttpServer, OversizeAndMalformedRequestsAreRefusedAndTheConnectionEnds) {
  HttpLimits limits;
  limits.max_target_bytes = 100;
  limits.max_header_bytes = 1000;
  limits.max_body_bytes = 50;
  const auto server = serve(echo, limits);
  const std::vector<std::pair<std::string, std::string>> cases{
      {get("/" + std::string(100, 'a')), "414"},
      {"GET / HTTP/1.1\r\nA: " + std::string(2000, 'a') + "\r\n\r\n", "431"},
      {"GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a'), "431"},
      {"POST / HTTP/1.1\r\nContent-Length: 51\r\n\r\n", "413"},
      {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {"GET / HTTP/3.9\r\n\r\n", "505"},
      {"GET /%zz HTTP/1.1\r\n\r\n", "400"},
      {"\r\n\r\nnonsense\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nbad header\r\n\r\n", "400"},
  };
  for (const auto& [sent, status] : cases) {
    TestSocket client(server->port());
    client.send(sent);
    const std::string answer = client.until_end();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 " + status) << sent.substr(0, 60);
  }
  EXPECT_EQ(server->counts().requests, 0U);
}

TEST(HttpServer, ConnectionsOverTheLimitAreTurnedAway) {
  HttpLimits limits;
  limits.max_connections = 2;
  const auto server = serve(echo, limits);
  TestSocket first(server->port()), second(server->port());
  first.send(get("/1"));
  second.send(get("/2"));
  EXPECT_EQ(body_of(first.answer()), "GET /1 ");
  EXPECT_EQ(body_of(second.answer()), "GET /2 ");
  TestSocket third(server->port());
  EXPECT_TRUE(third.until_end().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(server->counts().refused, 1U);
}

TEST(HttpServer, ClientsThatNeverFinishARequestAreCut) {
  HttpLimits limits;
  limits.header_time = 300ms;
  const auto server = serve(echo, limits);
  TestSocket client(server->port());
  client.send("GET / HTTP/1.1\r\nA:");
  std::jthread dripping([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && client.send("a")) std::this_thread::sleep_for(20ms);
  });
  client.until_end();
  EXPECT_NE(client.end_reason(), EAGAIN) << "the server has to end it, not the test";
}

TEST(HttpServer, ClientsThatNeverReadAreCut) {
  HttpLimits limits;
  limits.write_time = 100ms;
  const auto body = std::make_shared<const std::string>(64 << 20, 'x');
  HttpLimits quick = limits;
  const auto server = serve(
      [&](const HttpRequest& request, Responder responder) {
        HttpResponse response;
        if (request.path == "/endless") {
          const auto stream = responder.stream(HttpResponse{});
          while (stream->write(std::string(1 << 20, 'x'))) {
          }
          return;
        }
        response.shared_body = body;
        responder.send(std::move(response));
      },
      quick);
  TestSocket client(server->port());
  client.send(get("/endless"));
  while (server->counts().requests == 0) std::this_thread::sleep_for(1ms);
  TestSocket other(server->port());
  other.send(get("/"));
  EXPECT_EQ(body_of(other.answer()).size(), body->size()) << "one that does read gets all of it";
}

TEST(HttpServer, StreamsArriveInPiecesAndInOrder) {
  std::shared_ptr<BodyStream> stream;
  std::atomic<bool> ready = false;
  const auto server = serve([&](const HttpRequest&, Responder responder) {
    stream = responder.stream(HttpResponse::text(200, "text/event-stream", {}));
    ready = true;
  });
  TestSocket client(server->port());
  client.send(get("/events"));
  while (!ready) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(stream->write("data: 1\n\n"));
  EXPECT_NE(client.until("data: 1\n\n").find("text/event-stream"), std::string::npos);
  ASSERT_TRUE(stream->write("data: 2\n\n"));
  client.until("data: 2\n\n");
  stream->finish();
  EXPECT_TRUE(client.until_end().ends_with("0\r\n\r\n"));
  EXPECT_FALSE(stream->write("data: 3\n\n"));
}

TEST(HttpServer, AStreamEndsWhenItsClientLeaves) {
  std::shared_ptr<BodyStream> stream;
  std::atomic<bool> ready = false;
  const auto server = serve([&](const HttpRequest&, Responder responder) {
    stream = responder.stream(HttpResponse{});
    ready = true;
  });
  {
    TestSocket client(server->port());
    client.send(get("/"));
    while (!ready) std::this_thread::sleep_for(1ms);
  }
  while (stream->is_open()) std::this_thread::sleep_for(1ms);
}

TEST(HttpServer, RandomBytesNeverStopIt) {
  const auto server = serve(echo, {}, 2);
  const std::string model =
      "POST /path?symbol=BTCUSDT HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
      "Transfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::string bytes = model;
    for (auto n = random.below(8); n > 0; --n) {
      const auto at = random.below(bytes.size());
      if (random.chance(0.3)) {
        bytes.erase(at, random.below(20));
      } else if (random.chance(0.5)) {
        bytes.insert(at, random.below(5), static_cast<char>(random.below(256)));
      } else {
        bytes[at] = static_cast<char>(random.below(256));
      }
      if (bytes.empty()) bytes = "\n";
    }
    TestSocket client(server->port());
    ASSERT_TRUE(client.connected());
    client.send(bytes);
    client.half_close();
    client.until_end();
    ASSERT_NE(client.end_reason(), EAGAIN) << "seed " << seed;
  }
  TestSocket client(server->port());
  client.send(get("/alive"));
  EXPECT_EQ(body_of(client.answer()), "GET /alive ");
}

TEST(HttpServer, ATakenPortIsAnErrorThatNamesIt) {
  const auto server = serve(echo);
  HttpServerOptions options;
  options.port = server->port();
  const auto second = HttpServer::start(options, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unreachable);
  EXPECT_NE(second.error().what.find(std::to_string(server->port())), std::string::npos);
  options.address = "localhost";
  EXPECT_EQ(HttpServer::start(options, echo).error().code, ErrorCode::usage);
}

TEST(HttpServer, StoppingEndsOpenConnectionsAndIsRepeatable) {
  const auto server = serve(
      [](const HttpRequest&, Responder responder) {
        HttpResponse response;
        response.delay = 3600s;
        responder.send(std::move(response));
      },
      {}, 2);
  TestSocket waiting(server->port()), idle(server->port());
  waiting.send(get("/"));
  while (server->counts().requests == 0) std::this_thread::sleep_for(1ms);
  server->stop();
  server->stop();
  EXPECT_EQ(waiting.until_end(), "");
  EXPECT_NE(waiting.end_reason(), EAGAIN);
}

}  // namespace
}  // namespace chandler::net
