#include "lake/s3_lock.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

namespace chandler::lake {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kFirstPoll{100};
constexpr milliseconds kSlowestPoll{1000};
// The store tells times in whole seconds.
constexpr std::chrono::seconds kClockStep{1};

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Start time of a process in ticks since boot (proc(5), stat, field 22); empty if there is none. Fields are
// counted from behind the name, which may hold blanks.
std::string start_of(const std::string& pid) {
  const std::string stat = file_text("/proc/" + pid + "/stat");
  std::size_t at = stat.rfind(')');
  if (at == std::string::npos) return {};
  for (int field = 2; field < 22; ++field) {
    at = stat.find(' ', at + 1);
    if (at == std::string::npos) return {};
  }
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

// Where process numbers mean the same: one boot of one machine, one container. Empty where that can't be
// told.
std::string process_space() {
  char space[256] = {};
  const std::string boot = file_text("/proc/sys/kernel/random/boot_id");
  if (boot.empty() || ::readlink("/proc/self/ns/pid", space, sizeof space - 1) <= 0) return {};
  return boot + ' ' + space;
}

std::string new_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

// What a lock object says.
struct Claim {
  std::string holder;  // for people
  std::string token;   // of one taking
  milliseconds lease{};
  std::string space, pid, start;

  std::string text(std::int64_t renewal) const {
    return nlohmann::ordered_json{{"holder", holder},  {"token", token}, {"lease_ms", lease.count()},
                                  {"space", space},    {"pid", pid},     {"start", start},
                                  {"renewal", renewal}}
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
  }
  // Only of what can be known: a process of this very machine.
  bool is_gone() const { return !space.empty() && space == process_space() && start_of(pid) != start; }
};

Claim claim_of(const LockTerms& terms, Timestamp now) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  Claim claim;
  claim.holder = fmt::format("process {} on {} (chandler {}, since {})", ::getpid(), host, terms.purpose,
                             format_instant(now));
  claim.token = new_token();
  claim.lease = terms.lease;
  claim.space = process_space();
  claim.pid = std::to_string(::getpid());
  claim.start = start_of(claim.pid);
  return claim;
}

// One that cannot be read is held by nobody known, for as long as ours would be.
Claim parse_claim(const std::string& text, milliseconds usual_lease) {
  Claim claim;
  claim.holder = "another process";
  claim.lease = usual_lease;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text).get(root)) return claim;
  const auto take = [&](const char* name, std::string& to) {
    std::string_view value;
    if (!root[name].get(value)) to = value;
  };
  take("holder", claim.holder);
  take("token", claim.token);
  take("space", claim.space);
  take("pid", claim.pid);
  take("start", claim.start);
  std::int64_t lease = 0;
  if (!root["lease_ms"].get(lease) && lease > 0 && lease <= 86'400'000) claim.lease = milliseconds{lease};
  return claim;
}

// How long a renewal counts for its holder: less than for the others.
nanoseconds own_share(milliseconds lease) {
  return nanoseconds(lease) * 4 / 5;
}

class S3Lock final : public WriterLock {
 public:
  S3Lock(std::shared_ptr<s3::Client> client, Clock& clock, std::shared_ptr<Leases> leases, LockTerms terms,
         Claim claim, std::string etag, nanoseconds taken)
      : client_(std::move(client)),
        clock_(clock),
        leases_(std::move(leases)),
        terms_(std::move(terms)),
        claim_(std::move(claim)),
        etag_(std::move(etag)) {
    until_ = taken + own_share(terms_.lease);
    leases_->set(terms_.group, until_);
    renewer_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
  }
  S3Lock(const S3Lock&) = delete;
  S3Lock& operator=(const S3Lock&) = delete;
  ~S3Lock() override {
    renewer_.request_stop();
    renewer_.join();
    // Once the lease is over it may be another's; and if this fails, it runs out by itself.
    if (clock_.steady() < until_) static_cast<void>(client_->remove(terms_.key, etag_));
    leases_->set(terms_.group, Leases::kNone);
  }

 private:
  void keep(const std::stop_token& stop) {
    nanoseconds wait = nanoseconds(terms_.lease) / 3;
    while (clock_.sleep(wait, stop)) {
      const nanoseconds begin = clock_.steady();
      if (begin >= until_) return;
      const auto renewed = client_->put(terms_.key, claim_.text(++renewal_), {.etag = etag_}, until_);
      if (renewed && *renewed) {
        etag_ = **renewed;
        extend(begin);
        wait = nanoseconds(terms_.lease) / 3;
      } else if (renewed && !still_ours(begin)) {
        until_ = nanoseconds{0};
        leases_->set(terms_.group, until_);
        return;
      } else {
        wait = nanoseconds(terms_.lease) / 20;  // until_ ends the attempts
      }
    }
  }

  // After a reply that was lost on its way the object is ours, with a tag that is not known yet.
  bool still_ours(nanoseconds begin) {
    const auto object = client_->get(terms_.key);
    if (!object) return object.error().code != ErrorCode::not_found;
    if (parse_claim(object->bytes, terms_.lease).token != claim_.token) return false;
    if (object->etag != etag_) extend(begin);
    etag_ = object->etag;
    return true;
  }

  void extend(nanoseconds begin) {
    until_ = begin + own_share(terms_.lease);
    leases_->set(terms_.group, until_);
  }

  std::shared_ptr<s3::Client> client_;
  Clock& clock_;
  std::shared_ptr<Leases> leases_;
  LockTerms terms_;
  Claim claim_;
  std::string etag_;  // the renewer's while it runs, like what follows
  std::int64_t renewal_ = 0;
  nanoseconds until_{0};
  std::jthread renewer_;
};

Error held_by(const Claim& claim, std::optional<std::chrono::seconds> age, std::string where) {
  using std::chrono::ceil, std::chrono::seconds;
  const seconds left =
      std::max(seconds{0}, ceil<seconds>(claim.lease) + kClockStep - age.value_or(seconds{0}));
  return {ErrorCode::locked, fmt::format("the lake is being written by {}", claim.holder), std::move(where),
          fmt::format("wait until it has finished, or stop it; reading is possible meanwhile. If it was "
                      "killed, its lock ends by itself after {} s",
                      left.count())};
}

// The store must refuse to create what is there: some accept the condition and overlook it.
Status check_conditions(s3::Client& client, const std::string& key, std::string_view text) {
  CHANDLER_ASSIGN(const auto again, client.put(key, text, {.absent = true}));
  if (!again) return {};
  return fail(ErrorCode::unreachable, "the object store ignores conditions on writes (If-None-Match)",
              client.settings().endpoint,
              "use a store that has them, or two writers would destroy each other's work: Amazon S3, MinIO, "
              "Ceph, Cloudflare R2");
}

}  // namespace

Error lease_lost(std::string where) {
  return {ErrorCode::locked, "the lock of the lake could not be renewed in time, so writing has stopped",
          std::move(where), "check the network, then run the command again; what was finished is kept"};
}

Result<std::unique_ptr<WriterLock>> take_s3_lock(const std::shared_ptr<s3::Client>& client, Clock& clock,
                                                 const std::shared_ptr<Leases>& leases,
                                                 const LockTerms& terms, bool try_conditions,
                                                 std::stop_token stop) {
  const Claim claim = claim_of(terms, clock.now());
  const std::string text = claim.text(0);
  Random random(std::random_device{}());
  const nanoseconds give_up = clock.steady() + terms.patience;
  const auto held = [&](std::string etag, nanoseconds taken) {
    return std::make_unique<S3Lock>(client, clock, leases, terms, claim, std::move(etag), taken);
  };
  for (milliseconds poll = kFirstPoll;; poll = std::min(kSlowestPoll, poll * 2)) {
    nanoseconds begin = clock.steady();
    CHANDLER_ASSIGN(const auto created, client->put(terms.key, text, {.absent = true}));
    if (created) {
      auto lock = held(*created, begin);
      if (try_conditions) CHANDLER_TRY(check_conditions(*client, terms.key, text));
      return lock;
    }
    const auto object = client->get(terms.key);
    if (!object && object.error().code != ErrorCode::not_found) return std::unexpected(object.error());
    Claim other;
    if (object) {
      other = parse_claim(object->bytes, terms.lease);
      if (other.token == claim.token) return held(object->etag, begin);  // our PUT's reply was lost
      if (other.is_gone() || (object->age && *object->age > other.lease + kClockStep)) {
        begin = clock.steady();
        CHANDLER_ASSIGN(const auto taken, client->put(terms.key, text, {.etag = object->etag}));
        if (taken) return held(*taken, begin);
      }
    }
    if (clock.steady() >= give_up && object) {
      return std::unexpected(held_by(other, object->age, fmt::format("{}", terms.key)));
    }
    const double share = 0.5 + random.uniform() / 2;
    if (!clock.sleep(
            nanoseconds(static_cast<std::int64_t>(static_cast<double>(nanoseconds(poll).count()) * share)),
            stop)) {
      return fail(ErrorCode::interrupted, "interrupted while waiting for the lake's lock");
    }
  }
}

}  // namespace chandler::lake
