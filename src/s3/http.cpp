#include "s3/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <mutex>

namespace chandler::s3 {
namespace {

// More than any file of a lake has, less than an answer gone wrong could fill the memory with.
constexpr std::size_t kMostBytes = 2ULL << 30;
constexpr std::size_t kMostHeaders = 200;
constexpr long kConnectMillis = 5000;
// How often a running request asks for the time that is left.
constexpr int kPollMillis = 100;

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

// A request at a time with the connection it keeps alive.
struct Lane {
  std::unique_ptr<CURLM, MultiDeleter> multi{curl_multi_init()};
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
};

struct Transfer {
  HttpReply reply;
  bool connected = false;
  bool too_large = false;
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

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  HttpReply& reply = static_cast<Transfer*>(user)->reply;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {  // of the final reply, or of a 1xx before it
    reply.headers.clear();
    reply.status = 0;
    if (const auto space = line.find(' '); space != std::string_view::npos)
      std::from_chars(data + space + 1, data + size, reply.status);
  } else if (trim(line).empty()) {
    std::size_t length = 0;
    const auto text = reply.header("content-length");
    std::from_chars(text.data(), text.data() + text.size(), length);
    reply.body.reserve(std::min(length, kMostBytes));
  } else if (const auto colon = line.find(':');
             colon != std::string_view::npos && reply.headers.size() < kMostHeaders) {
    reply.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.reply.body.size() + size > kMostBytes) {
    transfer.too_large = true;
    return 0;
  }
  transfer.reply.body.append(data, size);
  return size;
}

int before_request(void* user, char*, char*, int, int) {
  static_cast<Transfer*>(user)->connected = true;
  return CURL_PREREQFUNC_OK;
}

HttpFailure failure_of(CURLcode code, const Transfer& transfer, const char* detail) {
  using Kind = HttpFailure::Kind;
  const auto with_detail = [&](std::string_view clause) {
    return *detail == '\0' ? std::string(clause) : fmt::format("{} ({})", clause, detail);
  };
  if (transfer.too_large) return {Kind::refused, "the answer is too large to be a file of a lake"};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Kind::unreachable, with_detail("the name of the host is not known")};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Kind::unreachable, with_detail("the name of the proxy is not known")};
    case CURLE_COULDNT_CONNECT:
      return {Kind::unreachable, with_detail("no connection could be made")};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {Kind::refused, with_detail("the server's certificate cannot be verified")};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Kind::refused, with_detail("this is not a usable http or https address")};
    case CURLE_OPERATION_TIMEDOUT:
      return {transfer.connected ? Kind::broken : Kind::unreachable, with_detail("no answer in time")};
    default:
      return {transfer.connected ? Kind::broken : Kind::unreachable, with_detail("the connection broke")};
  }
}

std::string ca_file_from_environment() {
  for (const char* name : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  }
  return {};
}

void add(HeaderList& list, const std::string& line) {
  if (curl_slist* longer = curl_slist_append(list.get(), line.c_str())) {
    static_cast<void>(list.release());
    list.reset(longer);
  }
}

HeaderList headers_of(const HttpRequest& request) {
  HeaderList list;
  for (const std::string& line : request.headers) add(list, line);
  // The body is signed with the rest: the store refuses one that was changed on the way.
  add(list, "x-amz-content-sha256: " + sha256_hex(request.body));
  if (!request.credentials.session_token.empty())
    add(list, "x-amz-security-token: " + request.credentials.session_token);
  if (!request.body.empty()) add(list, "Content-Type: application/octet-stream");
  return list;
}

class CurlTransport final : public Transport {
 public:
  CurlTransport() : ca_file_(ca_file_from_environment()) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  std::expected<HttpReply, HttpFailure> send(const HttpRequest& request) override {
    Lane lane = borrow();
    if (!lane.multi || !lane.easy)
      return std::unexpected(HttpFailure{HttpFailure::Kind::refused, "out of memory"});
    auto reply = run(lane, request);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
    return reply;
  }

 private:
  Lane borrow() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Lane{};
    Lane lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }

  void configure(CURL* easy, const HttpRequest& request, Transfer& transfer, curl_slist* headers,
                 char* error_text) const {
    curl_easy_reset(easy);  // options only; the connection stays
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "chandler/" CHANDLER_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    // No round trip before a large body. (A header "Expect:" would switch the question off, but libcurl 7.88
    // signs it without sending it.)
    curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was signed is what is asked for
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     std::min(kConnectMillis, static_cast<long>(request.stall.count())));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(std::max<std::int64_t>(
                         1, std::chrono::ceil<std::chrono::seconds>(request.stall).count())));
    if (!ca_file_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:s3", request.region).c_str());
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.credentials.access_key.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.credentials.secret_key.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    if (request.method == "PUT") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  }

  std::expected<HttpReply, HttpFailure> run(Lane& lane, const HttpRequest& request) const {
    Transfer transfer;
    char error_text[CURL_ERROR_SIZE] = "";
    const HeaderList headers = headers_of(request);
    configure(lane.easy.get(), request, transfer, headers.get(), error_text);
    curl_multi_add_handle(lane.multi.get(), lane.easy.get());
    int running = 1;
    bool in_time = true;
    while (running != 0 && in_time) {
      if (curl_multi_perform(lane.multi.get(), &running) != CURLM_OK) break;
      if (running != 0) curl_multi_poll(lane.multi.get(), nullptr, 0, kPollMillis, nullptr);
      in_time = running == 0 || !request.time_left || request.time_left().count() > 0;
    }
    CURLcode code = CURLE_OPERATION_TIMEDOUT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(lane.multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(lane.multi.get(), lane.easy.get());
    curl_easy_reset(lane.easy.get());  // forgets what lies on this stack
    if (!in_time) {
      return std::unexpected(HttpFailure{HttpFailure::Kind::out_of_time,
                                         transfer.connected ? "no answer in time" : "no connection in time"});
    }
    if (code != CURLE_OK) return std::unexpected(failure_of(code, transfer, error_text));
    return std::move(transfer.reply);
  }

  std::string ca_file_;
  std::mutex mutex_;
  std::vector<Lane> idle_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view HttpReply::header(std::string_view name) const {
  const auto found =
      std::ranges::find(headers, name, [](const auto& h) -> std::string_view { return h.first; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::unique_ptr<Transport> make_curl_transport() {
  return std::make_unique<CurlTransport>();
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return fmt::format("{:02x}", fmt::join(digest, digest + size, ""));
}

std::string base64_of_hex(std::string_view hex) {
  std::string raw;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    raw += static_cast<char>(hex_digit(hex[i]) * 16 + hex_digit(hex[i + 1]));
  std::string out(4 * ((raw.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(raw.data()), static_cast<int>(raw.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved || (keep_slashes && c == '/')) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace chandler::s3
