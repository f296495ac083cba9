// The small parts: compression, ETags, parameters, access, cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "web/access.hpp"
#include "web/compress.hpp"
#include "web/front.hpp"
#include "web/parameters.hpp"
#include "web/response_cache.hpp"

namespace chandler::web {
namespace {

using ::testing::HasSubstr;

net::HttpRequest request(std::string method, std::string_view target) {
  net::HttpRequest r;
  r.method = std::move(method);
  EXPECT_TRUE(r.set_target(target));
  return r;
}

TEST(Compress, RoundTripsAndIsSmaller) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "{\"open\":" + std::to_string(i % 97) + "},";
  const std::string packed = gzip(text, 1);
  EXPECT_LT(packed.size(), text.size() / 4);
  EXPECT_EQ(gunzip(packed), text);
  EXPECT_EQ(gzip(text, 1), packed);
  EXPECT_EQ(gunzip("no gzip at all"), "");
  EXPECT_EQ(gunzip(packed.substr(0, packed.size() / 2)), "");
}

TEST(Compress, AcceptEncodingFollowsTheStandard) {
  EXPECT_TRUE(accepts_gzip("gzip, deflate, br"));
  EXPECT_TRUE(accepts_gzip("br;q=1.0, GZIP;q=0.5"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0, deflate"));
  EXPECT_FALSE(accepts_gzip("gzip; q=0.000"));
}

TEST(Etag, MatchesListsAndWeakOnes) {
  EXPECT_TRUE(matches_etag("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(matches_etag("*", "\"x\""));
  EXPECT_FALSE(matches_etag("\"a\"", "\"b\""));
  EXPECT_FALSE(matches_etag("", "\"b\""));
}

TEST(Etag, DependsOnTheContentAndTheEncodingOnly) {
  Answer a;
  a.body.assign(5000, 'x');
  Answer b = a;
  EXPECT_EQ(encode(a, true).etag, encode(b, true).etag);
  EXPECT_NE(encode(a, true).etag, encode(a, false).etag);
  b.body += 'y';
  EXPECT_NE(encode(a, true).etag, encode(b, true).etag);
}

TEST(Parameters, AreCheckedAgainstTheirDeclaration) {
  const std::vector<Param> params{{"symbol", ParamType::symbol, "", true},
                                  {"limit", ParamType::integer, "", false, "5", {}, 1, 10},
                                  {"fill", ParamType::boolean, "", false, "false"},
                                  {"from", ParamType::instant, ""},
                                  {"order", ParamType::text, "", false, "up", {"up", "down"}}};
  const auto read = [&](std::string_view target) {
    return Arguments::read(params, request("GET", target).query);
  };
  const auto good = read("/x?symbol=BTCUSDT&from=2024-05-01");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->integer("limit"), 5);
  EXPECT_FALSE(good->flag("fill"));
  EXPECT_EQ(to_ms(*good->instant("from")), 1714521600000);
  for (const char* target :
       {"/x", "/x?symbol=", "/x?symbol=../etc", "/x?symbol=A&limit=0", "/x?symbol=A&limit=11",
        "/x?symbol=A&limit=1e3", "/x?symbol=A&fill=1", "/x?symbol=A&from=yesterday", "/x?symbol=A&from=-5",
        "/x?symbol=A&order=sideways", "/x?symbol=A&symbol=B", "/x?symbol=A&unknown=1"}) {
    const auto bad = read(target);
    ASSERT_FALSE(bad) << target;
    EXPECT_EQ(bad.error().code, ErrorCode::usage) << target;
  }
}

TEST(Access, OnlyReadsAreAnswered) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", ""}) {
    const auto refused = refusal({}, request(method, "/"));
    ASSERT_TRUE(refused) << method;
    EXPECT_EQ(refused->status, 405);
  }
  EXPECT_FALSE(refusal({}, request("GET", "/")));
  EXPECT_FALSE(refusal({}, request("HEAD", "/")));
}

TEST(Access, ATokenIsNeededInOneOfThreePlaces) {
  AccessRules rules;
  rules.token = "secret";
  auto r = request("GET", "/api/v1/status");
  EXPECT_EQ(refusal(rules, r)->status, 401);
  r.add_header("Authorization", "Bearer secret");
  EXPECT_FALSE(refusal(rules, r));

  auto wrong = request("GET", "/api/v1/status");
  wrong.add_header("Authorization", "Bearer secrets");
  EXPECT_EQ(refusal(rules, wrong)->status, 401);

  auto cookie = request("GET", "/");
  cookie.add_header("Cookie", "a=b; chandler_token=secret");
  EXPECT_FALSE(refusal(rules, cookie));

  const auto sent_on = refusal(rules, request("GET", "/chart?symbol=BTCUSDT&token=secret"));
  ASSERT_TRUE(sent_on);
  EXPECT_EQ(sent_on->status, 303);
  EXPECT_THAT(sent_on->headers, HasSubstr("Location: /chart?symbol=BTCUSDT\r\n"));
  EXPECT_THAT(sent_on->headers, HasSubstr("HttpOnly; SameSite=Strict"));
  // A browser must not be sent to another site by an address with two slashes.
  EXPECT_THAT(refusal(rules, request("GET", "//evil.example/?token=secret"))->headers,
              HasSubstr("Location: /evil.example/\r\n"));
  EXPECT_FALSE(refusal(rules, request("GET", "/healthz")));
}

TEST(Access, ANameThatPointsAtLoopbackIsRefused) {
  AccessRules rules;
  rules.host_names = {"candles.lan"};
  const auto status = [&](std::string_view host) {
    auto r = request("GET", "/");
    r.add_header("Host", host);
    const auto refused = refusal(rules, r);
    return refused ? refused->status : 200;
  };
  EXPECT_EQ(status("127.0.0.1:8080"), 200);
  EXPECT_EQ(status("localhost:8080"), 200);
  EXPECT_EQ(status("[::1]:8080"), 200);
  EXPECT_EQ(status("candles.lan:8080"), 200);
  EXPECT_EQ(status("evil.example"), 421);
  EXPECT_EQ(status("127.0.0.1.evil.example:8080"), 421);
}

TEST(Access, TokensAreLongAndDiffer) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(make_token());
  EXPECT_EQ(tokens.size(), 100U);
  EXPECT_EQ(tokens.begin()->size(), 43U);
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abcabc", "abc"));
  EXPECT_FALSE(same_secret("", ""));
}

CachedResponse cached(std::size_t bytes) {
  CachedResponse response;
  response.body = std::make_shared<const std::string>(bytes, 'x');
  response.headers = std::make_shared<const std::string>("H: 1\r\n");
  return response;
}

TEST(ResponseCache, KeepsWhatIsUsedWithinItsBytes) {
  ResponseCache cache(16 * 10'000);
  for (int i = 0; i < 1000; ++i) {
    cache.store("key" + std::to_string(i), cached(1000));
    cache.store("hot", cached(10));
    EXPECT_TRUE(cache.find("hot"));
    EXPECT_LE(cache.counts().bytes, 16U * 10'000U);
  }
  EXPECT_TRUE(cache.find("key999"));
  EXPECT_FALSE(cache.find("key0"));
  cache.store("huge", cached(9'000));
  EXPECT_FALSE(cache.find("huge")) << "one answer must not empty the cache";
  cache.erase("hot");
  EXPECT_FALSE(cache.find("hot"));
}

}  // namespace
}  // namespace chandler::web
