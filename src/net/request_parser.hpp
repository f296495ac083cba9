// Private to net/: Beast's parser, writing straight into a reused HttpRequest.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/http_message.hpp"

namespace chandler::net {

class RequestParser final : public boost::beast::http::basic_parser<true> {
  using Base = boost::beast::http::basic_parser<true>;
  using Code = boost::beast::error_code;
  using View = boost::beast::string_view;

 public:
  // Both outlive the parser.
  RequestParser(HttpRequest& request, const std::size_t& max_target)
      : request_(request), max_target_(max_target) {}

  // put(), but for what Beast 1.81 does not expect, though it happens: that its last chunk is looked at again
  // when "0\r\n\r" has come and no more (it asserts five bytes). From a chunk's head or body on, no whole
  // rest is shorter than that, so fewer bytes may always wait for the next ones.
  template <class Buffer>
  std::size_t offer(const Buffer& bytes, Code& ec) {
    constexpr std::size_t kShortestRest = 5;
    if (is_header_done() && chunked() && boost::asio::buffer_size(bytes) < kShortestRest) {
      ec = boost::beast::http::error::need_more;
      return 0;
    }
    return put(bytes, ec);
  }

  bool target_too_long() const { return target_too_long_; }
  bool bad_target() const { return bad_target_; }

 private:
  static std::string_view view(View text) { return {text.data(), text.size()}; }

  void on_request_impl(boost::beast::http::verb, View method, View target, int version, Code& ec) override {
    request_.method = view(method);
    request_.version = version;
    target_too_long_ = target.size() > max_target_;
    bad_target_ = !target_too_long_ && !request_.set_target(view(target));
    ec = target_too_long_ || bad_target_ ? boost::beast::http::error::bad_target : Code{};
  }
  void on_response_impl(int, View, int, Code& ec) override { ec = boost::beast::http::error::bad_method; }
  void on_field_impl(boost::beast::http::field, View name, View value, Code&) override {
    request_.add_header(view(name), view(value));
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(View body, Code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(Code&) override { request_.keep_alive = keep_alive(); }

  HttpRequest& request_;
  const std::size_t& max_target_;
  bool target_too_long_ = false;
  bool bad_target_ = false;
};

}  // namespace chandler::net
