#include "batch/csv_input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace chandler::batch {
namespace {

std::unexpected<Error> cannot_read(const std::string& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return fail(missing ? ErrorCode::not_found : ErrorCode::unreachable,
              fmt::format("cannot read the file: {}", std::strerror(error)), path,
              missing ? "check the path" : "check the file's permissions and its disk");
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool valid() const { return fd_ >= 0; }
  Result<std::size_t> read(std::span<char> to, const std::string& path) const {
    while (true) {
      const auto count = ::read(fd_, to.data(), to.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return cannot_read(path, errno);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PlainInput final : public CsvInput {
 public:
  PlainInput(const Descriptor& file, std::string path) : file_(file), path_(std::move(path)) {}
  const std::string& name() const override { return path_; }
  Result<std::size_t> read(std::span<char> to) override {
    CHANDLER_ASSIGN(const std::size_t count, file_.read(to, path_));
    consumed_ += count;
    return count;
  }
  std::uint64_t consumed() const override { return consumed_; }

 private:
  const Descriptor& file_;
  std::string path_;
  std::uint64_t consumed_ = 0;
};

constexpr std::size_t kGzipBuffer = 1 << 18;

// A gzip file is a sequence of members, each with its own checksum.
class GzipInput final : public CsvInput {
 public:
  GzipInput(const Descriptor& file, std::string path)
      : file_(file), path_(std::move(path)), buffer_(kGzipBuffer, '\0') {
    ready_ = ::inflateInit2(&stream_, 15 + 16) == Z_OK;  // 15: largest window, 16: gzip only
  }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;
  ~GzipInput() override {
    if (ready_) ::inflateEnd(&stream_);
  }
  const std::string& name() const override { return path_; }
  std::uint64_t consumed() const override { return consumed_; }

  Result<std::size_t> read(std::span<char> to) override {
    if (!ready_) return fail(ErrorCode::internal, "cannot start decompressing", path_);
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(to.size());
    while (stream_.avail_out == to.size()) {
      if (!inside_member_ && only_padding_left()) stream_.avail_in = 0;
      if (stream_.avail_in == 0) {
        CHANDLER_ASSIGN(const std::size_t count, file_.read(buffer_, path_));
        consumed_ += count;
        if (count == 0) {
          if (inside_member_) return fail(ErrorCode::invalid_data, "the gzip file is cut short", path_);
          return 0;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(count);
        if (!inside_member_ && only_padding_left()) continue;
      }
      inside_member_ = true;
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        inside_member_ = false;
        ::inflateReset(&stream_);
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return fail(ErrorCode::invalid_data, "the gzip file is damaged", path_, "fetch it again");
      }
    }
    return to.size() - stream_.avail_out;
  }

 private:
  // Tapes and some tools pad the end of a gzip file with zeros.
  bool only_padding_left() const {
    return std::all_of(stream_.next_in, stream_.next_in + stream_.avail_in, [](Bytef b) { return b == 0; });
  }

  const Descriptor& file_;
  std::string path_;
  std::string buffer_;
  z_stream stream_{};
  bool ready_ = false;
  bool inside_member_ = false;
  std::uint64_t consumed_ = 0;
};

// One entry of a zip. libzip compares the CRC when the end is reached.
class ZipInput final : public CsvInput {
 public:
  ZipInput(zip_file_t* entry, std::string name, std::uint64_t before, double ratio)
      : entry_(entry), name_(std::move(name)), before_(before), ratio_(ratio) {}
  ZipInput(const ZipInput&) = delete;
  ZipInput& operator=(const ZipInput&) = delete;
  ~ZipInput() override { ::zip_fclose(entry_); }
  const std::string& name() const override { return name_; }
  Result<std::size_t> read(std::span<char> to) override {
    const auto count = ::zip_fread(entry_, to.data(), to.size());
    if (count < 0) {
      return fail(ErrorCode::invalid_data, fmt::format("the zip is damaged: {}", ::zip_file_strerror(entry_)),
                  name_, "fetch it again");
    }
    out_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
  std::uint64_t consumed() const override {
    return before_ + static_cast<std::uint64_t>(static_cast<double>(out_) * ratio_);
  }

 private:
  zip_file_t* entry_;
  std::string name_;
  std::uint64_t before_;
  double ratio_;  // compressed bytes per byte of text
  std::uint64_t out_ = 0;
};

bool is_candidate(std::string_view entry) {
  if (entry.ends_with('/') || entry.starts_with("__MACOSX/")) return false;
  const std::size_t slash = entry.rfind('/');
  const std::string_view file = slash == std::string_view::npos ? entry : entry.substr(slash + 1);
  if (file.starts_with('.')) return false;
  return file.ends_with(".csv") || file.ends_with(".CSV") || file.ends_with(".txt") ||
         file.find('.') == file.npos;
}

Status visit_zip(const std::string& path, const std::function<Status(CsvInput&)>& visit) {
  int code = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(::zip_open(path.c_str(), ZIP_RDONLY, &code),
                                                         ::zip_discard);
  if (!archive) {
    zip_error_t error;
    ::zip_error_init_with_code(&error, code);
    std::string text = ::zip_error_strerror(&error);
    ::zip_error_fini(&error);
    return fail(ErrorCode::invalid_data, "the zip cannot be opened: " + text, path, "fetch it again");
  }
  std::size_t visited = 0;
  std::uint64_t before = 0;
  const auto entries =
      static_cast<zip_uint64_t>(std::max<zip_int64_t>(::zip_get_num_entries(archive.get(), 0), 0));
  for (zip_uint64_t i = 0; i < entries; ++i) {
    zip_stat_t stat;
    if (::zip_stat_index(archive.get(), i, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0) continue;
    if (!is_candidate(stat.name)) continue;
    const std::string name = fmt::format("{}: {}", path, stat.name);
    zip_file_t* entry = ::zip_fopen_index(archive.get(), i, 0);
    if (entry == nullptr) {
      return fail(ErrorCode::invalid_data,
                  fmt::format("an entry of the zip cannot be read: {}", ::zip_strerror(archive.get())), name);
    }
    const double ratio =
        stat.size > 0 ? static_cast<double>(stat.comp_size) / static_cast<double>(stat.size) : 0;
    ZipInput input(entry, name, before, ratio);
    CHANDLER_TRY(visit(input));
    before += stat.comp_size;
    ++visited;
  }
  if (visited == 0) return fail(ErrorCode::invalid_data, "the zip has no CSV inside", path);
  return {};
}

}  // namespace

Result<std::uint64_t> file_bytes(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return cannot_read(path, errno);
  if (S_ISDIR(info.st_mode))
    return fail(ErrorCode::usage, "this is a folder, not a file", path,
                "name the files in it, e.g. with FOLDER/*.csv");
  return static_cast<std::uint64_t>(info.st_size);
}

Status for_each_csv(const std::string& path, const std::function<Status(CsvInput&)>& visit) {
  const Descriptor file(path);
  if (!file.valid()) return cannot_read(path, errno);
  std::array<unsigned char, 4> magic{};
  const auto count =
      ::pread(file.get(), magic.data(), magic.size(), 0);  // fails on a pipe, which is then plain text
  if (count >= 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
    GzipInput input(file, path);
    return visit(input);
  }
  if (count == 4 && magic[0] == 'P' && magic[1] == 'K' && (magic[2] == 3 || magic[2] == 5)) {
    return visit_zip(path, visit);
  }
  PlainInput input(file, path);
  return visit(input);
}

}  // namespace chandler::batch
