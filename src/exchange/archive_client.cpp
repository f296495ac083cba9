#include "exchange/archive_client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.hpp"
#include "exchange/http_error.hpp"
#include "exchange/retry_after.hpp"

namespace chandler::exchange {
namespace {

using std::chrono::nanoseconds;

constexpr Service kService{"the archive", "--archive-url"};
constexpr std::size_t kMaxChecksumBytes = 4096;

}  // namespace

ArchiveClient::ArchiveClient(ArchiveOptions options, http::Transport& transport, Clock& clock, Random random)
    : options_(std::move(options)),
      transport_(transport),
      clock_(clock),
      backoff_(options_.retry, random),
      gate_(clock) {
  while (options_.base_url.ends_with('/')) options_.base_url.pop_back();
}

Result<std::optional<ArchiveFile>> ArchiveClient::fetch_month(std::string_view symbol,
                                                              candles::Interval interval, year_month month,
                                                              const Call& call) {
  return fetch(ArchivePiece::month(symbol, interval, month), call);
}

Result<std::optional<ArchiveFile>> ArchiveClient::fetch_day(std::string_view symbol,
                                                            candles::Interval interval, Day day,
                                                            const Call& call) {
  return fetch(ArchivePiece::day(symbol, interval, day), call);
}

// A mismatch may be the line's or a cache's fault: everything is downloaded afresh a few times.
Result<std::optional<ArchiveFile>> ArchiveClient::fetch(const ArchivePiece& piece, const Call& call) {
  if (piece.interval != candles::Interval::m1 && piece.interval != candles::Interval::d1)
    return fail(ErrorCode::usage,
                fmt::format("archives of {} candles are not read", candles::name(piece.interval)));
  const std::string url = options_.base_url + piece.path();
  RetryPolicy policy = options_.retry;
  policy.attempts = options_.tries_of_a_mismatch;
  bool first = true;
  auto file = try_again<std::optional<ArchiveFile>>(policy, backoff_, clock_, call, [&] {
    if (!std::exchange(first, false)) ++retries_;
    return fetch_once(piece, url, call);
  });
  if (!file && file.error().code == ErrorCode::invalid_data) ++unusable_;
  return file;
}

Tried<std::optional<ArchiveFile>> ArchiveClient::fetch_once(const ArchivePiece& piece, const std::string& url,
                                                            const Call& call) {
  const auto give_up = [](Error error) {
    return Tried<std::optional<ArchiveFile>>{std::unexpected(std::move(error))};
  };
  auto zip = download(url, kMaxZipBytes, call);
  if (!zip) return give_up(std::move(zip).error());
  if (!*zip) {
    ++absent_;
    return {std::optional<ArchiveFile>{}};
  }
  auto checksum = download(url + ".CHECKSUM", kMaxChecksumBytes, call);
  if (!checksum) return give_up(std::move(checksum).error());

  const auto mismatch = [&](Error error) {
    ++mismatches_;
    error.where = error.where.empty() ? url : fmt::format("{} ({})", url, error.where);
    error.remedy = "with --source auto the REST API is asked instead";
    return Tried<std::optional<ArchiveFile>>{std::unexpected(std::move(error)), true};
  };
  ArchiveFile file;
  file.url = url;
  file.sha256 = sha256_hex(**zip);
  file.checksum_published = checksum->has_value();
  if (file.checksum_published) {
    const auto expected = parse_checksum(**checksum, piece.stem() + ".zip");
    if (!expected) return mismatch(expected.error());
    if (*expected != file.sha256) {
      constexpr std::size_t kShown = 12;  // digits: enough to see that they differ
      return mismatch({ErrorCode::invalid_data,
                       fmt::format("the file's SHA-256 is {}…, but its CHECKSUM says {}…",
                                   file.sha256.substr(0, kShown), expected->substr(0, kShown)),
                       {},
                       {}});
    }
  }
  auto content = read_archive(piece, **zip);
  if (!content) return mismatch(std::move(content).error());
  file.rows = std::move(content->rows);
  file.rejects = std::move(content->rejects);
  ++files_;
  return {std::optional(std::move(file))};
}

// The body; nullopt for a 404.
Result<std::optional<std::string>> ArchiveClient::download(const std::string& url, std::size_t max_bytes,
                                                           const Call& call) {
  bool first = true;
  auto body = try_again<std::optional<std::string>>(options_.retry, backoff_, clock_, call, [&] {
    if (!std::exchange(first, false)) ++retries_;
    return attempt(url, max_bytes, call);
  });
  if (!body) body.error().where = url;
  return body;
}

Tried<std::optional<std::string>> ArchiveClient::attempt(const std::string& url, std::size_t max_bytes,
                                                         const Call& call) {
  using Answer = Tried<std::optional<std::string>>;
  while (true) {
    if (auto open = gate_.wait(call); !open) return Answer{std::unexpected(std::move(open).error())};
    http::Request request;
    request.url = url;
    request.timeout = std::min<nanoseconds>(options_.retry.request_timeout, call.deadline - clock_.steady());
    request.max_bytes = max_bytes;
    request.accept_encoding = false;  // the bytes are what is checked
    request.stop = call.stop;
    request.may_send = [this] {
      const bool may = gate_.is_open();
      if (may) ++requests_;
      return may;
    };
    request.on_head = [this](const http::Head& head) {
      if (const auto wait = wait_told_by(head, options_.retry, clock_.now())) {
        gate_.shut_until(clock_.steady() + *wait);
        ++told_to_wait_;
      }
    };
    auto reply = transport_.send(request);
    if (!reply && reply.error().kind == http::Failure::Kind::held_back) continue;
    if (!reply)
      return Answer{std::unexpected(error_of(reply.error(), kService)), may_pass(reply.error().kind)};
    bytes_ += static_cast<std::int64_t>(reply->body.size());
    if (reply->status == 200) return Answer{std::optional(std::move(reply->body))};
    if (reply->status == 404) return Answer{std::optional<std::string>{}};
    return Answer{std::unexpected(error_of_status(reply->status, kService)), reply->status != 451};
  }
}

ArchiveCounters ArchiveClient::counters() const {
  return {requests_.load(), retries_.load(),    told_to_wait_.load(), files_.load(),
          absent_.load(),   mismatches_.load(), unusable_.load(),     bytes_.load()};
}

}  // namespace chandler::exchange
