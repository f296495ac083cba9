// Backfill with an archive beside the REST API, against an exchange whose every minute is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "base/sha256.hpp"
#include "batch/backfill.hpp"
#include "exchange/archive_file.hpp"
#include "exchange/scripted_exchange.hpp"
#include "exchange/zip_bytes.hpp"
#include "lake/catalog.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Interval;
using candles::Klines;
using exchange::ArchivePiece;
using exchange::testing::failure;
using exchange::testing::kline_json;
using exchange::testing::parameter;
using exchange::testing::reply;
using exchange::testing::ScriptedExchange;
using exchange::testing::zip_of;
using http::Failure;
using http::Request;
using lake::testing::at;
using lake::testing::TemporaryLake;
using lake::testing::value;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Timestamp kListed = at("2024-03-29T07:30");
const Timestamp kNow = at("2024-05-03T10:20:30");
const TimeRange kOutage{at("2024-04-10T12:00"), at("2024-04-10T13:20")};

// Every minute from the listing on, but for the outage. The archive has a file for each past month and day,
// unless told otherwise.
class Market {
 public:
  std::set<std::string> unpublished;  // stems
  std::set<std::string> corrupt;      // stems
  RangeSet months_lack, archive_lacks;
  bool archive_down = false;

  ScriptedExchange::Answer answer(const http::Request& request) {
    const auto path = std::string_view(request.url).substr(std::string_view("http://exchange.test").size());
    if (path == "/api/v3/time") return reply(200, fmt::format(R"({{"serverTime":{}}})", to_ms(kNow)));
    if (path == "/api/v3/exchangeInfo") {
      return reply(
          200, R"({"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"}],
        "rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}]})");
    }
    if (path.starts_with("/api/v3/klines")) return klines(request.url);
    if (archive_down) return failure(http::Failure::Kind::unreachable);
    return archive(std::string(path));
  }

  static bool trades(Timestamp t) { return t >= kListed && t <= kNow && !kOutage.contains(t); }
  static std::size_t closed_minutes() {
    return static_cast<std::size_t>((floor_minute(kNow) - kListed - kOutage.length()) / kMinute);
  }

 private:
  static http::Reply klines(const std::string& url) {
    const Timestamp start = from_ms(std::stoll(parameter(url, "startTime")));
    const std::string end_text = parameter(url, "endTime");
    const Timestamp end = end_text.empty() ? kNow : std::min(kNow, from_ms(std::stoll(end_text)));
    const auto limit = std::stoll(parameter(url, "limit"));
    std::string body;
    std::int64_t rows = 0;
    for (Timestamp t = std::max(ceil_minute(start), kListed); t <= end && rows < limit; t += kMinute) {
      if (!trades(t)) continue;
      body += (rows++ == 0 ? "" : ",") + kline_json(to_ms(t));
    }
    return reply(200, "[" + body + "]");
  }

  http::Reply archive(std::string path) {
    const bool checksum = path.ends_with(".CHECKSUM");
    if (checksum) path.resize(path.size() - 9);
    for (Day day{day_of(kListed)}; end_of(day) <= kNow; day += std::chrono::days{1}) {
      for (const auto& piece : {ArchivePiece::day("BTCUSDT", Interval::m1, day),
                                ArchivePiece::month("BTCUSDT", Interval::m1, month_of(day))}) {
        if (piece.path() == path && piece.range().end <= kNow && !unpublished.contains(piece.stem()))
          return checksum ? reply(200, sha256_hex(zip(piece)) + "  " + piece.stem() + ".zip\n")
                          : reply(200, corrupt.contains(piece.stem()) ? "x" + zip(piece) : zip(piece));
      }
    }
    return reply(404, "<Error><Code>NoSuchKey</Code></Error>");
  }

  const std::string& zip(const ArchivePiece& piece) const {
    // Packing takes its time: once for all tests.
    static std::map<std::string, std::string> zips;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::string& bytes = zips[piece.stem() + " " + months_lack.encode() + " " + archive_lacks.encode()];
    if (!bytes.empty()) return bytes;
    std::string csv;
    for (Timestamp t = piece.range().begin; t < piece.range().end; t += kMinute) {
      if (!trades(t) || archive_lacks.contains(t) || (piece.monthly && months_lack.contains(t))) continue;
      std::string row = kline_json(to_ms(t));
      std::erase_if(row, [](char c) { return c == '"' || c == '[' || c == ']'; });
      csv += row + "\n";
    }
    return bytes = zip_of({{piece.stem() + ".csv", csv}});
  }
};

struct Rig {
  Market market;
  ManualClock clock{kNow};
  ScriptedExchange exchange{clock, [this](const http::Request& r) { return market.answer(r); }};
  exchange::WeightBudget budget{clock};
  exchange::RestClient rest{{.base_url = "http://exchange.test"}, exchange, budget, clock, Random(1)};
  exchange::ArchiveClient archive{{.base_url = "http://exchange.test"}, exchange, clock, Random(2)};
  TemporaryLake lake;
  NoProgress progress;

  SymbolBackfill backfill(KlineSource source = KlineSource::automatic) {
    BackfillOptions options;
    options.symbols = {"BTCUSDT"};
    options.source = source;
    options.in_flight = 4;
    exchange.sent.clear();
    auto report = chandler::batch::backfill(
        {lake.storage(), rest, &archive, clock, progress, std::stop_token{}}, options);
    if (!report) throw std::runtime_error(to_text(report.error()));
    return report->symbols.at(0);
  }

  std::vector<std::string> asked(std::string_view part) const {
    std::vector<std::string> urls;
    for (const auto& s : exchange.sent) {
      if (s.url.find(part) != std::string::npos && !s.url.ends_with(".CHECKSUM")) urls.push_back(s.url);
    }
    return urls;
  }

  Klines stored() const {
    Klines all;
    for (const auto& partition :
         value(lake::partitions_of(lake.storage(), lake::Table::klines_1m, "BTCUSDT")))
      all.append(value(lake::read_klines(lake.storage(), partition)));
    return all;
  }

  // The lake holds every minute that has been traded, with the values of the exchange.
  void expect_whole() const {
    const Klines rows = stored();
    ASSERT_EQ(rows.size(), Market::closed_minutes());
    std::size_t i = 0;
    for (Timestamp t = kListed; t < floor_minute(kNow); t += kMinute) {
      if (!Market::trades(t)) continue;
      ASSERT_EQ(rows.open_time[i], to_ms(t));
      ASSERT_EQ(rows.open[i], 100 + static_cast<double>(to_ms(t) / kMinuteMs % 1000) / 8);
      ++i;
    }
  }
};

std::size_t rows_from(const Klines& rows, candles::Source source) {
  return static_cast<std::size_t>(std::ranges::count(rows.source, source));
}

TEST(ArchiveBackfill, TakesWholePastMonthsAndDaysAndAsksRestForTheRest) {
  Rig rig;
  const auto report = rig.backfill();
  rig.expect_whole();
  EXPECT_THAT(report.unanswered, IsEmpty());
  EXPECT_EQ(report.holes, RangeSet{kOutage});
  EXPECT_THAT(rig.asked("/monthly/"), ::testing::ElementsAre(HasSubstr("BTCUSDT-1m-2024-04.zip")));
  // March has three days in it, the first in part; May the two that are past.
  EXPECT_THAT(rig.asked("/daily/"),
              ::testing::UnorderedElementsAre(HasSubstr("2024-03-30"), HasSubstr("2024-03-31"),
                                              HasSubstr("2024-05-01"), HasSubstr("2024-05-02")));
  const Klines rows = rig.stored();
  constexpr std::size_t kArchived = (2 + 30 + 2) * 1440 - 80;
  EXPECT_EQ(rows_from(rows, candles::Source::archive), kArchived);
  EXPECT_EQ(rows_from(rows, candles::Source::rest), rows.size() - kArchived);
}

TEST(ArchiveBackfill, ASecondRunAsksForNothing) {
  Rig rig;
  rig.backfill();
  const auto before = lake::testing::files_of(rig.lake);
  const auto report = rig.backfill();
  EXPECT_TRUE(report.missing.empty());
  EXPECT_THAT(rig.asked("/data/"), IsEmpty());
  EXPECT_THAT(rig.asked("/klines?"), IsEmpty());
  EXPECT_EQ(lake::testing::files_of(rig.lake), before);
}

TEST(ArchiveBackfill, GivesTheSameCandlesAsRestAlone) {
  Rig archive, rest;
  archive.backfill();
  rest.backfill(KlineSource::rest);
  EXPECT_THAT(rest.asked("/data/"), IsEmpty());
  const Klines a = archive.stored(), b = rest.stored();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(candles::same_values(a.at(i), b.at(i))) << i;
}

TEST(ArchiveBackfill, AMonthThatIsNotPublishedFallsToItsDaysAndADayToRest) {
  Rig rig;
  rig.market.unpublished = {"BTCUSDT-1m-2024-04", "BTCUSDT-1m-2024-04-17", "BTCUSDT-1m-2024-05-02"};
  const auto report = rig.backfill();
  rig.expect_whole();
  EXPECT_EQ(rig.asked("/daily/").size(), 4u + 30u);
  EXPECT_THAT(report.unanswered, IsEmpty());
  EXPECT_EQ(report.holes, RangeSet{kOutage});
  const Klines day = candles::slice(rig.stored(), {at("2024-04-17"), at("2024-04-18")});
  EXPECT_EQ(rows_from(day, candles::Source::rest), 1440u);
}

TEST(ArchiveBackfill, AFileThatFailsItsChecksIsReportedAndRestIsAskedInstead) {
  Rig rig;
  rig.market.corrupt = {"BTCUSDT-1m-2024-04"};
  const auto report = rig.backfill();
  rig.expect_whole();
  EXPECT_THAT(report.notes,
              Contains(::testing::AllOf(HasSubstr("2024-04"), HasSubstr("SHA-256"), HasSubstr("REST"))));
  EXPECT_EQ(rig.asked("/monthly/").size(), 3u) << "tried again first";
}

TEST(ArchiveBackfill, AMonthlyFileThatLacksDaysOrMinutesIsCompleted) {
  Rig rig;
  rig.market.months_lack = {{at("2024-04-20"), at("2024-04-22")}};
  rig.market.archive_lacks = {{at("2024-04-05T08:00"), at("2024-04-05T08:03")},
                              {at("2024-04-05T09:00"), at("2024-04-05T09:01")}};
  const auto report = rig.backfill();
  rig.expect_whole();
  EXPECT_EQ(report.holes, RangeSet{kOutage});
  EXPECT_THAT(report.notes,
              Contains("2024-04 from the archive lacks 2024-04-20 00:00 … 2024-04-22 00:00; its "
                       "days are asked for one by one"));
  EXPECT_THAT(rig.asked("/daily/"), Contains(HasSubstr("2024-04-20")));
  EXPECT_THAT(rig.asked("/daily/"), Contains(HasSubstr("2024-04-21")));
  const Klines rows = rig.stored();
  EXPECT_EQ(rows_from(candles::slice(rows, {at("2024-04-20"), at("2024-04-22")}), candles::Source::archive),
            2880u);
  EXPECT_EQ(rows_from(candles::slice(rows, {at("2024-04-05"), at("2024-04-06")}), candles::Source::rest), 4u)
      << "only what the archive lacks is taken from REST";
}

TEST(ArchiveBackfill, WhichRangeCameFromWhereIsWhatTheRowsSay) {
  Rig rig;
  rig.market.months_lack = {{at("2024-04-20"), at("2024-04-22")}};
  rig.market.corrupt = {"BTCUSDT-1m-2024-05-01"};
  const auto report = rig.backfill();
  const RangeSet archive_days{{at("2024-03-30"), at("2024-04-01")},  // too few of a month for its file
                              {at("2024-04-20"), at("2024-04-22")},
                              {at("2024-05-02"), at("2024-05-03")}};
  EXPECT_EQ(report.came_from.days.encode(), archive_days.encode());
  RangeSet all = report.came_from.months;
  all.add(report.came_from.days);
  all.add(report.came_from.rest);
  EXPECT_EQ(all, report.missing);
  const Klines rows = rig.stored();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Timestamp t = from_ms(rows.open_time[i]);
    const bool rest = rows.source[i] == candles::Source::rest;
    ASSERT_EQ(report.came_from.rest.contains(t), rest) << format_instant(t);
    ASSERT_NE(report.came_from.months.contains(t) || report.came_from.days.contains(t), rest);
  }
}

TEST(ArchiveBackfill, AnArchiveThatIsDownIsGivenUpOnceAndRestDoesAll) {
  Rig rig;
  rig.market.archive_down = true;
  const auto report = rig.backfill();
  rig.expect_whole();
  EXPECT_EQ(std::ranges::count_if(report.notes,
                                  [](const auto& n) { return n.find("not used any more") != n.npos; }),
            1);
  EXPECT_THAT(report.unanswered, IsEmpty());
}

TEST(ArchiveBackfill, WithTheArchiveAloneWhatItLacksIsNamed) {
  Rig rig;
  rig.market.unpublished = {"BTCUSDT-1m-2024-05-02"};
  const auto report = rig.backfill(KlineSource::archive);
  ASSERT_EQ(report.unanswered.size(), 1u);
  EXPECT_EQ(report.unanswered[0].range, (TimeRange{at("2024-05-02"), at("2024-05-03")}));
  EXPECT_THAT(report.unanswered[0].error.what, HasSubstr("2024-05-02"));
  const Klines rows = rig.stored();
  EXPECT_EQ(rows_from(rows, candles::Source::archive), rows.size());
  EXPECT_EQ(rows.open_time.front(), to_ms(kListed));
  EXPECT_EQ(rows.open_time.back(), to_ms(at("2024-05-01T23:59")));
  EXPECT_THAT(rig.asked("/klines?"), Each(HasSubstr("limit=1"))) << "nothing but the first candle";
  EXPECT_EQ(report.holes, RangeSet{kOutage});
}

TEST(ArchiveBackfill, WithTheArchiveAloneAndDownEverythingIsNamed) {
  Rig rig;
  rig.market.archive_down = true;
  const auto report = rig.backfill(KlineSource::archive);
  RangeSet named;
  for (const auto& u : report.unanswered) named.add(u.range);
  EXPECT_EQ(named, report.missing);
  EXPECT_EQ(rig.stored().size(), 0u);
}

TEST(ArchiveBackfill, WhateverFailsOnTheWayTheCandlesAreTheSame) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Rig rig;
    Random faults(seed);
    std::mutex mutex;
    ScriptedExchange faulty(rig.clock, [&](const http::Request& r) -> ScriptedExchange::Answer {
      const std::lock_guard lock(mutex);
      if (faults.chance(0.04)) return reply(429, "", {{"retry-after", std::to_string(faults.below(30))}});
      if (faults.chance(0.04)) return reply(503, "<html>");
      if (faults.chance(0.04)) return failure(http::Failure::Kind::broken);
      const bool archive = r.url.find("/data/") != std::string::npos;
      if (archive && faults.chance(0.1)) return reply(404, "");
      auto answer = rig.market.answer(r);
      if (archive && answer && faults.chance(0.1) && !answer->body.empty())
        answer->body[faults.below(answer->body.size())] ^= 8;
      return answer;
    });
    exchange::WeightBudget budget(rig.clock);
    exchange::RestClient rest({.base_url = "http://exchange.test"}, faulty, budget, rig.clock, Random(seed));
    exchange::ArchiveClient archive({.base_url = "http://exchange.test"}, faulty, rig.clock, Random(seed));
    BackfillOptions options;
    options.symbols = {"BTCUSDT"};
    options.in_flight = 4;
    const auto report = chandler::batch::backfill(
        {rig.lake.storage(), rest, &archive, rig.clock, rig.progress, std::stop_token{}}, options);
    ASSERT_TRUE(report) << to_text(report.error());
    EXPECT_TRUE(report->complete()) << "seed " << seed;
    rig.expect_whole();
    EXPECT_EQ(report->symbols[0].holes, RangeSet{kOutage}) << "seed " << seed;
    EXPECT_EQ(faulty.sent_while_told_to_wait, 0);
  }
}

}  // namespace
}  // namespace chandler::batch
