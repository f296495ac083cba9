// Where an object store is and who asks, from the environment and the profile files, as the AWS tools find
// it.
//
//   endpoint     AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, endpoint_url of the profile, else Amazon's
//   region       AWS_REGION, AWS_DEFAULT_REGION, region of the profile, else us-east-1
//   credentials  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, else those of the profile
//   ca_bundle    AWS_CA_BUNDLE, ca_bundle of the profile
//   profile      AWS_PROFILE, else "default", in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and
//                AWS_CONFIG_FILE (~/.aws/config)
//
// https://docs.aws.amazon.com/sdkref/latest/guide/ (settings reference).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace chandler::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty for keys that do not run out
};

struct Settings {
  std::string endpoint;  // "https://host[:port]", without a slash at its end
  bool amazon = true;    // no endpoint was named: buckets are host names below Amazon's
  std::string region;
  Credentials credentials;
  std::string ca_bundle;  // PEM; empty: whatever the transport trusts

  // Of an object, or of the bucket itself where the key is empty.
  std::string url_of(std::string_view bucket, std::string_view key) const;
};

// What the settings are read from; a test hands in its own.
struct Surroundings {
  std::function<std::optional<std::string>(const char* name)> variable;  // none if unset or empty
  std::function<std::optional<std::string>(const std::string& path)> file;
};
Surroundings real_surroundings();

// `usage` if there are no credentials, half of them, a named profile that is nowhere, or an endpoint that is
// no address.
Result<Settings> read_settings(const Surroundings& surroundings);

// Sections of an AWS profile file: "[default]", "[profile name]" or "[name]", by their names without
// "profile".
using Profiles = std::map<std::string, std::map<std::string, std::string>>;
Profiles parse_profiles(std::string_view text);

struct Address {
  std::string bucket;
  std::string prefix;  // without slashes at its ends; empty for the whole bucket
};
// Of "s3://bucket[/prefix]"; `usage` where that is not a bucket's name.
Result<Address> parse_address(std::string_view uri);

}  // namespace chandler::s3
