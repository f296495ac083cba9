#include "web/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/percent_code.hpp"
#include "web/answer.hpp"

namespace chandler::web {
namespace {

constexpr std::string_view kCookie = "chandler_token=";

net::HttpResponse refuse(int status, std::string_view code, std::string_view message,
                         std::string_view remedy) {
  auto response = net::HttpResponse::json(status, error_answer(status, code, message, remedy).body);
  response.headers += common_headers();
  response.add_header("Cache-Control", "no-store");
  return response;
}

bool is_open_path(std::string_view path) {
  return path == "/healthz";  // says only that the process lives
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != kScheme[i]) return {};
  }
  return authorization.substr(kScheme.size());
}

std::string_view cookie_of(std::string_view cookies) {
  while (!cookies.empty()) {
    while (cookies.starts_with(' ')) cookies.remove_prefix(1);
    const std::size_t end = cookies.find(';');
    const std::string_view pair = cookies.substr(0, end);
    if (pair.starts_with(kCookie)) return pair.substr(kCookie.size());
    cookies = end == std::string_view::npos ? std::string_view{} : cookies.substr(end + 1);
  }
  return {};
}

// The target without its token parameter.
std::string without_token(const net::HttpRequest& request) {
  std::string target = request.target.substr(0, request.target.find('?'));
  // "//host" would be another site's address.
  target.erase(0, std::min(target.find_first_not_of('/'), target.size()));
  target.insert(target.begin(), '/');
  char separator = '?';
  for (const net::QueryParam& p : request.query) {
    if (p.name == "token") continue;
    target += fmt::format("{}{}={}", separator, percent_encode(p.name), percent_encode(p.value));
    separator = '&';
  }
  return target;
}

bool is_address_or_localhost(std::string_view host) {
  if (host.starts_with('[')) return true;  // an IPv6 address
  host = host.substr(0, host.rfind(':'));
  if (host == "localhost") return true;
  return !host.empty() &&
         std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool is_known_host(const AccessRules& rules, std::string_view host) {
  if (host.empty() || is_address_or_localhost(host)) return true;
  return std::ranges::any_of(rules.host_names, [&](const std::string& name) {
    return host == name || host.substr(0, host.rfind(':')) == name;
  });
}

}  // namespace

std::optional<net::HttpResponse> refusal(const AccessRules& rules, const net::HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto response =
        refuse(405, "method_not_allowed", "only GET and HEAD are answered: nothing here can be written", {});
    response.add_header("Allow", "GET, HEAD");
    response.close = true;
    return response;
  }
  if (rules.check_host && !is_known_host(rules, request.header("host"))) {
    return refuse(421, "unknown_host", "this server does not answer for that host name",
                  "use its address, or start it with --host NAME");
  }
  if (rules.token.empty() || is_open_path(request.path)) return std::nullopt;
  if (same_secret(bearer_of(request.header("authorization")), rules.token)) return std::nullopt;
  if (same_secret(cookie_of(request.header("cookie")), rules.token)) return std::nullopt;
  if (const auto token = request.param("token"); token && same_secret(*token, rules.token)) {
    net::HttpResponse response;
    response.status = 303;
    response.add_header("Location", without_token(request));
    response.add_header("Set-Cookie",
                        fmt::format("{}{}; Path=/; HttpOnly; SameSite=Strict", kCookie, rules.token));
    response.add_header("Cache-Control", "no-store");
    response.headers += common_headers();
    return response;
  }
  auto response = refuse(401, "unauthorized", "a token is needed",
                         "send Authorization: Bearer TOKEN, or open the address that chandler serve printed");
  response.add_header("WWW-Authenticate", "Bearer realm=\"chandler\"");
  return response;
}

std::string_view common_headers() {
  return "X-Content-Type-Options: nosniff\r\n"
         "X-Frame-Options: DENY\r\n"
         "Referrer-Policy: no-referrer\r\n"
         "Cross-Origin-Resource-Policy: same-origin\r\n";
}

std::string_view page_headers() {
  return "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
         "data:; "
         "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'\r\n"
         "Cross-Origin-Opener-Policy: same-origin\r\n"
         "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n";
}

std::string make_token() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device device;
  std::string token;
  std::uint32_t bits = 0;
  for (int i = 0; i < 43; ++i) {
    if (i % 5 == 0) bits = device();
    token += kAlphabet[bits % 64];
    bits /= 64;
  }
  return token;
}

bool same_secret(std::string_view a, std::string_view b) {
  if (b.empty()) return false;
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i % b.size()]);
  }
  return difference == 0;
}

}  // namespace chandler::web
