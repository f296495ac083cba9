#include "net/http_message.hpp"

#include <gtest/gtest.h>

namespace chandler::net {
namespace {

TEST(HttpMessage, PathAndQueryAreDecoded) {
  HttpRequest request;
  ASSERT_TRUE(request.set_target("/a%20b?symbols=%5B%22BTCUSDT%22%5D&x=1+2&flag&x=3&"));
  EXPECT_EQ(request.path, "/a b");
  EXPECT_EQ(request.param("symbols"), "[\"BTCUSDT\"]");
  EXPECT_EQ(request.param("x"), "1 2") << "the first of two";
  EXPECT_EQ(request.param("flag"), "");
  EXPECT_FALSE(request.param("absent"));
  EXPECT_EQ(request.query.size(), 4U);
}

TEST(HttpMessage, AbsoluteTargetsLoseTheirHost) {
  HttpRequest request;
  ASSERT_TRUE(request.set_target("http://example.org/p?q=1"));
  EXPECT_EQ(request.path, "/p");
}

TEST(HttpMessage, MalformedTargetsAreRefused) {
  for (const char* target : {"", "a", "*", "/%", "/%4", "/%zz", "/a%00b", "/?a=%", "/?%0=1"}) {
    HttpRequest request;
    EXPECT_FALSE(request.set_target(target)) << target;
  }
}

TEST(HttpMessage, HeaderNamesHaveNoCase) {
  HttpRequest request;
  request.add_header("X-Thing", "one");
  request.add_header("x-thing", "two");
  EXPECT_EQ(request.header("X-THING"), "one");
  EXPECT_EQ(request.header("x-other"), "");
  request.clear();
  EXPECT_EQ(request.header("x-thing"), "");
}

TEST(HttpMessage, AHeaderValueCannotSmuggleALineIn) {
  HttpResponse response;
  response.add_header("Location", "/a\r\nSet-Cookie: x=1");
  EXPECT_EQ(response.headers, "Location: /aSet-Cookie: x=1\r\n");
}

}  // namespace
}  // namespace chandler::net
