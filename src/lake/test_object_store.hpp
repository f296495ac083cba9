// An object store in memory, behind the client's transport: what S3 promises and nothing more.
#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <functional>
#include <map>
#include <mutex>

#include "base/percent_code.hpp"
#include "base/sha256.hpp"
#include "lake/s3_storage.hpp"

namespace chandler::lake::testing {

class ObjectStore {
 public:
  using Answer = std::expected<http::Reply, http::Failure>;
  struct Stored {
    std::string bytes;
    std::string etag;
    std::time_t written = 0;
  };

  // Holds requests back as long as it lives: a lock's lease is renewed by a thread of its own.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(mutex_); }
  // The objects as they are. Only while no request runs, or under pause().
  std::map<std::string, Stored> objects;
  std::vector<std::string> log;  // "GET p/a"
  // Asked before (done = false) and after (true) each request; an answer is given instead.
  std::function<std::optional<Answer>(const http::Request&, bool done)> instead;
  std::size_t page = 1000;
  bool knows_conditions = true;

  Answer answer(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string_view rest = std::string_view(request.url).substr(kRoot.size());
    const std::string key = percent_decode(rest.substr(0, rest.find('?')), true).value();
    const bool list = rest.find('?') != std::string_view::npos;
    log.push_back((list ? "LIST" : request.method) + ' ' + (list ? parameter(rest, "prefix") : key));
    if (instead) {
      if (auto other = instead(request, false)) return *other;
    }
    Answer done = list ? listing(rest) : serve(request, key);
    if (instead) {
      if (auto other = instead(request, true)) return *other;
    }
    return done;
  }

  std::shared_ptr<Storage> open(Clock& clock, std::chrono::milliseconds lease = std::chrono::seconds{30}) {
    s3::Settings settings;
    settings.endpoint = "http://store";
    settings.amazon = false;
    settings.region = "us-east-1";
    settings.credentials = {"key", "secret", ""};
    auto client =
        std::make_shared<s3::Client>(settings, "bucket", std::make_unique<Wire>(*this), clock, Random(1),
                                     s3::RetryPolicy{.base = std::chrono::milliseconds{1}});
    return make_s3_storage("s3://bucket/p", "p", std::move(client), clock, lease);
  }

 private:
  static constexpr std::string_view kRoot = "http://store/bucket/";

  class Wire final : public http::Transport {
   public:
    explicit Wire(ObjectStore& store) : store_(store) {}
    Answer send(const http::Request& request) override { return store_.answer(request); }

   private:
    ObjectStore& store_;
  };

  static std::string parameter(std::string_view query, const std::string& name) {
    const auto at = query.find(name + '=');
    if (at == std::string_view::npos) return {};
    const auto value = query.substr(at + name.size() + 1);
    return percent_decode(value.substr(0, value.find('&')), true).value();
  }
  static std::string header(const http::Request& request, const std::string& name) {
    for (const std::string& line : request.headers) {
      if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    }
    return {};
  }
  static std::string http_date(std::time_t t) {
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(t));
  }

  static http::Reply error(int status, const char* code) {
    http::Reply reply;
    reply.status = status;
    reply.body = fmt::format("<Error><Code>{}</Code></Error>", code);
    return reply;
  }

  http::Reply serve(const http::Request& request, const std::string& key) {
    const auto it = objects.find(key);
    const std::string match = header(request, "If-Match");
    if (knows_conditions) {
      if (!header(request, "If-None-Match").empty() && it != objects.end())
        return error(412, "PreconditionFailed");
      if (!match.empty() && it == objects.end()) return error(404, "NoSuchKey");
      if (!match.empty() && it->second.etag != match) return error(412, "PreconditionFailed");
    }
    http::Reply reply;
    if (request.method == "PUT") {
      const std::string sum = header(request, "x-amz-checksum-sha256");
      if (sum != sha256_base64(request.body)) return error(400, "BadDigest");
      const std::string etag = '"' + sha256_hex(request.body).substr(0, 32) + '"';
      objects[key] = {std::string(request.body), etag, std::time(nullptr)};
      reply.status = 200;
      reply.headers.emplace_back("etag", etag);
    } else if (request.method == "DELETE") {
      objects.erase(key);
      reply.status = 204;
    } else if (it == objects.end()) {
      return error(404, "NoSuchKey");
    } else {
      reply = content(request, it->second);
    }
    return reply;
  }

  static http::Reply content(const http::Request& request, const Stored& object) {
    http::Reply reply;
    reply.status = 200;
    reply.body = object.bytes;
    reply.headers = {{"etag", object.etag},
                     {"last-modified", http_date(object.written)},
                     {"date", http_date(std::time(nullptr))}};
    if (const std::string range = header(request, "Range"); !range.empty()) {
      if (object.bytes.empty()) return error(416, "InvalidRange");
      const auto last = std::min<std::size_t>(std::stoul(range.substr(7)), object.bytes.size());
      reply.status = 206;
      reply.body = object.bytes.substr(object.bytes.size() - last);
      reply.headers.emplace_back("content-range", fmt::format("bytes {}-{}/{}", object.bytes.size() - last,
                                                              object.bytes.size() - 1, object.bytes.size()));
    }
    return reply;
  }

  http::Reply listing(std::string_view query) {
    const std::string prefix = parameter(query, "prefix"), delimiter = parameter(query, "delimiter");
    const std::string after = parameter(query, "continuation-token");
    std::string xml = "<ListBucketResult>", last;
    std::size_t count = 0;
    bool more = false;
    for (auto it = objects.lower_bound(prefix); it != objects.end() && it->first.starts_with(prefix); ++it) {
      const auto end = delimiter.empty() ? std::string::npos : it->first.find(delimiter, prefix.size());
      const std::string name = end == std::string::npos ? it->first : it->first.substr(0, end + 1);
      if (name == last || (!after.empty() && name <= after)) continue;
      if (count++ == page) {
        more = true;
        break;
      }
      last = name;
      xml += end == std::string::npos
                 ? fmt::format("<Contents><Key>{}</Key><Size>{}</Size><ETag>{}</ETag></Contents>",
                               percent_encode(name, "/"), it->second.bytes.size(), it->second.etag)
                 : fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                               percent_encode(name, "/"));
    }
    if (more) xml += "<NextContinuationToken>" + last + "</NextContinuationToken>";
    http::Reply reply;
    reply.status = 200;
    reply.body = xml + fmt::format("<IsTruncated>{}</IsTruncated></ListBucketResult>", more);
    return reply;
  }

  std::mutex mutex_;
};

}  // namespace chandler::lake::testing
