// Times of history files and of the command line. References: timegm, and each of the two readers for the
// other.
#include <time.h>

#include "exchange/open_time.hpp"
#include "fuzz_target.hpp"

using namespace chandler;

namespace {

constexpr std::int64_t kEndOfYear9999 = 253'402'300'800'000;

// A day that begins with YYYY-MM-DD, by the C library. It is not asked whether there is such a day.
std::int64_t day_by_timegm(const std::string& text) {
  std::tm parts{};
  parts.tm_year = std::atoi(text.substr(0, 4).c_str()) - 1900;
  parts.tm_mon = std::atoi(text.substr(5, 2).c_str()) - 1;
  parts.tm_mday = std::atoi(text.substr(8, 2).c_str());
  return ::timegm(&parts) * std::int64_t{1000};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  const auto open_time = exchange::parse_open_time(text);
  const auto instant = parse_instant(text);
  const auto day = parse_day(text);
  if (day) {
    fuzz::require(format_day(*day) == text, "a day is written as it was read");
    fuzz::require(to_ms(begin_of(*day)) == day_by_timegm(text), "the C library reads the same day");
    fuzz::require(instant && *instant == begin_of(*day), "a day is the instant of its beginning");
  }
  const bool dated = text.size() >= 10 && text[4] == '-';
  if (instant && dated) {
    fuzz::require(open_time && *open_time == *instant,
                  "a date is the same in a file and on the command line");
    const std::int64_t since_midnight = to_ms(*instant) - day_by_timegm(text);
    fuzz::require(since_midnight >= 0 && since_midnight < kDayMs, "an instant lies in its day");
  }
  if (instant && *instant >= Timestamp{} && to_ms(*instant) < kEndOfYear9999) {
    fuzz::require(parse_instant(format_instant(*instant)) == *instant, "an instant reads back");
  }
  if (open_time && !dated && text.find_first_not_of("0123456789") == std::string::npos && text.size() != 8) {
    // Stamps: the first ten digits are the seconds, whatever the unit, from 2001 to 2286.
    const std::int64_t ms = to_ms(*open_time);
    if (text[0] != '0' && ms >= 1'000'000'000'000)
      fuzz::require(std::to_string(ms / 1000) == text.substr(0, 10), "each unit names the same instant");
  }
  return 0;
}
