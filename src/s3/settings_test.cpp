#include "s3/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chandler::s3 {
namespace {

using ::testing::HasSubstr;

struct Machine {
  std::map<std::string, std::string> variables, files;
  Result<Settings> read() const {
    return read_settings({[this](const char* name) -> std::optional<std::string> {
                            const auto it = variables.find(name);
                            return it == variables.end() ? std::nullopt : std::optional(it->second);
                          },
                          [this](const std::string& path) -> std::optional<std::string> {
                            const auto it = files.find(path);
                            return it == files.end() ? std::nullopt : std::optional(it->second);
                          }});
  }
};

constexpr const char* kCredentials = R"(
# a comment
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key=default/secret=
[work]
aws_access_key_id     = AKIAWORK
aws_secret_access_key = worksecret
aws_session_token     = token
)";
constexpr const char* kConfig = R"([default]
region = eu-central-1
s3 =
  region = not-this-one
[profile work]
region = ap-south-1
endpoint_url = https://store.example:9000/
)";

TEST(S3Settings, TheEnvironmentAloneIsEnough) {
  const auto s = Machine{
      {{"AWS_ACCESS_KEY_ID", "a"},
       {"AWS_SECRET_ACCESS_KEY", "b"},
       {"AWS_SESSION_TOKEN", "c"},
       {"AWS_REGION", "eu-west-3"},
       {"AWS_ENDPOINT_URL", "http://127.0.0.1:9000"}},
      {}}.read();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->credentials.access_key, "a");
  EXPECT_EQ(s->credentials.secret_key, "b");
  EXPECT_EQ(s->credentials.session_token, "c");
  EXPECT_EQ(s->url_of("lakes", "p/symbol=A/x.parquet"), "http://127.0.0.1:9000/lakes/p/symbol%3DA/x.parquet");
}

TEST(S3Settings, TheDefaultProfileGivesWhatTheEnvironmentDoesNot) {
  const Machine machine{{{"HOME", "/h"}},
                        {{"/h/.aws/credentials", kCredentials}, {"/h/.aws/config", kConfig}}};
  const auto s = machine.read();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->credentials.access_key, "AKIADEFAULT");
  EXPECT_EQ(s->credentials.secret_key, "default/secret=");
  EXPECT_EQ(s->region, "eu-central-1");
  EXPECT_EQ(s->url_of("lakes", "k"), "https://lakes.s3.eu-central-1.amazonaws.com/k");
  EXPECT_EQ(s->url_of("dotted.name", "k"), "https://s3.eu-central-1.amazonaws.com/dotted.name/k");
}

TEST(S3Settings, ANamedProfileAndFilesElsewhere) {
  const Machine machine{
      {{"AWS_PROFILE", "work"}, {"AWS_SHARED_CREDENTIALS_FILE", "/c"}, {"AWS_CONFIG_FILE", "/f"}},
      {{"/c", kCredentials}, {"/f", kConfig}}};
  const auto s = machine.read();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->credentials.session_token, "token");
  EXPECT_EQ(s->region, "ap-south-1");
  EXPECT_EQ(s->endpoint, "https://store.example:9000");
}

TEST(S3Settings, TheMoreSpecialVariableWins) {
  const auto s = Machine{
      {{"AWS_ACCESS_KEY_ID", "a"},
       {"AWS_SECRET_ACCESS_KEY", "b"},
       {"AWS_ENDPOINT_URL", "http://one"},
       {"AWS_ENDPOINT_URL_S3", "http://two"},
       {"AWS_REGION", "r-1"},
       {"AWS_DEFAULT_REGION", "r-2"}},
      {}}.read();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->endpoint, "http://two");
  EXPECT_EQ(s->region, "r-1");
}

TEST(S3Settings, WhatCannotWorkIsRefusedWithWhatToSet) {
  const std::map<std::string, std::string> keys = {{"AWS_ACCESS_KEY_ID", "a"},
                                                   {"AWS_SECRET_ACCESS_KEY", "b"}};
  const auto with = [&](std::map<std::string, std::string> more) {
    more.insert(keys.begin(), keys.end());
    return Machine{more, {}}.read();
  };
  const auto none = Machine{}.read();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::usage);
  EXPECT_THAT(none.error().remedy, HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_FALSE((Machine{{{"AWS_ACCESS_KEY_ID", "a"}}, {}}.read()));
  EXPECT_FALSE(with({{"AWS_PROFILE", "nowhere"}}));
  EXPECT_FALSE(with({{"AWS_ENDPOINT_URL", "localhost:9000"}}));
  EXPECT_FALSE(with({{"AWS_ENDPOINT_URL", "http://user:pass@host"}}));
  EXPECT_FALSE(with({{"AWS_REGION", "eu west"}}));
  EXPECT_FALSE(with({{"AWS_SESSION_TOKEN", "line\r\nX-Other: header"}}));
}

TEST(S3Settings, TheBundleOfCertificatesIsTheVariablesOrTheProfiles) {
  const std::map<std::string, std::string> keys = {
      {"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}, {"HOME", "/home/u"}};
  const std::map<std::string, std::string> files = {
      {"/home/u/.aws/config", "[default]\nca_bundle = /etc/store.pem\n"}};
  EXPECT_EQ((Machine{keys, {}}.read()->ca_bundle), "");
  EXPECT_EQ((Machine{keys, files}.read()->ca_bundle), "/etc/store.pem");
  auto both = keys;
  both["AWS_CA_BUNDLE"] = "/tmp/mine.pem";
  EXPECT_EQ((Machine{both, files}.read()->ca_bundle), "/tmp/mine.pem");
}

TEST(S3Settings, AnAddressIsABucketAndAPrefix) {
  EXPECT_EQ(parse_address("s3://lakes")->prefix, "");
  EXPECT_EQ(parse_address("s3://lakes/a/b/")->bucket, "lakes");
  EXPECT_EQ(parse_address("s3://lakes/a/b/")->prefix, "a/b");
  for (const char* wrong : {"s3://", "s3:///a", "s3://UPPER/a", "s3://ab", "s3://a b c", "s3://lakes/a/../b",
                            "s3://lakes/a//b"}) {
    EXPECT_FALSE(parse_address(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace chandler::s3
