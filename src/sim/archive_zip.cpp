#include <fmt/format.h>
#include <openssl/evp.h>
#include <zip.h>

#include <algorithm>
#include <array>

#include "sim/archive.hpp"

namespace chandler::sim {
namespace {

struct DosTime {
  zip_uint16_t time;
  zip_uint16_t date;
};

// In UTC, so that the bytes do not depend on the machine's time zone. MS-DOS counts years from 1980 and
// seconds in twos.
DosTime to_dos(Timestamp t) {
  const std::chrono::year_month_day day{day_of(t)};
  const auto seconds = static_cast<unsigned>((t - begin_of(day_of(t))).count() / 1000);
  const unsigned year = static_cast<unsigned>(std::max(0, static_cast<int>(day.year()) - 1980));
  return {static_cast<zip_uint16_t>(seconds / 3600 << 11 | seconds / 60 % 60 << 5 | seconds % 60 / 2),
          static_cast<zip_uint16_t>(year << 9 | static_cast<unsigned>(day.month()) << 5 |
                                    static_cast<unsigned>(day.day()))};
}

}  // namespace

std::string make_zip(const std::string& entry, const std::string& content, Timestamp modified) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  zip_source_keep(target);  // outlives the archive, to be read from
  zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
  const zip_int64_t index = zip_file_add(archive, entry.c_str(), source, ZIP_FL_ENC_UTF_8);
  const DosTime time = to_dos(modified);
  zip_file_set_dostime(archive, static_cast<zip_uint64_t>(index), time.time, time.date, 0);
  zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, 6);
  zip_close(archive);

  std::string bytes;
  zip_stat_t stat;
  if (zip_source_open(target) == 0 && zip_source_stat(target, &stat) == 0) {
    bytes.resize(stat.size);
    const zip_int64_t read = zip_source_read(target, bytes.data(), bytes.size());
    bytes.resize(static_cast<std::size_t>(std::max<zip_int64_t>(0, read)));
    zip_source_close(target);
  }
  zip_source_free(target);
  zip_error_fini(&error);
  return bytes;
}

}  // namespace chandler::sim
