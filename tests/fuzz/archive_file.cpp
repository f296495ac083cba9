// Zips of the exchange's archive, and history files that `import` is given: plain, gzip or zip.
#include "exchange/archive_file.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "batch/csv_input.hpp"
#include "fuzz_target.hpp"

using namespace chandler;

namespace {

// More than any input here unpacks to by honest means.
constexpr std::size_t kMostBytes = 1 << 22;

// A file without a folder.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
    fuzz::require(fd_ >= 0 && ::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                  "the input can be written");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  const auto piece = exchange::ArchivePiece::day("BTCUSDT", candles::Interval::m1,
                                                 Day{std::chrono::year{2020} / std::chrono::January / 1});
  const auto archive = exchange::read_archive(piece, bytes);
  if (archive) {
    fuzz::require(fuzz::columns_are_of_one_length(archive->rows), "columns are of one length");
    for (const std::int64_t t : archive->rows.open_time)
      fuzz::require(piece.range().contains(from_ms(t)), "every candle lies in the piece's range");
  } else {
    fuzz::require(archive.error().code == ErrorCode::invalid_data, "a refused zip is invalid_data");
  }

  const MemoryFile file(bytes);
  const auto visited = batch::for_each_csv(file.path(), [](batch::CsvInput& input) -> Status {
    std::array<char, 4096> buffer;
    std::size_t total = 0;
    while (total < kMostBytes) {
      CHANDLER_ASSIGN(const std::size_t count, input.read(buffer));
      fuzz::require(count <= buffer.size(), "no more is read than there is room for");
      if (count == 0) break;
      total += count;
    }
    return {};
  });
  if (!visited) fuzz::require(!visited.error().what.empty(), "an error says what happened");
  return 0;
}
