#include "net/http_message.hpp"

#include <algorithm>

#include "base/percent_code.hpp"

namespace chandler::net {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::string_view> HttpRequest::param(std::string_view name) const {
  for (const QueryParam& p : query) {
    if (p.name == name) return p.value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::header(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (same_name(header_name(i), name)) return header_value(i);
  }
  return {};
}

std::string_view HttpRequest::header_name(std::size_t i) const {
  return std::string_view(block_).substr(fields_[i].name_at, fields_[i].name_size);
}

std::string_view HttpRequest::header_value(std::size_t i) const {
  return std::string_view(block_).substr(fields_[i].value_at, fields_[i].value_size);
}

void HttpRequest::add_header(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(block_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  block_.append(name).append(value);
  fields_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

bool HttpRequest::set_target(std::string_view sent) {
  target = sent;
  query.clear();
  path.clear();
  if (sent.starts_with("http://") || sent.starts_with("https://")) {  // absolute form, RFC 9112 §3.2.2
    const auto slash = sent.find('/', sent.find("//") + 2);
    sent = slash == std::string_view::npos ? std::string_view("/") : sent.substr(slash);
  }
  if (!sent.starts_with('/')) return false;
  sent = sent.substr(0, sent.find('#'));
  const auto mark = sent.find('?');
  auto decoded = percent_decode(sent.substr(0, mark), false);
  if (!decoded) return false;
  path = std::move(*decoded);
  if (mark == std::string_view::npos) return true;
  auto params = parse_query(sent.substr(mark + 1));
  if (!params) return false;
  query = std::move(*params);
  return true;
}

void HttpRequest::clear() {
  method.clear();
  target.clear();
  path.clear();
  query.clear();
  body.clear();
  block_.clear();
  fields_.clear();
  version = 11;
  keep_alive = true;
}

HttpResponse& HttpResponse::add_header(std::string_view name, std::string_view value) {
  headers.append(name).append(": ");
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') headers += c;
  }
  headers += "\r\n";
  return *this;
}

HttpResponse HttpResponse::text(int status, std::string_view content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.add_header("Content-Type", content_type);
  return response;
}

HttpResponse HttpResponse::json(int status, std::string body) {
  return text(status, "application/json;charset=UTF-8", std::move(body));
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 418:
      return "I'm a teapot";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::optional<std::vector<QueryParam>> parse_query(std::string_view text) {
  std::vector<QueryParam> params;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>(std::in_place)
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    params.push_back({std::move(*name), std::move(*value)});
  }
  return params;
}

}  // namespace chandler::net
