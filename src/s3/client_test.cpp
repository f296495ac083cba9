#include "s3/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace chandler::s3 {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = http::Failure::Kind;
using Answer = std::expected<http::Reply, http::Failure>;

// Gives the answers of a list, the last one again and again; each takes some time.
struct Script {
  std::deque<Answer> answers;
  std::chrono::nanoseconds each{0};
  std::vector<http::Request> requests;
  std::vector<std::string> bodies;
};

class ScriptedStore final : public http::Transport {
 public:
  ScriptedStore(Script& script, ManualClock& clock) : script_(script), clock_(clock) {}
  Answer send(const http::Request& request) override {
    script_.requests.push_back(request);
    script_.bodies.emplace_back(request.body);
    const auto takes = std::min(script_.each, request.time_left());
    clock_.advance(takes);
    if (takes < script_.each) return std::unexpected(http::Failure{Kind::timeout, "no answer in time"});
    Answer answer = script_.answers.front();
    if (script_.answers.size() > 1) script_.answers.pop_front();
    return answer;
  }

 private:
  Script& script_;
  ManualClock& clock_;
};

Answer reply(int status, std::string body = {},
             std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::Reply r;
  r.status = status;
  r.body = std::move(body);
  r.headers = std::move(headers);
  return r;
}
Answer error(int status, const std::string& code) {
  return reply(status, "<Error><Code>" + code + "</Code><Message>m</Message></Error>");
}
Answer failure(Kind kind) {
  return std::unexpected(http::Failure{kind, "it broke"});
}

class S3ClientTest : public ::testing::Test {
 protected:
  Client client(std::deque<Answer> answers, RetryPolicy policy = {}, std::stop_token stop = {}) {
    script_.answers = std::move(answers);
    Settings settings;
    settings.endpoint = "http://store:9000";
    settings.amazon = false;
    settings.region = "us-east-1";
    settings.credentials = {"key", "secret", ""};
    return Client(settings, "lakes", std::make_unique<ScriptedStore>(script_, clock_), clock_, Random(7),
                  policy, stop);
  }
  ManualClock clock_{Timestamp{}};
  Script script_;
};

TEST_F(S3ClientTest, AFileIsReadInOneRequest) {
  auto c = client({reply(200, "bytes",
                         {{"etag", "\"t\""},
                          {"date", "Tue, 15 Nov 1994 08:12:31 GMT"},
                          {"last-modified", "Tue, 15 Nov 1994 08:12:01 GMT"}})});
  const auto object = c.get("p/symbol=A/part.parquet");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->bytes, "bytes");
  EXPECT_EQ(object->size, 5);
  EXPECT_EQ(object->age, 30s);
  ASSERT_EQ(script_.requests.size(), 1);
  EXPECT_EQ(script_.requests[0].url, "http://store:9000/lakes/p/symbol%3DA/part.parquet");
}

TEST_F(S3ClientTest, TheEndOfAFileComesWithItsSize) {
  auto c = client({reply(206, "end", {{"content-range", "bytes 97-99/100"}})});
  const auto object = c.get("k", 3);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, 100);
  EXPECT_THAT(script_.requests[0].headers, Contains("Range: bytes=-3"));
}

TEST_F(S3ClientTest, ErrorsThatMayPassAreTriedAgainAndOthersAreNot) {
  auto passing = client({error(503, "SlowDown"), error(500, "InternalError"), failure(Kind::broken),
                         failure(Kind::unreachable), error(400, "RequestTimeout"), reply(200, "x")});
  EXPECT_TRUE(passing.get("k"));
  EXPECT_EQ(script_.requests.size(), 6);
  script_.requests.clear();
  auto refused = client({error(403, "AccessDenied"), reply(200, "x")});
  const auto denied = refused.get("k");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::unreachable);
  EXPECT_THAT(denied.error().remedy, HasSubstr("s3:GetObject"));
  EXPECT_EQ(script_.requests.size(), 1);
}

TEST_F(S3ClientTest, PausesGrowAreJitteredAndEndWithTheDeadline) {
  auto c = client({error(503, "SlowDown")}, {.deadline = 20s, .attempts = 1000});
  const auto begin = clock_.steady();
  const auto result = c.get("k");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("times in a row"));
  EXPECT_LE(clock_.steady() - begin, 20s);
  EXPECT_GT(clock_.steady() - begin, 10s);
  EXPECT_GT(script_.requests.size(), 5);   // not one long wait
  EXPECT_LT(script_.requests.size(), 60);  // and no hammering
}

TEST_F(S3ClientTest, AStoreThatAnswersTooSlowlyEndsWithTheDeadline) {
  script_.each = 1h;
  auto c = client({reply(200)}, {.deadline = 20s});
  const auto begin = clock_.steady();
  const auto result = c.get("k");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unreachable);
  EXPECT_EQ(clock_.steady() - begin, 20s);
}

TEST_F(S3ClientTest, WithoutAConnectionItGivesUpSoon) {
  auto c = client({failure(Kind::unreachable)});
  const auto result = c.list("p/");
  ASSERT_FALSE(result);
  EXPECT_EQ(script_.requests.size(), 4);
  EXPECT_THAT(result.error().remedy, HasSubstr("AWS_ENDPOINT_URL"));
}

TEST_F(S3ClientTest, AfterAStopRequestsHaveAFewSecondsLeft) {
  std::stop_source source;
  script_.each = 100ms;
  auto c = client({error(503, "SlowDown")}, {.deadline = 1h, .attempts = 1'000'000}, source.get_token());
  source.request_stop();
  const auto begin = clock_.steady();
  EXPECT_FALSE(c.get("k"));
  EXPECT_LE(clock_.steady() - begin, 4s);
  // Later ones still get a chance: a lock is given back at the very end.
  clock_.advance(1min);
  script_.answers = {reply(204)};
  EXPECT_TRUE(c.remove("lock"));
}

TEST_F(S3ClientTest, ALongListingIsAskedForPageByPageAndNothingElseIs) {
  auto c = client({reply(200,
                         "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a "
                         "b</NextContinuationToken>"
                         "<Contents><Key>p/1</Key><Size>1</Size></Contents></ListBucketResult>"),
                   reply(200,
                         "<ListBucketResult><IsTruncated>false</IsTruncated>"
                         "<Contents><Key>p/2</Key><Size>2</Size></Contents></ListBucketResult>")});
  const auto listing = c.list("p/");
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->objects.size(), 2);
  EXPECT_EQ(listing->objects[1].bytes, 2);
  ASSERT_EQ(script_.requests.size(), 2);
  EXPECT_EQ(script_.requests[0].url, "http://store:9000/lakes/?encoding-type=url&list-type=2&prefix=p%2F");
  EXPECT_EQ(script_.requests[1].url,
            "http://store:9000/lakes/?continuation-token=a%20b&encoding-type=url&list-type=2&prefix=p%2F");
}

TEST_F(S3ClientTest, AListingThatIsCutShortIsAskedForAgain) {
  auto c = client(
      {reply(200, "<ListBucketResult><Contents><Key>p/1</Key>"),
       reply(200, "<ListBucketResult><Contents><Key>p/1</Key><Size>1</Size></Contents></ListBucketResult>")});
  const auto listing = c.list("p/");
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->objects.size(), 1);
}

TEST_F(S3ClientTest, AWriteCarriesItsChecksumAndItsCondition) {
  auto c = client({reply(200, "", {{"etag", "\"new\""}})});
  const auto put = c.put("k", "", {.absent = true});
  ASSERT_TRUE(put);
  EXPECT_EQ(*put, "\"new\"");
  EXPECT_THAT(script_.requests[0].headers, Contains("If-None-Match: *"));
  EXPECT_THAT(script_.requests[0].headers,
              Contains("x-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
}

TEST_F(S3ClientTest, AConditionThatDoesNotHoldIsNoError) {
  EXPECT_EQ(*client({error(412, "PreconditionFailed")}).put("k", "b", {.absent = true}), std::nullopt);
  EXPECT_EQ(*client({error(412, "PreconditionFailed")}).put("k", "b", {.etag = "\"t\""}), std::nullopt);
  EXPECT_EQ(*client({error(404, "NoSuchKey")}).put("k", "b", {.etag = "\"t\""}), std::nullopt);
  EXPECT_FALSE(client({error(404, "NoSuchBucket")}).put("k", "b", {.etag = "\"t\""}));
}

TEST_F(S3ClientTest, RemovingWhatIsNotThereIsNoErrorButWithoutABucketItIs) {
  EXPECT_TRUE(client({reply(204)}).remove("k"));
  EXPECT_TRUE(client({error(404, "NoSuchKey")}).remove("k"));
  EXPECT_FALSE(client({error(404, "NoSuchBucket")}).remove("k"));
}

TEST_F(S3ClientTest, EveryRefusalSaysWhatToDo) {
  struct Case {
    Answer answer;
    const char* what;
    const char* remedy;
  };
  const Case cases[] = {
      {error(404, "NoSuchBucket"), "no bucket 'lakes'", "create it"},
      {error(403, "InvalidAccessKeyId"), "credentials", "AWS_ACCESS_KEY_ID"},
      {error(403, "SignatureDoesNotMatch"), "credentials", "AWS_SECRET_ACCESS_KEY"},
      {error(400, "ExpiredToken"), "run out", "AWS_SESSION_TOKEN"},
      {error(403, "RequestTimeTooSkewed"), "clock", "set the clock"},
      {error(501, "NotImplemented"), "lacks a function", "conditional writes"},
      {reply(301, "", {{"x-amz-bucket-region", "eu-north-1"}}), "another region", "AWS_REGION=eu-north-1"},
      {reply(418, "I'm a teapot"), "HTTP 418", "AWS_ENDPOINT_URL"},
  };
  for (const Case& c : cases) {
    const auto result = client({c.answer}).get("k");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unreachable);
    EXPECT_THAT(result.error().what, HasSubstr(c.what));
    EXPECT_THAT(result.error().remedy, HasSubstr(c.remedy));
  }
  EXPECT_EQ(client({error(404, "NoSuchKey")}).get("k").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace chandler::s3
