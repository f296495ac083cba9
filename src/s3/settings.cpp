#include "s3/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/percent_code.hpp"

namespace chandler::s3 {
namespace {

constexpr std::string_view kCredentialsRemedy =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of ~/.aws/credentials";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Keys of the profile; what the credentials file says comes before the configuration's.
std::map<std::string, std::string> profile_of(const Surroundings& s, const std::string& name, bool& found) {
  const std::string home = s.variable("HOME").value_or("");
  const std::string files[] = {s.variable("AWS_SHARED_CREDENTIALS_FILE").value_or(home + "/.aws/credentials"),
                               s.variable("AWS_CONFIG_FILE").value_or(home + "/.aws/config")};
  std::map<std::string, std::string> keys;
  found = false;
  for (const std::string& path : files) {
    const auto text = s.file(path);
    if (!text) continue;
    Profiles profiles = parse_profiles(*text);
    const auto it = profiles.find(name);
    if (it == profiles.end()) continue;
    found = true;
    keys.merge(it->second);
  }
  return keys;
}

Result<Credentials> credentials_of(const Surroundings& s, const std::map<std::string, std::string>& profile,
                                   bool profile_named) {
  const auto of_profile = [&](const char* key) {
    const auto it = profile.find(key);
    return it == profile.end() ? std::string() : it->second;
  };
  Credentials c;
  // A profile that is asked for by name is not mixed with keys from elsewhere.
  const auto access = s.variable("AWS_ACCESS_KEY_ID"), secret = s.variable("AWS_SECRET_ACCESS_KEY");
  if (access || secret) {
    c = {access.value_or(""), secret.value_or(""), s.variable("AWS_SESSION_TOKEN").value_or("")};
  } else {
    c = {of_profile("aws_access_key_id"), of_profile("aws_secret_access_key"),
         of_profile("aws_session_token")};
  }
  if (c.access_key.empty() && c.secret_key.empty()) {
    return fail(ErrorCode::usage,
                profile_named ? "the profile has no keys for the object store"
                              : "there are no credentials for the object store",
                {}, std::string(kCredentialsRemedy));
  }
  if (c.access_key.empty() || c.secret_key.empty()) {
    return fail(ErrorCode::usage, "the credentials for the object store are not whole", {},
                std::string(kCredentialsRemedy));
  }
  for (const std::string* part : {&c.access_key, &c.secret_key, &c.session_token}) {
    if (std::ranges::any_of(*part, [](char ch) { return ch <= ' ' || ch == 127; })) {
      return fail(ErrorCode::usage, "the credentials for the object store have blanks or line breaks in them",
                  {}, std::string(kCredentialsRemedy));
    }
  }
  return c;
}

Status check_endpoint(std::string& endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  std::string_view host = endpoint;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!host.starts_with(scheme)) continue;
    host.remove_prefix(scheme.size());
    if (!host.empty() && host.find_first_of("/?#@ ") == std::string_view::npos) return {};
  }
  return fail(ErrorCode::usage,
              fmt::format("the object store's endpoint '{}' is not an http or https address", endpoint), {},
              "set AWS_ENDPOINT_URL to something like https://host:9000");
}

bool is_region(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::string Settings::url_of(std::string_view bucket, std::string_view key) const {
  const std::string path = percent_encode(key, "/");
  // Certificates of Amazon's host names do not cover a bucket with dots; other servers want the bucket in
  // the path.
  if (amazon && bucket.find('.') == std::string_view::npos)
    return fmt::format("https://{}.s3.{}.{}/{}", bucket, region, endpoint, path);
  if (amazon) return fmt::format("https://s3.{}.{}/{}/{}", region, endpoint, bucket, path);
  return fmt::format("{}/{}/{}", endpoint, bucket, path);
}

Surroundings real_surroundings() {
  Surroundings real;
  real.variable = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
  };
  real.file = [](const std::string& path) -> std::optional<std::string> {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  return real;
}

Result<Settings> read_settings(const Surroundings& s) {
  const auto named = s.variable("AWS_PROFILE");
  bool found = false;
  const auto profile = profile_of(s, named.value_or("default"), found);
  if (named && !found) {
    return fail(ErrorCode::usage, fmt::format("there is no profile '{}'", *named), {},
                "AWS_PROFILE names a section of ~/.aws/credentials or ~/.aws/config");
  }
  const auto first = [&](std::initializer_list<const char*> variables,
                         const char* key) -> std::optional<std::string> {
    for (const char* name : variables) {
      if (auto value = s.variable(name)) return value;
    }
    const auto it = profile.find(key);
    return it == profile.end() || it->second.empty() ? std::nullopt : std::optional(it->second);
  };
  Settings settings;
  settings.region = first({"AWS_REGION", "AWS_DEFAULT_REGION"}, "region").value_or("us-east-1");
  if (!is_region(settings.region)) {
    return fail(ErrorCode::usage, fmt::format("'{}' is not a region", settings.region), {},
                "set AWS_REGION to something like eu-central-1");
  }
  if (auto endpoint = first({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, "endpoint_url")) {
    settings.amazon = false;
    settings.endpoint = std::move(*endpoint);
    CHANDLER_TRY(check_endpoint(settings.endpoint));
  } else {
    settings.endpoint = settings.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  }
  settings.ca_bundle = first({"AWS_CA_BUNDLE"}, "ca_bundle").value_or("");
  CHANDLER_ASSIGN(settings.credentials, credentials_of(s, profile, named.has_value()));
  return settings;
}

Profiles parse_profiles(std::string_view text) {
  Profiles profiles;
  std::map<std::string, std::string>* section = nullptr;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view line = trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      std::string_view name =
          trim(line.substr(1, line.find(']') == std::string_view::npos ? line.size() : line.find(']') - 1));
      if (name.starts_with("profile ")) name = trim(name.substr(8));
      section = &profiles[std::string(name)];
      continue;
    }
    // Lines that are set in belong to a nested section ("s3 =").
    if (section == nullptr || raw[0] == ' ' || raw[0] == '\t') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    section->insert_or_assign(std::string(trim(line.substr(0, equals))),
                              std::string(trim(line.substr(equals + 1))));
  }
  return profiles;
}

// Bucket names: 3 to 63 letters (lower case), digits, dots, hyphens (S3 user guide, "Bucket naming rules").
Result<Address> parse_address(std::string_view uri) {
  std::string_view rest = uri;
  rest.remove_prefix(std::min(rest.size(), std::string_view("s3://").size()));
  Address address;
  address.bucket = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), address.bucket.size()));
  while (rest.starts_with('/')) rest.remove_prefix(1);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  address.prefix = rest;
  const bool sound = address.bucket.size() >= 3 && address.bucket.size() <= 63 &&
                     std::ranges::all_of(address.bucket, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
                     });
  if (!sound || address.bucket.front() == '-' || address.bucket.front() == '.') {
    return fail(ErrorCode::usage, fmt::format("'{}' does not name a bucket", uri), {},
                "pass --lake s3://bucket or s3://bucket/prefix");
  }
  if (("/" + address.prefix + "/").find("/../") != std::string::npos ||
      ("/" + address.prefix + "/").find("/./") != std::string::npos ||
      address.prefix.find("//") != std::string::npos) {
    return fail(ErrorCode::usage, fmt::format("the prefix of '{}' has empty, '.' or '..' parts", uri), {},
                "pass --lake s3://bucket/prefix");
  }
  return address;
}

}  // namespace chandler::s3
