#include "sim/archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <fstream>
#include <set>

#include "base/sha256.hpp"
#include "sim/exchange.hpp"

namespace chandler::sim {
namespace {

using testing::HasSubstr;

Timestamp at(std::string_view text) {
  return *parse_instant(text);
}

net::HttpRequest request(const std::string& path) {
  net::HttpRequest r;
  r.method = "GET";
  r.set_target(path);
  return r;
}

std::shared_ptr<const Market> recorded() {
  static const auto market = [] {
    const std::vector<std::string> places{CHANDLER_SOURCE_DIR "/tests/data/binance"};
    return *Market::load(places);
  }();
  return market;
}

// A minute a day at 00:00 through 2024 and 2025, price = day number.
std::shared_ptr<const Market> two_years() {
  Klines rows;
  for (Timestamp t = at("2024-01-01"); t < at("2026-01-01"); t += kDay) {
    Kline k;
    k.open_time = to_ms(t);
    k.open = k.high = k.low = k.close = static_cast<double>(to_day_number(day_of(t)));
    k.volume = k.quote_volume = k.taker_buy_volume = k.taker_buy_quote_volume = 1;
    k.trades = 1;
    rows.push_back(k);
  }
  std::map<std::string, SymbolData> data;
  data["ABCUSDT"].minutes = std::move(rows);
  return std::make_shared<const Market>(std::move(data));
}

// Name and content of the only entry; an empty content if the zip or its CRC is bad.
std::pair<std::string, std::string> unzip(std::string_view bytes) {
  zip_error_t error;
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (!archive) {
    zip_source_free(source);
    return {};
  }
  zip_stat_t stat;
  zip_stat_index(archive, 0, 0, &stat);
  std::pair<std::string, std::string> result{stat.name, std::string(stat.size, '\0')};
  zip_file_t* file = zip_fopen_index(archive, 0, 0);
  if (!file || zip_fread(file, result.second.data(), stat.size) != static_cast<zip_int64_t>(stat.size))
    result.second.clear();
  char beyond;
  if (file && zip_fread(file, &beyond, 1) != 0) result.second.clear();
  if (file) zip_fclose(file);
  zip_discard(archive);
  return result;
}

const std::string kDaily = "/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-05-31.zip";

TEST(ArchivePath, NamesAFileOrNothing) {
  const auto month =
      parse_archive_path("/data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02.zip.CHECKSUM");
  ASSERT_TRUE(month);
  EXPECT_TRUE(month->monthly && month->checksum);
  EXPECT_EQ(month->period, (TimeRange{at("2024-02-01"), at("2024-03-01")}));
  EXPECT_EQ(month->file, "BTCUSDT-1m-2024-02.zip");
  EXPECT_EQ(parse_archive_path("/data/spot/monthly/klines/A/1mo/A-1mo-2024-02.zip")->interval, Interval::mo1);
  for (const char* path :
       {"/data/spot/", "/data/futures/um/daily/klines/A/1m/A-1m-2024-02-01.zip",
        "/data/spot/daily/klines/A/1m/B-1m-2024-02-01.zip", "/data/spot/daily/klines/A/1m/A-1m-2024-02.zip",
        "/data/spot/monthly/klines/A/1m/A-1m-2024-02-01.zip",
        "/data/spot/daily/klines/A/1m/A-1m-2024-02-30.zip",
        "/data/spot/daily/klines/A/7m/A-7m-2024-02-01.zip",
        "/data/spot/daily/klines/A/1m/A-1m-2024-02-01.csv"}) {
    EXPECT_FALSE(parse_archive_path(path)) << path;
  }
}

TEST(Archive, ADaysZipHoldsTheExchangesOwnBytes) {
  const Archive archive(recorded(), {});
  const auto answer = archive.answer(request(kDaily), at("2024-06-02"));
  ASSERT_EQ(answer.status, 200);
  const auto [name, csv] = unzip(answer.payload());
  EXPECT_EQ(name, "BTCUSDT-1m-2024-05-31.csv");
  std::ifstream in(CHANDLER_SOURCE_DIR "/tests/data/binance/BTCUSDT-1m-2024-05-31.csv", std::ios::binary);
  EXPECT_EQ(csv, std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
}

TEST(Archive, TheChecksumIsOfTheZipAndTheBytesNeverChange) {
  const Archive archive(recorded(), {}), another(recorded(), {});
  const auto zip = archive.answer(request(kDaily), at("2024-06-02"));
  const auto checksum = archive.answer(request(kDaily + ".CHECKSUM"), at("2024-06-02"));
  EXPECT_EQ(checksum.payload(), sha256_hex(zip.payload()) + "  BTCUSDT-1m-2024-05-31.zip\n");
  EXPECT_EQ(zip.payload(), another.answer(request(kDaily), at("2025-06-02")).payload());
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      << "FIPS 180-2, B.1";
}

TEST(Archive, FilesAppearLate) {
  const Archive archive(two_years(), {});
  const std::string month = "/data/spot/monthly/klines/ABCUSDT/1m/ABCUSDT-1m-2024-05.zip";
  const std::string day = "/data/spot/daily/klines/ABCUSDT/1m/ABCUSDT-1m-2024-05-31.zip";
  EXPECT_EQ(archive.answer(request(day), at("2024-06-01T09:59Z")).status, 404);
  EXPECT_EQ(archive.answer(request(day), at("2024-06-01T10:00Z")).status, 200);
  EXPECT_EQ(archive.answer(request(month), at("2024-06-03T23:59Z")).status, 404);
  EXPECT_EQ(archive.answer(request(month), at("2024-06-04")).status, 200);
  const auto absent = archive.answer(request("/data/spot/daily/klines/ABCUSDT/1m/ABCUSDT-1m-2023-05-31.zip"),
                                     at("2024-06-04"));
  EXPECT_EQ(absent.status, 404);
  EXPECT_THAT(std::string(absent.payload()), HasSubstr("<Code>NoSuchKey</Code>"));
}

TEST(Archive, From2025OnTimesAreMicroseconds) {
  const Archive archive(two_years(), {});
  const auto line = [&](const std::string& month) {
    const auto answer = archive.answer(
        request("/data/spot/monthly/klines/ABCUSDT/1m/ABCUSDT-1m-" + month + ".zip"), at("2026-02-01"));
    const std::string csv = unzip(answer.payload()).second;
    return csv.substr(0, csv.find('\n'));
  };
  EXPECT_EQ(
      line("2024-12"),
      "1733011200000,20058.00000000,20058.00000000,20058.00000000,20058.00000000,1.00000000,1733011259999,"
      "1.00000000,1,1.00000000,1.00000000,0");
  EXPECT_EQ(line("2025-01"),
            "1735689600000000,20089.00000000,20089.00000000,20089.00000000,20089.00000000,1.00000000,"
            "1735689659999999,1.00000000,1,1.00000000,1.00000000,0");
}

TEST(Archive, DamageIsOfTheAnnouncedKind) {
  ArchiveOptions options;
  options.damaged = 1;
  const auto market = two_years();
  const Archive sound(market, {});
  const Timestamp now = at("2026-02-01");
  std::set<Damage> seen;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    options.seed = seed;
    const Archive archive(market, options);
    for (int month = 2; month <= 12; ++month) {
      const std::string path = "/data/spot/monthly/klines/ABCUSDT/1m/ABCUSDT-1m-2024-" +
                               std::string(month < 10 ? "0" : "") + std::to_string(month) + ".zip";
      const auto name = *parse_archive_path(path);
      const auto damage = *archive.damage_of(name);
      seen.insert(damage);
      const auto zip = archive.answer(request(path), now),
                 checksum = archive.answer(request(path + ".CHECKSUM"), now);
      const bool fits = checksum.payload().substr(0, 64) == sha256_hex(zip.payload());
      const std::string csv = unzip(zip.payload()).second,
                        whole = unzip(sound.answer(request(path), now).payload()).second;
      EXPECT_EQ(fits, damage != Damage::flipped_bytes && damage != Damage::wrong_checksum &&
                          damage != Damage::no_checksum);
      EXPECT_EQ(checksum.status, damage == Damage::no_checksum ? 404 : 200);
      switch (damage) {
        case Damage::flipped_bytes:
        case Damage::bad_crc:
          EXPECT_TRUE(csv.empty()) << path;
          break;
        case Damage::wrong_checksum:
        case Damage::no_checksum:
          EXPECT_EQ(csv, whole);
          break;
        case Damage::lacks_days:
          EXPECT_EQ(std::ranges::count(csv, '\n'), std::ranges::count(whole, '\n') - 2);
          break;
        case Damage::other_period:
          EXPECT_FALSE(csv.empty());
          EXPECT_LT(csv.substr(0, 13), whole.substr(0, 13));
          break;
      }
    }
  }
  EXPECT_EQ(seen.size(), kDamageKinds);
}

TEST(Archive, TheExchangeServesAndCountsItWithoutWeight) {
  Exchange exchange(recorded(), {});
  const Instant now{at("2024-06-02"), at("2024-06-02")};
  EXPECT_TRUE(Exchange::is_slow(request(kDaily)));
  EXPECT_EQ(exchange.answer(request(kDaily), now).status, 200);
  EXPECT_EQ(exchange.answer(request(kDaily + ".CHECKSUM"), now).status, 200);
  EXPECT_EQ(exchange.answer(request("/data/whatever"), now).status, 404);
  const Statistics statistics = exchange.statistics();
  EXPECT_EQ(statistics.weight, 0);
  EXPECT_EQ(statistics.paths.at("/data/spot/daily"), 1);
  EXPECT_EQ(statistics.paths.at("/data/spot/daily CHECKSUM"), 1);
}

}  // namespace
}  // namespace chandler::sim
