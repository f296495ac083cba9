// For tests: a blocking TCP client that sends exactly the bytes it is told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chandler::net {

class TestSocket {
 public:
  explicit TestSocket(std::uint16_t port, int timeout_seconds = 20) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{timeout_seconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestSocket() { ::close(fd_); }
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }

  // One answer: its head and Content-Length bytes of body. What is there, if the connection ends before.
  std::string answer() {
    std::size_t end;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return std::exchange(pending_, {});
    }
    std::size_t length = 0;
    if (const auto at = pending_.find("Content-Length: "); at < end)
      length = std::stoul(pending_.substr(at + 16));
    while (pending_.size() < end + 4 + length) {
      if (!receive()) return std::exchange(pending_, {});
    }
    std::string whole = pending_.substr(0, end + 4 + length);
    pending_.erase(0, whole.size());
    return whole;
  }
  std::string until(std::string_view text) {
    std::size_t at;
    while ((at = pending_.find(text)) == std::string::npos) {
      if (!receive()) return std::exchange(pending_, {});
    }
    std::string whole = pending_.substr(0, at + text.size());
    pending_.erase(0, whole.size());
    return whole;
  }
  std::string until_end() {
    while (receive()) {
    }
    return std::exchange(pending_, {});
  }
  // Why the last read ended: 0 for an orderly end, else errno (ECONNRESET, EAGAIN for the test's own time
  // limit).
  int end_reason() const { return end_reason_; }

 private:
  bool receive() {
    char chunk[16384];
    const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
    if (n <= 0) {
      end_reason_ = n == 0 ? 0 : errno;
      return false;
    }
    pending_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  int end_reason_ = -1;
  std::string pending_;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}
inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

}  // namespace chandler::net
