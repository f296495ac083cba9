#include "cli/library_versions.hpp"

#include <Eigen/src/Core/util/Macros.h>
#include <arrow/config.h>
#include <cairo.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <openssl/crypto.h>
#include <png.h>
#include <simdjson.h>
#include <spdlog/version.h>
#include <toml++/impl/version.h>
#include <xxhash.h>
#include <zip.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <algorithm>
#include <boost/version.hpp>

namespace chandler::cli {
namespace {

// 10304: 1.3.4
std::string dotted(std::uint64_t number) {
  return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

// "OpenSSL 3.0.15 3 Sep 2024" → "3.0.15"
std::string second_word(std::string_view text) {
  const std::size_t begin = std::min(text.find(' '), text.size() - 1) + 1;
  return std::string(text.substr(begin, text.find(' ', begin) - begin));
}

std::string simdjson_version() {
  return fmt::format("{}.{}.{} ({})", static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION),
                     simdjson::get_active_implementation()->name());
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
  const curl_version_info_data* curl = ::curl_version_info(CURLVERSION_NOW);
  return {{"Arrow", arrow::GetBuildInfo().version_string},
          {"curl", curl->version},
          {"OpenSSL", second_word(::OpenSSL_version(OPENSSL_VERSION))},
          {"librdkafka", ::rd_kafka_version_str()},
          {"simdjson", simdjson_version()},
          {"zlib", ::zlibVersion()},
          {"libzip", ::zip_libzip_version()},
          {"xxHash", dotted(::XXH_versionNumber())},
          {"cairo", ::cairo_version_string()},
          {"libpng", dotted(::png_access_version_number())},
          {"Boost",
           fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
          {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
          {"fmt", dotted(FMT_VERSION)},
          {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
          {"CLI11", CLI11_VERSION},
          {"toml++", fmt::format("{}.{}.{}", TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH)}};
}

std::string version_text(const std::string& version) {
  const auto all = library_versions();
  const std::size_t width =
      std::ranges::max(all, {}, [](const auto& v) { return v.name.size(); }).name.size();
  std::string text = fmt::format("chandler {}\n", version);
  for (const LibraryVersion& library : all)
    text += fmt::format("  {:{}}  {}\n", library.name, width, library.version);
  return text;
}

}  // namespace chandler::cli
