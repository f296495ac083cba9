#include "http/curl_transport.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <mutex>

namespace chandler::http {
namespace {

constexpr std::size_t kMaxHeaders = 200;
constexpr std::int64_t kLongestMillis = 86'400'000;
// How often a running request asks for the time that is left, where there is somebody to ask.
constexpr int kAskMillis = 100;
constexpr const char* kUserAgent = "chandler/" CHANDLER_VERSION;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// A transfer at a time with the connection it keeps alive. The multi handle owns the connection, and unlike
// curl_easy_perform it can be woken from another thread.
struct Lane {
  std::unique_ptr<CURLM, MultiDeleter> multi{curl_multi_init()};
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
};

enum class Ending { by_itself, cancelled, out_of_time };

struct Transfer {
  const Request& request;
  Reply reply;
  bool held_back = false;
  bool asked = false;  // the request has left
  bool too_large = false;
  bool too_many_headers = false;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

int status_of(std::string_view status_line) {
  const auto space = status_line.find(' ');
  int status = 0;
  if (space != std::string_view::npos)
    std::from_chars(status_line.data() + space + 1, status_line.data() + status_line.size(), status);
  return status;
}

// Growing step by step would copy a page several times. A length that is not meant seriously costs no memory:
// what is reserved and never written is never there.
void reserve_body(Transfer& transfer) {
  const std::string_view text = transfer.reply.header("content-length");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  transfer.reply.body.reserve(std::min(length, transfer.request.max_bytes));
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size);
  Reply& reply = transfer.reply;
  if (line.starts_with("HTTP/")) {  // of the final reply, or of a 1xx before it
    reply.headers.clear();
    reply.status = status_of(line);
  } else if (trim(line).empty()) {
    reserve_body(transfer);
    if (reply.status >= 200 && transfer.request.on_head) transfer.request.on_head(reply);
  } else if (reply.headers.size() >= kMaxHeaders) {
    transfer.too_many_headers = true;
    return 0;
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    reply.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.reply.body.size() + size > transfer.request.max_bytes) {
    transfer.too_large = true;
    return 0;
  }
  transfer.reply.body.append(data, size);
  return size;
}

int before_request(void* user, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.asked = !transfer.request.may_send || transfer.request.may_send();
  transfer.held_back = !transfer.asked;
  return transfer.asked ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

Failure failure_of(CURLcode code, const Transfer& transfer, const char* detail) {
  using Kind = Failure::Kind;
  if (transfer.held_back) return {Kind::held_back, "held back"};
  if (transfer.too_large) {
    return {Kind::too_large, fmt::format("the answer is larger than {} bytes", transfer.request.max_bytes)};
  }
  if (transfer.too_many_headers) return {Kind::broken, "the answer has too many headers"};
  const auto with_detail = [&](std::string_view clause) {
    return *detail == '\0' ? std::string(clause) : fmt::format("{} ({})", clause, detail);
  };
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return transfer.asked ? Failure{Kind::timeout, with_detail("no answer in time")}
                          : Failure{Kind::unreachable, with_detail("no connection in time")};
  }
  // Once a connection stood, whatever happens to it may go well the next time.
  if (transfer.asked) return {Kind::broken, with_detail("the connection broke")};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Kind::unreachable, with_detail("the name of the host is not known")};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Kind::unreachable, with_detail("the name of the proxy is not known")};
    case CURLE_COULDNT_CONNECT:
      return {Kind::unreachable, with_detail("no connection could be made")};
    case CURLE_PROXY:
      return {Kind::unreachable, with_detail("the proxy refuses")};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
      return {Kind::refused, with_detail("the server's certificate cannot be verified")};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Kind::refused, with_detail("this is not a usable http or https address")};
    default:
      return {Kind::broken, with_detail("the connection broke")};
  }
}

HeaderList headers_of(const Request& request) {
  HeaderList list;
  for (const std::string& line : request.headers) {
    if (curl_slist* longer = curl_slist_append(list.get(), line.c_str())) {
      static_cast<void>(list.release());
      list.reset(longer);
    }
  }
  return list;
}

std::string ca_file_from_environment() {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  }
  return {};
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(const CurlOptions& options) : options_(options) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    if (options_.ca_file.empty()) options_.ca_file = ca_file_from_environment();
  }

  std::expected<Reply, Failure> send(const Request& request) override {
    if (request.stop.stop_requested()) return cancelled();
    Lane lane = borrow();
    if (!lane.multi || !lane.easy) return std::unexpected(Failure{Failure::Kind::refused, "out of memory"});
    auto reply = run(lane, request);
    give_back(std::move(lane));
    return reply;
  }

 private:
  static std::unexpected<Failure> cancelled() {
    return std::unexpected(Failure{Failure::Kind::cancelled, "cancelled"});
  }

  Lane borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Lane lane = std::move(idle_.back());
        idle_.pop_back();
        return lane;
      }
    }
    return Lane{};
  }

  void give_back(Lane lane) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
  }

  void configure(CURL* easy, Transfer& transfer, curl_slist* headers, char* error_text) const {
    const Request& request = transfer.request;
    curl_easy_reset(easy);  // options only; the connection stays
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what is signed is what is asked for
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, kUserAgent);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (request.accept_encoding) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    set_times(easy, request);
    set_method(easy, request);
    if (request.signature) sign(easy, *request.signature);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  }

  void set_times(CURL* easy, const Request& request) const {
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(request.timeout).count();
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(std::clamp<std::int64_t>(timeout, 1, kLongestMillis)));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    if (request.stall.count() == 0) return;
    const auto stall = std::chrono::ceil<std::chrono::seconds>(request.stall).count();
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall));
  }

  static void set_method(CURL* easy, const Request& request) {
    if (request.method == "GET") return;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method != "PUT" && request.method != "POST") return;
    // No round trip before a large body. (A header "Expect:" would switch the question off, but libcurl 7.88
    // signs it without sending it.)
    curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }

  static void sign(CURL* easy, const Signature& signature) {
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4,
                     fmt::format("aws:amz:{}:{}", signature.region, signature.service).c_str());
    curl_easy_setopt(easy, CURLOPT_USERNAME, signature.access_key.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, signature.secret_key.c_str());
  }

  // Runs until the transfer ends, is cancelled or has used up its time.
  static Ending drive(CURLM* multi, const Request& request) {
    const std::stop_callback wake(request.stop, [&] { curl_multi_wakeup(multi); });
    const int at_most = request.time_left ? kAskMillis : 1000;
    int running = 1;
    while (true) {
      if (curl_multi_perform(multi, &running) != CURLM_OK || running == 0) return Ending::by_itself;
      if (request.stop.stop_requested()) return Ending::cancelled;
      if (request.time_left && request.time_left().count() <= 0) return Ending::out_of_time;
      curl_multi_poll(multi, nullptr, 0, at_most, nullptr);
    }
  }

  static CURLcode result_of(CURLM* multi) {
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    return code;
  }

  std::expected<Reply, Failure> run(Lane& lane, const Request& request) const {
    Transfer transfer{.request = request, .reply = {}};
    char error_text[CURL_ERROR_SIZE] = "";
    const HeaderList headers = headers_of(request);
    configure(lane.easy.get(), transfer, headers.get(), error_text);
    curl_multi_add_handle(lane.multi.get(), lane.easy.get());
    const Ending ending = drive(lane.multi.get(), request);
    CURLcode code = result_of(lane.multi.get());
    curl_multi_remove_handle(lane.multi.get(), lane.easy.get());
    curl_easy_reset(lane.easy.get());  // forgets what lies on this stack
    if (ending == Ending::cancelled) return cancelled();
    if (ending == Ending::out_of_time) code = CURLE_OPERATION_TIMEDOUT;
    if (code != CURLE_OK) return std::unexpected(failure_of(code, transfer, error_text));
    return std::move(transfer.reply);
  }

  CurlOptions options_;
  std::mutex mutex_;
  std::vector<Lane> idle_;
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(const CurlOptions& options) {
  return std::make_unique<CurlTransport>(options);
}

}  // namespace chandler::http
