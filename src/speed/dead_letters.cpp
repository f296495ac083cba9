#include "speed/dead_letters.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

namespace chandler::speed {
namespace {

constexpr std::size_t kPayloadKept = 4096;

class File final : public DeadLetters {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  ~File() override {
    if (file_ != nullptr) std::fclose(file_);
  }

  Status put(const DeadLetter& letter) override {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) {
      std::error_code ignored;
      const auto folder = std::filesystem::path(path_).parent_path();
      if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
      file_ = std::fopen(path_.c_str(), "abe");
      if (file_ == nullptr) return failed("cannot open the dead-letter file");
    }
    nlohmann::ordered_json line;
    line["stream"] = letter.stream;
    if (letter.offset >= 0) line["offset"] = letter.offset;
    line["key"] = letter.key.substr(0, kPayloadKept);
    line["reason"] = letter.reason;
    line["bytes"] = letter.payload.size();
    line["payload"] = letter.payload.substr(0, kPayloadKept);
    const std::string text =
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size())
      return failed("cannot write the dead-letter file");
    return {};
  }

  Status flush() override {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) return {};
    if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0)
      return failed("cannot write the dead-letter file");
    return {};
  }

 private:
  std::unexpected<Error> failed(std::string_view what) const {
    return fail(ErrorCode::unreachable, fmt::format("{}: {}", what, std::strerror(errno)), path_,
                "name another one with --dead-letter");
  }
  std::string path_;
  std::mutex mutex_;
  std::FILE* file_ = nullptr;
};

}  // namespace

std::unique_ptr<DeadLetters> dead_letter_file(std::string path) {
  return std::make_unique<File>(std::move(path));
}

}  // namespace chandler::speed
