// A lake in an object store. What makes it cheap: a listing tells the sizes, so nothing is asked of single
// files; a file is read in one request, its footer alone in one request too; many requests run at once. What
// makes it safe: a PUT replaces an object whole or not at all.
#include "lake/s3_storage.hpp"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/io/memory.h>
#include <arrow/result.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <random>
#include <semaphore>

#include "base/parallel.hpp"
#include "http/curl_transport.hpp"
#include "lake/positioned_file.hpp"
#include "lake/s3_lock.hpp"

namespace chandler::lake {
namespace {

constexpr std::string_view kLockNames[] = {".chandler.lock", ".chandler-speed.lock"};
constexpr std::string_view kSpeedFolder = "speed_1m/";
// What Parquet's reader asks for to find a footer; ours, the days of a month among it, are a third of that.
constexpr std::int64_t kFooterBytes = 16 << 10;
// Requests under way at once: waiting costs no processor, so more than there are cores.
constexpr std::size_t kRequestsPerCore = 8;
constexpr std::size_t kMostRequests = 32;

// Part of an object's key, between slashes, that begins with a dot.
bool is_hidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

// An object of which the end has been read. Should more be needed, all of it is, if it is still the same.
class TailFile final : public PositionedFile {
 public:
  TailFile(std::shared_ptr<s3::Client> client, std::string key, s3::Object object)
      : client_(std::move(client)), key_(std::move(key)), object_(std::move(object)) {}

  arrow::Result<std::int64_t> GetSize() override { return object_.size; }

  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t count, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, bytes_at(position, count));
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(out));
    return static_cast<std::int64_t>(bytes.size());
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, bytes_at(position, count));
    return arrow::Buffer::FromString(std::string(bytes));
  }

 private:
  arrow::Result<std::string_view> bytes_at(std::int64_t position, std::int64_t count) {
    if (position < 0 || count < 0 || position > object_.size)
      return arrow::Status::IOError("a position outside of the file");
    if (position < tail_begin()) {
      auto whole = client_->get(key_, {}, object_.etag);
      if (!whole) return arrow::Status::IOError(whole.error().what);
      object_.bytes = std::move(whole->bytes);
    }
    const std::string_view held = object_.bytes;
    return held.substr(static_cast<std::size_t>(position - tail_begin()), static_cast<std::size_t>(count));
  }
  std::int64_t tail_begin() const { return object_.size - static_cast<std::int64_t>(object_.bytes.size()); }

  std::shared_ptr<s3::Client> client_;
  std::string key_;
  s3::Object object_;
};

// Held while a request is under way: threads that each start threads must not become hundreds of connections.
// The lock's own requests do without, so that a renewal never waits for its turn.
using Turns = std::counting_semaphore<kMostRequests>;
class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(turns) { turns_.acquire(); }
  ~Turn() { turns_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

// Seconds from the environment, for slow networks and for tests.
Result<std::chrono::milliseconds> seconds_from(const char* name, std::chrono::milliseconds usual) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return usual;
  const std::string_view all = text;
  double seconds = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), seconds);
  if (error != std::errc{} || end != all.data() + all.size() || !(seconds >= 1 && seconds <= 3600)) {
    return fail(ErrorCode::usage, fmt::format("{} is '{}', which is no number of seconds", name, text), {},
                "give a number from 1 to 3600");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

class S3Storage final : public Storage {
 public:
  S3Storage(std::string uri, std::string root, std::shared_ptr<s3::Client> client, Clock& clock,
            std::chrono::milliseconds lease, std::stop_token stop)
      : uri_(std::move(uri)),
        root_(std::move(root)),
        client_(std::move(client)),
        clock_(clock),
        lease_(lease),
        stop_(std::move(stop)) {}

  const std::string& uri() const override { return uri_; }
  std::size_t concurrency() const override {
    return std::min(kMostRequests, core_count() * kRequestsPerCore);
  }

  Result<std::vector<StoredFile>> list(std::string_view folder) const override {
    const Turn turn(requests_);
    CHANDLER_ASSIGN(const auto listing, client_->list(folder_key(folder)));
    std::vector<StoredFile> files;
    files.reserve(listing.objects.size());
    for (const s3::ListedObject& object : listing.objects) {
      // A key that ends in a slash is how some tools mark a folder.
      if (object.key.size() <= root_.size() || object.key.ends_with('/')) continue;
      std::string path = object.key.substr(root_.size());
      if (is_hidden(path)) continue;
      files.push_back({std::move(path), object.bytes, XXH3_64bits(object.etag.data(), object.etag.size())});
    }
    std::ranges::sort(files, {}, &StoredFile::path);
    return files;
  }

  Result<std::vector<std::string>> folders(std::string_view folder) const override {
    const std::string prefix = folder_key(folder);
    const Turn turn(requests_);
    CHANDLER_ASSIGN(const auto listing, client_->list(prefix, "/"));
    std::vector<std::string> names;
    for (const std::string& found : listing.prefixes) {
      if (found.size() <= prefix.size() + 1) continue;
      std::string name = found.substr(prefix.size(), found.size() - prefix.size() - 1);
      if (!name.starts_with('.')) names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const Turn turn(requests_);
    CHANDLER_ASSIGN(auto object, client_->get(key_of(path)));
    return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::move(object.bytes)));
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_footer(std::string_view path) const override {
    const Turn turn(requests_);
    CHANDLER_ASSIGN(auto object, client_->get(key_of(path), kFooterBytes));
    return std::make_shared<TailFile>(client_, key_of(path), std::move(object));
  }

  Status replace(std::span<const PendingFile> files) override {
    return parallel_for(files.size(), concurrency(), [&](std::size_t i) -> Status {
      const PendingFile& file = files[i];
      const std::string key = key_of(file.path);
      const Turn turn(requests_);
      const auto until = leases_->until(group_of(file.path));
      if (clock_.steady() >= until) return std::unexpected(lease_lost(uri_));
      const std::string_view bytes(reinterpret_cast<const char*>(file.bytes->data()),
                                   static_cast<std::size_t>(file.bytes->size()));
      const auto put = client_->put(key, bytes, {}, until);
      if (put) return {};
      const bool lost = clock_.steady() >= leases_->until(group_of(file.path));
      return std::unexpected(lost ? lease_lost(uri_) : put.error());
    });
  }

  Status remove(std::string_view path) override {
    if (clock_.steady() >= leases_->until(group_of(path))) return std::unexpected(lease_lost(uri_));
    return client_->remove(key_of(path));
  }

  Result<std::unique_ptr<WriterLock>> lock_for_writing(std::string_view purpose, TableGroup group,
                                                       std::chrono::milliseconds patience) override {
    LockTerms terms;
    terms.key = key_of(kLockNames[static_cast<std::size_t>(group)]);
    terms.group = group;
    terms.lease = lease_;
    terms.patience = patience;
    terms.purpose = purpose;
    CHANDLER_ASSIGN(auto lock,
                    take_s3_lock(client_, clock_, leases_, terms, !conditions_tried_.load(), stop_));
    conditions_tried_.store(true);
    return lock;
  }

  // An object is there whole or not at all.
  Status remove_unfinished(TableGroup) override { return {}; }

 private:
  static TableGroup group_of(std::string_view path) {
    return path.starts_with(kSpeedFolder) ? TableGroup::speed : TableGroup::batch;
  }
  std::string key_of(std::string_view path) const { return root_ + std::string(path); }
  std::string folder_key(std::string_view folder) const {
    return folder.empty() ? root_ : root_ + std::string(folder) + '/';
  }

  std::string uri_;
  std::string root_;  // "prefix/" or nothing
  std::shared_ptr<s3::Client> client_;
  Clock& clock_;
  std::chrono::milliseconds lease_;
  std::stop_token stop_;
  std::shared_ptr<Leases> leases_ = std::make_shared<Leases>();
  std::atomic<bool> conditions_tried_{false};
  mutable Turns requests_{kMostRequests};
};

}  // namespace

std::shared_ptr<Storage> make_s3_storage(std::string uri, std::string_view prefix,
                                         std::shared_ptr<s3::Client> client, Clock& clock,
                                         std::chrono::milliseconds lease, std::stop_token stop) {
  std::string root = prefix.empty() ? std::string() : std::string(prefix) + '/';
  return std::make_shared<S3Storage>(std::move(uri), std::move(root), std::move(client), clock, lease,
                                     std::move(stop));
}

Result<std::shared_ptr<Storage>> open_s3_storage(std::string_view uri, std::stop_token stop) {
  static SystemClock clock;
  CHANDLER_ASSIGN(const s3::Address address, s3::parse_address(uri));
  CHANDLER_ASSIGN(auto settings, s3::read_settings(s3::real_surroundings()));
  s3::RetryPolicy policy;
  CHANDLER_ASSIGN(policy.deadline, seconds_from("CHANDLER_S3_TIMEOUT", std::chrono::seconds{60}));
  CHANDLER_ASSIGN(const auto lease, seconds_from("CHANDLER_S3_LEASE", std::chrono::seconds{30}));
  auto client = std::make_shared<s3::Client>(settings, address.bucket,
                                             http::make_curl_transport({.ca_file = settings.ca_bundle}),
                                             clock, Random(std::random_device{}()), policy, stop);
  return make_s3_storage(std::string(uri), address.prefix, std::move(client), clock, lease, std::move(stop));
}

}  // namespace chandler::lake
