// How a job tells whoever started it how far it is. Jobs know no terminal.
#pragma once

#include <cstdint>
#include <string_view>

namespace chandler {

// All calls are thread safe.
class Progress {
 public:
  virtual ~Progress() = default;
  // A new stage; total 0 is unknown. unit: "minutes", "bytes", "files", …
  virtual void begin(std::string_view stage, std::uint64_t total, std::string_view unit) = 0;
  virtual void advance(std::uint64_t amount) = 0;
  virtual void end() = 0;
  // One line that a person should read now: what was found, what is missing.
  virtual void note(std::string_view line) = 0;
};

class NoProgress final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void advance(std::uint64_t) override {}
  void end() override {}
  void note(std::string_view) override {}
};

}  // namespace chandler
