#include <gtest/gtest.h>

#include <thread>

#include "net/http_server.hpp"
#include "net/test_socket.hpp"

namespace chandler::net {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<HttpServer> serve(HttpHandler handler) {
  return std::move(*HttpServer::start({}, std::move(handler)));
}

std::string numbered(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + '\n';
  text.resize(bytes);
  return text;
}

// The first does not fit one turn, nor a socket's buffer.
TEST(MemoryFile, ArrivesWholeAndInOrderAmongOtherAnswers) {
  const std::vector<std::string> bodies{numbered(5 << 20), "short", numbered(150'000), numbered(1)};
  std::vector<std::shared_ptr<const MemoryFile>> files;
  for (const std::string& body : bodies) files.push_back(MemoryFile::make(body));
  const auto server = serve([&](const HttpRequest& request, Responder responder) {
    HttpResponse response;
    if (request.path == "/text") {
      response.body = "text";
    } else {
      response.file = files[std::stoul(request.path.substr(1))];
    }
    responder.send(std::move(response));
  });
  std::string all;
  for (const char* target : {"/0", "/1", "/text", "/2", "/3", "/0", "/2"}) all += get(target);
  TestSocket client(server->port());
  ASSERT_TRUE(client.send(all));
  for (const std::string& wanted :
       {bodies[0], bodies[1], std::string("text"), bodies[2], bodies[3], bodies[0], bodies[2]})
    ASSERT_TRUE(body_of(client.answer()) == wanted) << wanted.size();
}

TEST(MemoryFile, MayBeAskedForByHeadAndCutShort) {
  const auto file = MemoryFile::make("0123456789");
  const auto server = serve([&](const HttpRequest& request, Responder responder) {
    HttpResponse response;
    response.file = file;
    if (request.path == "/cut") {
      response.delivery = Delivery::truncate;
      response.truncate_after = 4;
    }
    responder.send(std::move(response));
  });
  TestSocket head(server->port());
  head.send("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = head.until_end();
  EXPECT_NE(answer.find("Content-Length: 10\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  TestSocket cut(server->port());
  cut.send(get("/cut"));
  EXPECT_EQ(body_of(cut.until_end()), "0123");
}

TEST(MemoryFile, AClientThatLeavesInTheMiddleCostsNobodyAnything) {
  const auto file = MemoryFile::make(numbered(8 << 20));
  const auto server = serve([&](const HttpRequest&, Responder responder) {
    HttpResponse response;
    response.file = file;
    responder.send(std::move(response));
  });
  for (int i = 0; i < 50; ++i) {
    TestSocket leaving(server->port());
    leaving.send(get("/"));
    leaving.until("1000\n");
  }
  while (server->counts().open > 0) std::this_thread::sleep_for(1ms);
  TestSocket staying(server->port());
  staying.send(get("/"));
  EXPECT_EQ(body_of(staying.answer()), file->bytes());
}

TEST(MemoryFile, HoldsItsBytesAndSoManyAtMost) {
  EXPECT_EQ(MemoryFile::make(""), nullptr);
  std::vector<std::shared_ptr<const MemoryFile>> files;
  for (std::size_t i = 0; i < MemoryFile::kMost; ++i) {
    files.push_back(MemoryFile::make(std::to_string(i)));
    ASSERT_NE(files.back(), nullptr) << i;
    EXPECT_EQ(files.back()->bytes(), std::to_string(i));
  }
  EXPECT_EQ(MemoryFile::make("one more"), nullptr);
  files.pop_back();
  EXPECT_NE(MemoryFile::make("in its place"), nullptr);
}

}  // namespace
}  // namespace chandler::net
