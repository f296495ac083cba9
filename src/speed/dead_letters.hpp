// Messages that cannot be used, put aside so that nothing is lost without a trace.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace chandler::speed {

struct DeadLetter {
  std::string_view stream;  // klines/0, live
  std::int64_t offset = -1;
  std::string_view key;
  std::string_view payload;
  std::string_view reason;
};

// Thread safe.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  virtual Status put(const DeadLetter& letter) = 0;
  // After it returns, what was put is kept through a power cut.
  virtual Status flush() = 0;
};

// Appends one JSON object a line: stream, offset, key, reason, bytes (the payload's length) and payload (its
// first 4 KiB; bytes that are no text as \ufffd). The file is created with the first letter. A replay after a
// kill may write a letter twice: stream and offset tell.
std::unique_ptr<DeadLetters> dead_letter_file(std::string path);

}  // namespace chandler::speed
