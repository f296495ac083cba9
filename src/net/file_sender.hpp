// Private to net/: sends a head and then bytes of a MemoryFile through a socket that does not block.
#pragma once

#include <cstddef>
#include <string_view>

#include "net/memory_file.hpp"

namespace chandler::net {

class FileSender {
 public:
  enum class State {
    done,
    full,    // the socket takes no more now: wait until it does
    turn,    // so much at once is enough: others have their turn
    broken,  // the client has gone
  };

  // `head` and `file` outlive it; the first `bytes` of the file are sent. Raises SIGPIPE where the client has
  // gone, which the thread has to have blocked: sendfile knows no MSG_NOSIGNAL.
  FileSender(std::string_view head, const MemoryFile& file, std::size_t bytes)
      : head_(head), file_(file), left_(bytes) {}

  // Goes on where it stopped.
  State send(int socket);

 private:
  std::string_view head_;
  const MemoryFile& file_;
  std::size_t left_;
  std::size_t at_ = 0;
};

}  // namespace chandler::net
