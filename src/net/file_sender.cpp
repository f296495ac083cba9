#include "net/file_sender.hpp"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace chandler::net {
namespace {

constexpr std::size_t kTurn = 1 << 20;

}  // namespace

FileSender::State FileSender::send(int socket) {
  std::size_t turn = kTurn;
  while (left_ > 0) {
    if (turn == 0) return State::turn;
    ssize_t sent = 0;
    if (!head_.empty()) {
      // MSG_MORE: one packet begins with the head and goes on with the file.
      sent = ::send(socket, head_.data(), head_.size(), MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) head_.remove_prefix(static_cast<std::size_t>(sent));
    } else {
      auto offset = static_cast<off_t>(at_);
      sent = ::sendfile(socket, file_.descriptor(), &offset, std::min(left_, turn));
      const auto bytes = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
      at_ += bytes;
      left_ -= bytes;
      turn -= bytes;
    }
    if (sent > 0 || (sent < 0 && errno == EINTR)) continue;
    return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? State::full : State::broken;
  }
  return State::done;
}

}  // namespace chandler::net
