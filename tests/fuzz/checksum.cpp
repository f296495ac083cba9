// CHECKSUM files, and Retry-After and Date headers. References: a plain re-reading of the line; strptime and
// timegm.
#include <time.h>

#include "exchange/archive_file.hpp"
#include "exchange/retry_after.hpp"
#include "fuzz_target.hpp"

using namespace chandler;

namespace {

constexpr const char* kName = "BTCUSDT-1m-2020-01-01.zip";

void check_date(const std::string& text) {
  const auto date = exchange::parse_http_date(text);
  if (!date) return;
  std::tm parts{};
  const char* end = ::strptime(text.c_str() + 5, "%d %b %Y %H:%M:%S GMT", &parts);
  fuzz::require(end != nullptr && *end == '\0', "the C library reads the date too");
  fuzz::require(to_ms(*date) == ::timegm(&parts) * std::int64_t{1000}, "the C library reads the same date");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (const auto digest = exchange::parse_checksum(text, kName)) {
    fuzz::require(digest->size() == 64, "a SHA-256 has 64 digits");
    fuzz::require(digest->find_first_not_of("0123456789abcdef") == std::string::npos, "in lower case");
    fuzz::require(text.find(kName) != text.npos, "the line names the file");
    const auto again = exchange::parse_checksum(*digest + "  " + kName, kName);
    fuzz::require(again && *again == *digest, "the digest reads back");
  }
  check_date(std::string(text));
  http::Head head;
  head.status = 429;
  head.headers.emplace_back("retry-after", std::string(text));
  const auto wait = exchange::wait_told_by(head, {}, from_ms(1'700'000'000'000));
  fuzz::require(wait && *wait >= std::chrono::seconds{0} && *wait <= std::chrono::hours{24 * 7},
                "a wait is between nothing and a week");
  return 0;
}
