#include "s3/client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/percent_code.hpp"
#include "base/sha256.hpp"

namespace chandler::s3 {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kPreconditionFailed = 412;
// More than any file of a lake has, less than an answer gone wrong could fill the memory with.
constexpr std::size_t kMostBytes = 2ULL << 30;
// What a request may take that is begun when the time is already up, e.g. to give a lock back.
constexpr std::chrono::nanoseconds kLastChance = std::chrono::seconds{1};

bool may_pass(int status, const ErrorReply& error) {
  return status == 500 || status == 502 || status == 503 || status == 504 || status == 429 || status == 408 ||
         error.code == "RequestTimeout" || error.code == "SlowDown" || error.code == "InternalError" ||
         error.code == "ConditionalRequestConflict" || error.code == "OperationAborted";
}

std::optional<std::int64_t> http_seconds(std::string_view date) {
  const std::time_t t = curl_getdate(std::string(date).c_str(), nullptr);
  return t < 0 ? std::nullopt : std::optional<std::int64_t>(t);
}

// The number behind the slash of "bytes 10-20/30".
std::int64_t whole_size(const http::Reply& reply) {
  std::int64_t size = static_cast<std::int64_t>(reply.body.size());
  const std::string_view range = reply.header("content-range");
  if (const auto slash = range.find('/'); reply.status == 206 && slash != std::string_view::npos)
    std::from_chars(range.data() + slash + 1, range.data() + range.size(), size);
  return size;
}

}  // namespace

struct Client::Ask {
  std::string method = "GET";
  std::string key;
  std::string query = {};
  std::vector<std::string> headers = {};
  std::string_view body = {};
  std::chrono::nanoseconds until = std::chrono::nanoseconds::max();
  bool (*fits)(const http::Reply&) = [](const http::Reply&) { return true; };
};

Client::Client(Settings settings, std::string bucket, std::unique_ptr<http::Transport> transport,
               Clock& clock, Random random, RetryPolicy policy, std::stop_token stop)
    : settings_(std::move(settings)),
      bucket_(std::move(bucket)),
      transport_(std::move(transport)),
      clock_(clock),
      policy_(policy),
      random_(random),
      stop_(std::move(stop)),
      stopped_at_(kNever),
      on_stop_(stop_, [this] { stopped_at_.store(clock_.steady().count()); }) {}

std::chrono::nanoseconds Client::time_left(std::chrono::nanoseconds until) const {
  const std::int64_t stopped = stopped_at_.load();
  if (stopped != kNever) until = std::min(until, std::chrono::nanoseconds(stopped) + policy_.grace);
  return until - clock_.steady();
}

// Full jitter: uniform in [0, min(cap, base·2ⁿ)) spreads clients that failed together.
std::chrono::nanoseconds Client::pause(int failures) {
  const auto ceiling =
      std::min<std::chrono::nanoseconds>(policy_.cap, policy_.base * (1LL << std::min(failures, 20)));
  const std::lock_guard lock(mutex_);
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(random_.uniform() * static_cast<double>(ceiling.count())));
}

std::string Client::where(std::string_view key) const {
  return fmt::format("s3://{}/{}", bucket_, key);
}

Error Client::error_of(const http::Failure& failure) const {
  const std::string host = settings_.amazon ? "Amazon S3 (" + settings_.region + ")" : settings_.endpoint;
  return {ErrorCode::unreachable, fmt::format("the object store cannot be reached: {}", failure.text), host,
          failure.kind == http::Failure::Kind::refused
              ? "check AWS_ENDPOINT_URL, and AWS_CA_BUNDLE where the store has a certificate of its own"
              : "check the network, AWS_ENDPOINT_URL and the proxy settings (https_proxy, no_proxy)"};
}

Error Client::error_of(const http::Reply& reply, std::string_view key) const {
  const ErrorReply error = parse_error(reply.body);
  const std::string said = error.code.empty() ? fmt::format("HTTP {}", reply.status)
                                              : fmt::format("HTTP {} {}", reply.status, error.code);
  const auto unreachable = [&](std::string what, std::string remedy) {
    return Error{ErrorCode::unreachable, std::move(what), where(key), std::move(remedy)};
  };
  const auto region = [&] {
    const auto header = reply.header("x-amz-bucket-region");
    return header.empty() ? error.region : std::string(header);
  }();
  if (error.code == "NoSuchBucket") {
    return unreachable(fmt::format("there is no bucket '{}'", bucket_),
                       "create it first (e.g. aws s3 mb), or check --lake and AWS_ENDPOINT_URL");
  }
  if (reply.status == 404) return {ErrorCode::not_found, "no such file in the lake", where(key), {}};
  if ((reply.status == 301 || reply.status == 307 || error.code == "AuthorizationHeaderMalformed") &&
      !region.empty() && region != settings_.region) {
    return unreachable(fmt::format("the bucket '{}' is in another region: {}", bucket_, region),
                       fmt::format("set AWS_REGION={}", region));
  }
  if (error.code == "InvalidAccessKeyId" || error.code == "SignatureDoesNotMatch" ||
      error.code == "InvalidToken") {
    return unreachable(
        fmt::format("the object store does not accept the credentials ({})", said),
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile");
  }
  if (error.code == "ExpiredToken" || error.code == "TokenRefreshRequired") {
    return unreachable(fmt::format("the credentials for the object store have run out ({})", said),
                       "fetch new ones, and set AWS_SESSION_TOKEN with the keys");
  }
  if (error.code == "RequestTimeTooSkewed") {
    return unreachable("the object store refuses requests because this machine's clock is wrong",
                       "set the clock (timedatectl)");
  }
  if (reply.status == 403 || reply.status == 401) {
    return unreachable(fmt::format("the object store does not permit this ({})", said),
                       "the credentials need s3:ListBucket on the bucket, and s3:GetObject, PutObject and "
                       "DeleteObject below "
                       "the prefix");
  }
  if (reply.status == 501 || error.code == "NotImplemented") {
    return unreachable(fmt::format("the object store lacks a function that a lake needs ({})", said),
                       "use one with conditional writes: Amazon S3, MinIO, Ceph, Cloudflare R2");
  }
  if (may_pass(reply.status, error)) {
    return unreachable(fmt::format("the object store is overloaded or broken ({})", said),
                       "run the command again later; what was finished is kept");
  }
  std::string message = error.message.empty() ? std::string() : ": " + error.message;
  return unreachable(fmt::format("the object store refuses a request ({}{})", said, message),
                     "check that AWS_ENDPOINT_URL is an S3 server");
}

http::Request Client::request_of(const Ask& ask) const {
  http::Request request;
  request.method = ask.method;
  request.url = settings_.url_of(bucket_, ask.key) + ask.query;
  request.headers = ask.headers;
  // The body is signed with the rest: the store refuses one that was changed on the way.
  request.headers.push_back("x-amz-content-sha256: " + sha256_hex(ask.body));
  if (!settings_.credentials.session_token.empty())
    request.headers.push_back("x-amz-security-token: " + settings_.credentials.session_token);
  if (!ask.body.empty()) request.headers.emplace_back("Content-Type: application/octet-stream");
  request.body = ask.body;
  request.signature = {settings_.credentials.access_key, settings_.credentials.secret_key, settings_.region,
                       "s3"};
  request.max_bytes = kMostBytes;
  request.accept_encoding = false;
  return request;
}

Result<http::Reply> Client::send(const Ask& ask) {
  const std::chrono::nanoseconds begin = clock_.steady();
  const std::chrono::nanoseconds until = std::min(begin + policy_.deadline, ask.until);
  http::Request request = request_of(ask);
  request.timeout = policy_.deadline + kLastChance;
  request.stall = std::chrono::duration_cast<std::chrono::milliseconds>(policy_.deadline / 6);
  request.time_left = [&] {
    return std::max(time_left(until), std::min(begin + kLastChance, ask.until) - clock_.steady());
  };
  for (int failures = 0, connects = 0;; ++failures) {
    auto reply = transport_->send(request);
    Error error;
    if (reply) {
      const bool failed = reply->status >= 300;
      if (!failed && ask.fits(*reply)) return std::move(*reply);
      if (failed && !may_pass(reply->status, parse_error(reply->body))) return std::move(*reply);
      error = failed ? error_of(*reply, ask.key)
                     : Error{ErrorCode::unreachable, "the object store's answer is not whole", where(ask.key),
                             "run the command again; what was finished is kept"};
    } else {
      using Kind = http::Failure::Kind;
      const Kind kind = reply.error().kind;
      error = error_of(reply.error());
      connects += kind == Kind::unreachable ? 1 : 0;
      if (kind == Kind::refused || kind == Kind::too_large || request.time_left().count() <= 0 ||
          connects >= policy_.connect_attempts) {
        return std::unexpected(std::move(error));
      }
    }
    const std::chrono::nanoseconds wait = pause(failures);
    if (failures + 1 >= policy_.attempts || wait >= time_left(until)) {
      error.what += fmt::format(", {} times in a row", failures + 1);
      return std::unexpected(std::move(error));
    }
    clock_.sleep(wait, {});
  }
}

Result<Listing> Client::list(const std::string& prefix, std::string_view delimiter) {
  Listing listing;
  std::string token;
  do {
    // Sorted by name, as the signature wants it.
    std::string query = "?";
    if (!token.empty()) query += "continuation-token=" + percent_encode(token) + '&';
    if (!delimiter.empty()) query += "delimiter=" + percent_encode(delimiter) + '&';
    query += "encoding-type=url&list-type=2&prefix=" + percent_encode(prefix);
    CHANDLER_ASSIGN(const http::Reply reply,
                    send({.key = "", .query = std::move(query), .fits = [](const http::Reply& r) {
                            return parse_list(r.body).has_value();
                          }}));
    if (reply.status >= 300) return std::unexpected(error_of(reply, prefix));
    CHANDLER_ASSIGN(ListPage page, parse_list(reply.body));
    std::ranges::move(page.objects, std::back_inserter(listing.objects));
    std::ranges::move(page.prefixes, std::back_inserter(listing.prefixes));
    token = std::move(page.next);
  } while (!token.empty());
  return listing;
}

Result<Object> Client::get(const std::string& key, std::optional<std::int64_t> last,
                           const std::string& etag) {
  Ask ask{.key = key};
  if (last) ask.headers.push_back(fmt::format("Range: bytes=-{}", *last));
  if (!etag.empty()) ask.headers.push_back("If-Match: " + etag);
  CHANDLER_ASSIGN(http::Reply reply, send(ask));
  if (last && reply.status == 416) return get(key, {}, etag);  // an empty object has no last byte
  if (reply.status == kPreconditionFailed) {
    return fail(ErrorCode::not_found, "the file was replaced while it was being read", where(key),
                "run the command again");
  }
  if (reply.status >= 300) return std::unexpected(error_of(reply, key));
  Object object;
  object.size = whole_size(reply);
  object.etag = reply.header("etag");
  const auto now = http_seconds(reply.header("date")), written = http_seconds(reply.header("last-modified"));
  if (now && written) object.age = std::chrono::seconds{std::max<std::int64_t>(0, *now - *written)};
  object.bytes = std::move(reply.body);
  return object;
}

Result<std::optional<std::string>> Client::put(const std::string& key, std::string_view bytes,
                                               const Condition& condition, std::chrono::nanoseconds until) {
  Ask ask{.method = "PUT", .key = key, .body = bytes, .until = until};
  ask.headers.push_back("x-amz-checksum-sha256: " + sha256_base64(bytes));
  if (condition.absent) ask.headers.emplace_back("If-None-Match: *");
  if (!condition.etag.empty()) ask.headers.push_back("If-Match: " + condition.etag);
  CHANDLER_ASSIGN(const http::Reply reply, send(ask));
  const bool conditional = condition.absent || !condition.etag.empty();
  const bool gone = !condition.etag.empty() && parse_error(reply.body).code == "NoSuchKey";
  if (conditional && (reply.status == kPreconditionFailed || gone)) return std::nullopt;
  if (reply.status >= 300) return std::unexpected(error_of(reply, key));
  return std::optional<std::string>(reply.header("etag"));
}

Status Client::remove(const std::string& key, const std::string& etag) {
  Ask ask{.method = "DELETE", .key = key};
  if (!etag.empty()) ask.headers.push_back("If-Match: " + etag);
  CHANDLER_ASSIGN(const http::Reply reply, send(ask));
  if (reply.status < 300 || (!etag.empty() && reply.status == kPreconditionFailed)) return {};
  Error error = error_of(reply, key);
  if (error.code == ErrorCode::not_found) return {};
  return std::unexpected(std::move(error));
}

}  // namespace chandler::s3
