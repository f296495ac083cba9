#include "exchange/kline_csv.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/random.hpp"
#include "candles/clean.hpp"

namespace chandler::exchange {
namespace {

using candles::Interval;
using candles::Kline;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kT0 = 1'325'317'920'000;  // 2011-12-31 07:52, the first minute of the Kaggle file

Result<KlineCsvBatch> read(std::string_view text, Interval interval = Interval::m1, std::size_t step = 0) {
  KlineCsvReader reader({interval, candles::Source::import});
  KlineCsvBatch batch;
  if (step == 0) step = std::max<std::size_t>(text.size(), 1);
  for (std::size_t at = 0; at < text.size(); at += step)
    CHANDLER_TRY(reader.push(text.substr(at, step), batch));
  CHANDLER_TRY(reader.finish(batch));
  return batch;
}

std::string fixture(const std::string& name) {
  std::ifstream file(CHANDLER_SOURCE_DIR "/tests/data/csv/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

void expect_same(const KlineCsvBatch& a, const KlineCsvBatch& b) {
  ASSERT_EQ(a.rows.size(), b.rows.size());
  for (std::size_t i = 0; i < a.rows.size(); ++i)
    ASSERT_TRUE(candles::same_values(a.rows.at(i), b.rows.at(i))) << i;
  EXPECT_EQ(a.absent, b.absent);
  ASSERT_EQ(a.rejects.size(), b.rejects.size());
  for (std::size_t i = 0; i < a.rejects.size(); ++i) {
    EXPECT_EQ(a.rejects[i].line, b.rejects[i].line);
    EXPECT_EQ(a.rejects[i].reason, b.rejects[i].reason);
  }
}

TEST(KlineCsv, KaggleFileIsReadWithWhateverHeaderSpelling) {
  for (const std::string header :
       {"Timestamp,Open,High,Low,Close,Volume", "timestamp,open,high,low,close,volume",
        "UNIX,OPEN,HIGH,LOW,CLOSE,VOLUME", "time,Open,High,Low,Close,Volume_(BTC)",
        "\"Timestamp\",\"Open\",\"High\",\"Low\",\"Close\",\"Volume\"",
        "\xEF\xBB\xBFTimestamp,Open,High,Low,Close,Volume"}) {
    const auto batch =
        read(header + "\n1325317920.0,4.39,4.4,4.38,4.39,0.45558087\n1325317980,4.4,4.4,4.4,4.4,0\n");
    ASSERT_TRUE(batch) << header;
    ASSERT_EQ(batch->rows.size(), 2U) << header;
    EXPECT_THAT(batch->rows.open_time, ElementsAre(kT0, kT0 + kMinuteMs));
    const Kline k = batch->rows.at(0);
    EXPECT_EQ(k.open, 4.39);
    EXPECT_EQ(k.high, 4.4);
    EXPECT_EQ(k.low, 4.38);
    EXPECT_EQ(k.close, 4.39);
    EXPECT_EQ(k.volume, 0.45558087);
    EXPECT_TRUE(std::isnan(k.quote_volume));
    EXPECT_EQ(k.trades, candles::kUnknownTrades);
    EXPECT_EQ(k.source, candles::Source::import);
  }
}

TEST(KlineCsv, OldKaggleFileHasAbsentMinutesAndQuoteVolume) {
  const auto batch = read(
      "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n"
      "1325317920,4.39,4.39,4.39,4.39,0.45558087,2.0000000193,4.39\n"
      "1325317980,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n"
      "1325318040,,,,,,,\n"
      "1325318100,null,NULL,None,n/a,,,\n"
      "1325318160,4.5,4.5,4.5,4.5,1,4.5,4.5\n");
  ASSERT_TRUE(batch);
  EXPECT_THAT(batch->rows.open_time, ElementsAre(kT0, kT0 + 4 * kMinuteMs));
  EXPECT_THAT(batch->rows.quote_volume, ElementsAre(2.0000000193, 4.5));
  EXPECT_EQ(batch->absent, 3U);
  EXPECT_TRUE(batch->rejects.empty());
}

TEST(KlineCsv, BinanceRowsKeepEveryFieldWithAndWithoutHeader) {
  const std::string row =
      "1676392620000,21.81000000,21.83000000,21.78000000,21.78000000,3987.42000000,1676392679999,86941."
      "95300000,105,"
      "704.47000000,15358.47280000,0\n";
  const std::string header =
      "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_"
      "volume,ignore\n";
  for (const auto& text : {row, header + row}) {
    const auto batch = read(text);
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->rows.size(), 1U);
    const Kline expected{
        1676392620000,          21.81, 21.83, 21.78, 21.78, 3987.42, 86941.953, 704.47, 15358.4728, 105,
        candles::Source::import};
    EXPECT_TRUE(candles::same_values(batch->rows.at(0), expected));
  }
}

TEST(KlineCsv, OneFileMayChangeItsUnitOfTime) {
  const auto batch = read(
      "1735689480,1,1,1,1,1\n1735689540000,1,1,1,1,1\n1735689600000000,1,1,1,1,1\n2025-01-01 "
      "00:01:00,1,1,1,1,1\n"
      "2025-01-01T00:02:00Z,1,1,1,1,1\n");
  ASSERT_TRUE(batch);
  EXPECT_THAT(batch->rows.open_time,
              ElementsAre(1735689480000, 1735689540000, 1735689600000, 1735689660000, 1735689720000));
}

TEST(KlineCsv, RealHoleOfTheExchangeIsSimplyNotThere) {
  const auto batch = read(fixture("binance_1m_hole.csv"));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 6U);
  EXPECT_TRUE(batch->rejects.empty());
  EXPECT_EQ(batch->rows.open_time[2] - batch->rows.open_time[1], 2 * kMinuteMs);  // 16:39 is missing
}

TEST(KlineCsv, CryptoDataDownloadBannerMixedUnitsAndNullsAreUnderstood) {
  const auto batch = read(fixture("cryptodatadownload_binance_d.csv"), Interval::d1);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 19U);
  EXPECT_TRUE(batch->rejects.empty());
  EXPECT_EQ(batch->rows.open_time.front(), 1643155200000);
  EXPECT_EQ(batch->rows.quote_volume.front(), 11754281.7938478);
  EXPECT_EQ(batch->rows.trades.front(), 11578);
  // The same day twice, once in ms and once in seconds with a decimal.
  EXPECT_EQ(batch->rows.open_time[9], batch->rows.open_time[10]);
  EXPECT_EQ(batch->rows.trades[9], 91956);
  EXPECT_EQ(batch->rows.trades[10], candles::kUnknownTrades);
}

TEST(KlineCsv, BareVolumeBesideANamedBaseAssetIsTheQuoteVolume) {
  const auto batch = read(fixture("cryptodatadownload_coinbase_d.csv"), Interval::d1);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 10U);
  EXPECT_EQ(batch->rows.volume[0], 1570.08);
  EXPECT_EQ(batch->rows.quote_volume[0], 12537245.82);
}

TEST(KlineCsv, TwelveHourClockIsRead) {
  const auto batch = read(fixture("cryptodatadownload_coinbase_1h.csv"));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 28U);
  EXPECT_EQ(batch->rows.open_time[0], 1571302800000);  // 2019-10-17 09:00
  for (std::size_t i = 1; i < batch->rows.size(); ++i) {
    EXPECT_EQ(batch->rows.open_time[i - 1] - batch->rows.open_time[i], 60 * kMinuteMs);
  }
}

TEST(KlineCsv, EveryDefectiveRowIsNamedWithLineAndReason) {
  const auto batch = read(fixture("blanks.csv"), Interval::d1);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->rows.empty());
  ASSERT_EQ(batch->rejects.size(), 9U);
  EXPECT_EQ(batch->rejects.front().line, 2U);
  EXPECT_EQ(batch->rejects.back().line, 10U);
  EXPECT_THAT(batch->rejects.front().reason, HasSubstr("01/03/2017"));
}

TEST(KlineCsv, EachKindOfDamageHasItsReason) {
  const std::pair<std::string, std::string> cases[] = {
      {"1325317920,1,1,1,1", "5 fields where 6 are expected"},
      {"1325317920,1,1,1,1,1,1", "7 fields"},
      {"1325317920,x,1,1,1,1", "open is not a number: 'x'"},
      {"1325317920,1,1,1,1,1e999", "volume is not a number"},
      {"1325317920,1,1,1,1,inf", "volume is not a number"},
      {"1325317920,1,,1,1,1", "some prices are empty"},
      {"1325317920,1,1,1,1,", "volume is empty"},
      {"1325317921,1,1,1,1,1", "open time is not on a whole minute"},
      {"1325317920,1,1,2,1,1", "high is below low"},
      {"1325317920,3,2,1,1,1", "open is outside"},
      {"1325317920,0,0,0,0,0", "a price is not positive"},
      {"1325317920,-1,1,-1,1,1", "a price is not positive"},
      {"1325317920,1,1,1,1,-1", "negative"},
      {"1325317920000000000000,1,1,1,1,1", "neither an integer"},
      {"12,1,1,1,1,1", "the time fits none of"},
      {"1325317920,\"1,1,1,1,1", "quote"},
      {std::string("1325317920,1,1,1,1,\0", 20), "volume is not a number: '?'"},
  };
  for (const auto& [row, reason] : cases) {
    const auto batch = read("t,o,h,l,c,v\n1325317860,1,1,1,1,1\n" + row + "\n1325317980,1,1,1,1,1\n");
    ASSERT_TRUE(batch) << row;
    EXPECT_EQ(batch->rows.size(), 2U) << row;
    ASSERT_EQ(batch->rejects.size(), 1U) << row;
    EXPECT_EQ(batch->rejects[0].line, 3U);
    EXPECT_THAT(batch->rejects[0].reason, HasSubstr(reason));
  }
}

TEST(KlineCsv, RowsOfAnotherSymbolOrTimeframeAreRejected) {
  const auto batch = read(
      "symbol,timeframe,open_time,close_time,open,high,low,close,volume,trades\n"
      "BTCUSDT,1m,1502928000000,1502928059999,1,1,1,1,1,3\n"
      "ETHUSDT,1m,1502928060000,1502928119999,1,1,1,1,1,3\n"
      "BTCUSDT,1d,1502928120000,1502928179999,1,1,1,1,1,3\n");
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 1U);
  ASSERT_EQ(batch->rejects.size(), 2U);
  EXPECT_EQ(batch->rejects[0].reason, "'ETHUSDT' in a file of 'BTCUSDT'");
  EXPECT_EQ(batch->rejects[1].reason, "'1d' in a file of '1m'");
}

TEST(KlineCsv, SpacesQuotesCarriageReturnsAndOtherDelimitersDoNotMatter) {
  for (const std::string text :
       {"time,open,high,low,close,volume\r\n1325317920,4.39,4.4,4.38,4.39,1\r\n\r\n",
        "time, open, high, low, close, volume\n 1325317920 , 4.39 , 4.4, 4.38, 4.39,1 \n",
        "time;open;high;low;close;volume\n1325317920;4.39;4.4;4.38;4.39;1",
        "time\topen\thigh\tlow\tclose\tvolume\n1325317920\t4.39\t4.4\t4.38\t4.39\t1",
        "\"time\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n\"1325317920\",\"4.39\",\"4.4\",\"4.38\","
        "\"4.39\",\"1\"\n",
        "\n\ntime,open,high,low,close,volume,\n1325317920,4.39,4.4,4.38,4.39,1,\n",
        "time,open,high,low,close,volume\n1325317920,4.39,4.4,4.38,4.39,1\ntime,open,high,low,close,"
        "volume\n"}) {
    const auto batch = read(text);
    ASSERT_TRUE(batch) << text;
    ASSERT_EQ(batch->rows.size(), 1U) << text;
    EXPECT_TRUE(batch->rejects.empty()) << text;
    EXPECT_TRUE(candles::same_values(batch->rows.at(0), Kline{kT0, 4.39, 4.4, 4.38, 4.39, 1})) << text;
  }
}

// Found by fuzzing.
TEST(KlineCsv, CountsOfTradesAtTheEndsOfAnIntegerAreRefusedAndDoNotOverflow) {
  for (const char* const count : {"-9223372036854775808", "9223372036854775807", "-1", "100000000001"}) {
    const auto batch =
        read("1381095240,122.0,122.0,122.0,122.0,0.1,1\n1381095300,122.0,122.0,122.0,122.0,0.1," +
             std::string(count) + "\n");
    ASSERT_TRUE(batch) << count;
    EXPECT_EQ(batch->rows.size(), 1U) << count;
    EXPECT_EQ(batch->rejects.size(), 1U) << count;
  }
}

TEST(KlineCsv, KrakenRowsOfSevenColumnsEndWithTheNumberOfTrades) {
  const auto batch = read("1381095240,122.0,122.0,122.0,122.0,0.1,1\n");
  ASSERT_TRUE(batch);
  EXPECT_THAT(batch->rows.trades, ElementsAre(1));
}

TEST(KlineCsv, DamageBeforeTheFirstCandleOfAHeaderlessFileIsNotOverlooked) {
  const auto batch = read("13253x7860,1,1,1,1,1\n1325317920,1,1,1,1,1\n");
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.size(), 1U);
  ASSERT_EQ(batch->rejects.size(), 1U);
  EXPECT_EQ(batch->rejects[0].line, 1U);
}

TEST(KlineCsv, WhatIsNoCandleFileIsRefusedWithTheReason) {
  const auto message = [](std::string_view text) {
    const auto batch = read(text);
    return batch ? std::string("accepted") : batch.error().what;
  };
  EXPECT_THAT(message(""), HasSubstr("it is empty"));
  EXPECT_THAT(message("hello\nworld\n"), HasSubstr("no line near its beginning"));
  EXPECT_THAT(message("time,open,high,low,close\n"), HasSubstr("no column for volume"));
  EXPECT_THAT(message("open,close\n"), HasSubstr("no column for the open time, high, low, volume"));
  EXPECT_THAT(message("1325317920,1,1\n"), HasSubstr("3 columns need a header"));
  EXPECT_THAT(message(std::string(200'000, 'x')), HasSubstr("no line near its beginning"));
}

TEST(KlineCsv, AnEndlessLineIsRejectedAndTakesNoMemory) {
  std::string text =
      "t,o,h,l,c,v\n1325317920,1,1,1,1,1\n" + std::string(1'000'000, '7') + "\n1325317980,1,1,1,1,1\n";
  for (const std::size_t step : {std::size_t{4096}, text.size()}) {
    const auto batch = read(text, Interval::m1, step);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->rows.size(), 2U);
    ASSERT_EQ(batch->rejects.size(), 1U);
    EXPECT_EQ(batch->rejects[0].line, 3U);
  }
}

// A random file with every oddity in it.
std::string random_file(Random& random) {
  const std::string_view odd[] = {
      "",   "NaN", "null", "\"1\"", " 2 ", "1e2", "abc", "-1",   "0",    "9999999999999999999",
      "1.", ".5",  "+3",   "\r",    "\"",  ",",   "\n",  "\xff", "1,1,", "1325317920.0"};
  std::string text = random.chance(0.5) ? "Timestamp,Open,High,Low,Close,Volume\n" : "";
  for (int row = 0; row < 40; ++row) {
    const double price = 1 + random.uniform() * 1000;
    std::string fields[6] = {fmt::format("{}", 1325317920 + 60 * row),
                             fmt::format("{:.2f}", price),
                             fmt::format("{:.2f}", price + 1),
                             fmt::format("{:.8f}", price - 0.5),
                             fmt::format("{}", price),
                             fmt::format("{}", random.uniform())};
    while (random.chance(0.2)) fields[random.below(6)] = odd[random.below(std::size(odd))];
    for (int i = 0; i < 6; ++i) text += fields[i] + (i < 5 ? "," : random.chance(0.2) ? "\r\n" : "\n");
  }
  return text;
}

TEST(KlineCsv, WhereTheBytesAreCutMakesNoDifference) {
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const std::string text = random_file(random);
    const auto whole = read(text);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{501}}) {
      const auto pieces = read(text, Interval::m1, step);
      ASSERT_EQ(whole.has_value(), pieces.has_value());
      if (whole) expect_same(*whole, *pieces);
    }
  }
}

// A leading space keeps a row from the quick reader, and nothing else: both readers must judge alike.
TEST(KlineCsv, QuickAndCarefulReaderAgree) {
  Random random(4);
  for (int i = 0; i < 300; ++i) {
    const std::string text = "Timestamp,Open,High,Low,Close,Volume\n" + random_file(random);
    std::string spaced;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) spaced += (spaced.empty() ? "" : " ") + line + "\n";
    const auto quick = read(text), careful = read(spaced);
    ASSERT_TRUE(quick && careful);
    ASSERT_EQ(quick->rows.size(), careful->rows.size()) << text;
    for (std::size_t r = 0; r < quick->rows.size(); ++r) {
      ASSERT_TRUE(candles::same_values(quick->rows.at(r), careful->rows.at(r)));
      ASSERT_FALSE(candles::impossible(quick->rows.at(r), kMinuteMs));
    }
    EXPECT_EQ(quick->absent, careful->absent);
    EXPECT_EQ(quick->rejects.size(), careful->rejects.size());
  }
}

TEST(KlineCsv, RandomBytesNeverDoHarm) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string text = i % 2 == 0 ? "" : random_file(random);
    const std::size_t changes = 1 + random.below(50);
    for (std::size_t c = 0; c < changes; ++c) {
      if (text.empty() || random.chance(0.3))
        text.insert(random.below(text.size() + 1), 1, static_cast<char>(random.below(256)));
      else
        text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    // An exact heap copy: a sanitizer sees any read beyond it.
    const std::vector<char> bytes(text.begin(), text.end());
    const auto batch = read({bytes.data(), bytes.size()});
    if (!batch) continue;
    for (std::size_t r = 0; r < batch->rows.size(); ++r)
      EXPECT_FALSE(candles::impossible(batch->rows.at(r), kMinuteMs));
  }
}

TEST(KlineCsv, LinesAreCountedFromTheFilesFirst) {
  KlineCsvReader reader({});
  KlineCsvBatch batch;
  ASSERT_TRUE(reader.push("banner\nt,o,h,l,c,v\n1325317920,1,1,1,1,1\n\nbad\n1325317980,1,1,1,1,1", batch));
  ASSERT_TRUE(reader.finish(batch));
  EXPECT_EQ(reader.lines(), 6U);
  ASSERT_EQ(batch.rejects.size(), 1U);
  EXPECT_EQ(batch.rejects[0].line, 5U);
}

}  // namespace
}  // namespace chandler::exchange
