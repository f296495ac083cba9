#include "batch/derive.hpp"

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <numeric>

#include "batch/derive_plan.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;
using candles::Source;
using lake::Table;
using lake::testing::at;
using lake::testing::check;
using lake::testing::derived_files;
using lake::testing::files_of;
using lake::testing::store;
using lake::testing::TemporaryLake;
using lake::testing::value;

using Files = std::map<std::string, std::string>;

Derived derive_one(const TemporaryLake& lake, const std::string& symbol,
                   Extent extent = Extent::what_changed) {
  NoProgress progress;
  return value(derive(lake.storage(), {symbol}, extent, progress)).at(0);
}

// The rules of daily_filled, one day at a time, from rows in maps.
struct ModelDay {
  double open, high, low, close, volume;
  int count;
  bool filled;
};
std::map<Day, ModelDay> model_of(const Klines& minutes, const Klines& days, Day minutes_until,
                                 Day days_until) {
  std::map<Day, ModelDay> known;
  for (std::size_t i = 0; i < days.size(); ++i) {
    const Day day = day_of(from_ms(days.open_time[i]));
    if (day >= days_until) continue;
    known[day] = {days.open[i], days.high[i], days.low[i], days.close[i], days.volume[i], 0, false};
  }
  std::map<Day, ModelDay> from_minutes;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    const Day day = day_of(from_ms(minutes.open_time[i]));
    if (day >= minutes_until) continue;
    const auto [it, first] =
        from_minutes.try_emplace(day, ModelDay{minutes.open[i], minutes.high[i], minutes.low[i],
                                               minutes.close[i], minutes.volume[i], 1, false});
    if (first) continue;
    ModelDay& d = it->second;
    d.high = std::max(d.high, minutes.high[i]);
    d.low = std::min(d.low, minutes.low[i]);
    d.close = minutes.close[i];
    d.volume += minutes.volume[i];
    ++d.count;
  }
  for (const auto& [day, bar] : from_minutes) known[day] = bar;
  if (known.empty()) return known;
  for (Day day = known.begin()->first; day < std::max(minutes_until, days_until);
       day += std::chrono::days{1}) {
    if (known.contains(day)) continue;
    const double close = known.at(day - std::chrono::days{1}).close;
    known[day] = {close, close, close, close, 0, 0, true};
  }
  return known;
}

double mean_of_last(const std::vector<double>& closes, std::size_t window) {
  const std::size_t n = std::min(window, closes.size());
  return std::accumulate(closes.end() - static_cast<std::ptrdiff_t>(n), closes.end(), 0.0) /
         static_cast<double>(n);
}

void expect_model(const candles::DailyRows& rows, const std::map<Day, ModelDay>& model) {
  ASSERT_EQ(rows.size(), model.size());
  std::vector<double> closes;
  std::size_t i = 0;
  for (const auto& [day, d] : model) {
    SCOPED_TRACE(format_day(day));
    EXPECT_EQ(rows.date[i], to_day_number(day));
    EXPECT_EQ(rows.open[i], d.open);
    EXPECT_EQ(rows.high[i], d.high);
    EXPECT_EQ(rows.low[i], d.low);
    EXPECT_EQ(rows.close[i], d.close);
    EXPECT_EQ(rows.volume[i], d.volume);
    EXPECT_EQ(rows.count[i], d.count);
    EXPECT_EQ(rows.filled[i] != 0, d.filled);
    closes.push_back(d.close);
    EXPECT_EQ(rows.ma7[i], mean_of_last(closes, 7));
    EXPECT_EQ(rows.ma30[i], mean_of_last(closes, 30));
    ++i;
  }
}

// About a tenth of the minutes of `days` days, with gaps of up to two months.
Klines sparse_minutes(Random& random, Timestamp first, std::size_t days) {
  return candles::testing::random_history(random, first, days * 1440, 0.97, 60 * 1440);
}

TEST(Derive, DaysAreThoseOfThePlainModel) {
  Random random(1);
  for (int round = 0; round < 12; ++round) {
    const TemporaryLake lake;
    const Timestamp first =
        at("2023-11-20") + Millis{static_cast<std::int64_t>(random.below(20 * 1440)) * kMinuteMs};
    const Klines minutes = sparse_minutes(random, first, 20 + random.below(120));
    const Klines days = random.chance(0.5)
                            ? Klines{}
                            : candles::testing::random_history(random, begin_of(day_of(first)) - 30 * kDay,
                                                               random.below(200), 0.4, 0, kDayMs);
    store(lake.storage(), Table::klines_1m, "X", minutes);
    store(lake.storage(), Table::klines_1d, "X", days);
    derive_one(lake, "X");
    const Day epoch{};
    const auto model =
        model_of(minutes, days, minutes.empty() ? epoch : day_of(from_ms(minutes.open_time.back()) + kMinute),
                 days.empty() ? epoch : day_of(from_ms(days.open_time.back()) + kDay));
    expect_model(value(lake::read_daily(lake.storage(), "X")), model);

    const lake::ProphetRows prophet = value(lake::read_prophet(lake.storage(), "X"));
    ASSERT_EQ(prophet.ds.size(), model.size());
    std::size_t i = 0;
    for (const auto& [day, d] : model) {
      EXPECT_EQ(prophet.ds[i], to_day_number(day));
      EXPECT_EQ(prophet.y[i++], d.close);
    }
  }
}

struct Delivery {
  Table table;
  Klines rows;
  RangeSet asked;
};

// The history in pieces that overlap, cut at random points, in random order, some twice.
std::vector<Delivery> delivered_at_random(Random& random, Table table, const Klines& rows, TimeRange whole) {
  std::vector<Delivery> pieces;
  const std::int64_t grid = lake::grid_of(table);
  for (Timestamp t = whole.begin; t < whole.end;) {
    const auto steps =
        static_cast<std::int64_t>(1 + random.below(30 * kDayMs / static_cast<std::uint64_t>(grid)));
    const TimeRange range{t, std::min(whole.end, t + Millis{steps * grid})};
    pieces.push_back({table, candles::slice(rows, range), {range}});
    t = range.end;
  }
  for (std::size_t i = pieces.size(); i > 0; --i) {
    if (random.chance(0.3)) pieces.push_back(pieces[random.below(pieces.size())]);
  }
  for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random.below(i)]);
  return pieces;
}

TEST(Derive, IncrementalRunsInAnyOrderLeaveTheBytesOfAFullRebuild) {
  Random random(2);
  for (int round = 0; round < 8; ++round) {
    const TimeRange whole{at("2024-01-10"),
                          at("2024-01-10") + kDay * static_cast<int>(30 + random.below(120))};
    const auto days_long = static_cast<std::size_t>(whole.length() / kDay);
    const Klines minutes = sparse_minutes(random, whole.begin, days_long);
    const Klines days = candles::testing::random_history(random, whole.begin, days_long, 0.5, 0, kDayMs);

    const TemporaryLake in_pieces;
    auto pieces = delivered_at_random(random, Table::klines_1m, minutes, whole);
    for (auto& piece : delivered_at_random(random, Table::klines_1d, days, whole)) {
      pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(random.below(pieces.size() + 1)),
                    std::move(piece));
    }
    for (const Delivery& piece : pieces) {
      store(in_pieces.storage(), piece.table, "X", piece.rows, piece.asked);
      if (random.chance(0.7)) derive_one(in_pieces, "X");
    }
    derive_one(in_pieces, "X");
    const Files incremental = derived_files(in_pieces);

    const TemporaryLake at_once;
    store(at_once.storage(), Table::klines_1m, "X", minutes, {whole});
    store(at_once.storage(), Table::klines_1d, "X", days, {whole});
    derive_one(at_once, "X", Extent::everything);
    ASSERT_FALSE(incremental.empty());
    ASSERT_TRUE(incremental == derived_files(at_once)) << "round " << round;

    EXPECT_EQ(derive_one(in_pieces, "X", Extent::everything).files_written, 0U);
    EXPECT_TRUE(derived_files(in_pieces) == incremental);
  }
}

TEST(Derive, TheNumberOfThreadsDoesNotMatter) {
  Random random(3);
  std::map<std::string, Klines> histories;
  for (int i = 0; i < 40; ++i) {  // more than one group of symbols
    histories["S" + std::to_string(i)] = sparse_minutes(random, at("2024-01-10"), random.below(90));
  }
  Files of_one_thread;
  for (const char* threads : {"1", "2", "7"}) {
    ::setenv("CHANDLER_THREADS", threads, 1);
    const TemporaryLake lake;
    std::vector<std::string> symbols;
    for (const auto& [symbol, rows] : histories) {
      store(lake.storage(), Table::klines_1m, symbol, rows);
      symbols.push_back(symbol);
    }
    NoProgress progress;
    const auto derived = value(derive(lake.storage(), symbols, Extent::what_changed, progress));
    ASSERT_EQ(derived.size(), symbols.size());
    for (std::size_t i = 0; i < symbols.size(); ++i) EXPECT_EQ(derived[i].symbol, symbols[i]);
    Files files = derived_files(lake);
    if (of_one_thread.empty())
      of_one_thread = std::move(files);
    else
      EXPECT_TRUE(files == of_one_thread) << threads << " threads";
  }
  ::unsetenv("CHANDLER_THREADS");
}

TEST(Derive, ASecondRunDoesNothing) {
  const TemporaryLake lake;
  Random random(4);
  store(lake.storage(), Table::klines_1m, "X", sparse_minutes(random, at("2024-01-10"), 60));
  const Derived first = derive_one(lake, "X");
  EXPECT_GT(first.files_written, 0U);
  const Derived second = derive_one(lake, "X");
  EXPECT_EQ(second.files_written, 0U);
  EXPECT_EQ(second.months_computed, 0U);
  EXPECT_EQ(second.minutes_read, 0U);
  EXPECT_EQ(second.days, first.days);
  EXPECT_EQ(second.filled, first.filled);
  EXPECT_EQ(second.first, first.first);
  EXPECT_EQ(second.last, first.last);
}

TEST(Derive, DeletingOrDamagingDerivedFilesLosesNothing) {
  const TemporaryLake lake;
  Random random(5);
  store(lake.storage(), Table::klines_1m, "X", sparse_minutes(random, at("2024-01-10"), 100));
  derive_one(lake, "X");
  const Files whole = derived_files(lake);
  for (const auto& [path, bytes] : whole) {
    std::filesystem::remove(lake.file(path));
    derive_one(lake, "X");
    EXPECT_TRUE(derived_files(lake) == whole) << "without " << path;
    lake::testing::write_bytes(lake.file(path), "no Parquet");
    derive_one(lake, "X");
    EXPECT_TRUE(derived_files(lake) == whole) << "damaged " << path;
  }
  std::filesystem::remove_all(lake.file("daily_filled"));
  std::filesystem::remove_all(lake.file("prophet_input"));
  derive_one(lake, "X", Extent::everything);
  EXPECT_TRUE(derived_files(lake) == whole);
}

TEST(Derive, ARebuildMendsAFileWhoseRowsAreDamaged) {
  const TemporaryLake lake;
  Random random(6);
  store(lake.storage(), Table::klines_1m, "X", sparse_minutes(random, at("2024-01-10"), 100));
  derive_one(lake, "X");
  const Files whole = derived_files(lake);
  for (const auto& [path, bytes] : whole) {
    std::string damaged = bytes;
    damaged[40] = static_cast<char>(damaged[40] ^ 0x10);  // in the first column's page; the footer is whole
    lake::testing::write_bytes(lake.file(path), damaged);
  }
  derive_one(lake, "X", Extent::everything);
  EXPECT_TRUE(derived_files(lake) == whole);
}

// January to April of a leap year with every minute at noon only: 2024-02 has exactly the 29 days that a
// month hands to the next.
struct FourMonths : ::testing::Test {
  TemporaryLake lake;
  Klines rows;

  FourMonths() {
    Random random(7);
    for (Day day = *parse_day("2024-01-01"); day < *parse_day("2024-05-01"); day += std::chrono::days{1}) {
      rows.push_back(candles::testing::random_kline(random, to_ms(begin_of(day) + kDay / 2)));
    }
    put();
    derive_one(lake, "X");
  }

  void put() {
    for (unsigned m = 1; m <= 4; ++m) {
      const auto partition = lake::minutes_partition("X", std::chrono::year{2024} / std::chrono::month{m});
      const RangeSet asked{partition.range()};
      const auto file = value(lake::kline_file(partition, candles::slice(rows, partition.range()), asked));
      check(lake.storage().replace(std::span(&file, 1)));
    }
  }
  // Files that a change of one value makes the next run write.
  std::set<std::string> written_after(const char* day, std::vector<double> Klines::*column) {
    const Files before = derived_files(lake);
    const std::size_t row = candles::lower_bound(rows, at(day));
    const double value_before = (rows.*column)[row];
    (rows.*column)[row] =
        column == &Klines::close ? (rows.low[row] + rows.high[row] + value_before) / 3 : 77.5;
    put();
    derive_one(lake, "X");
    std::set<std::string> changed;
    for (const auto& [path, bytes] : derived_files(lake)) {
      if (bytes != before.at(path)) changed.insert(path);
    }
    return changed;
  }
};
constexpr const char* kJanuary = "daily_filled/symbol=X/year=2024/month=1/part.parquet";
constexpr const char* kFebruary = "daily_filled/symbol=X/year=2024/month=2/part.parquet";
constexpr const char* kMarch = "daily_filled/symbol=X/year=2024/month=3/part.parquet";
constexpr const char* kProphet = "prophet_input/symbol=X/part.parquet";

TEST_F(FourMonths, AChangedVolumeStaysInItsMonth) {
  EXPECT_EQ(written_after("2024-01-31", &Klines::volume), (std::set<std::string>{kJanuary, kProphet}));
}

TEST_F(FourMonths, ACloseThatNoLaterAverageSeesStaysInItsMonth) {
  EXPECT_EQ(written_after("2024-01-02", &Klines::close), (std::set<std::string>{kJanuary, kProphet}));
}

TEST_F(FourMonths, ACloseAtTheEndOfAMonthReachesTheNextAndNoFurther) {
  EXPECT_EQ(written_after("2024-01-31", &Klines::close),
            (std::set<std::string>{kJanuary, kFebruary, kProphet}));
  EXPECT_EQ(written_after("2024-02-01", &Klines::close),
            (std::set<std::string>{kFebruary, kMarch, kProphet}));
}

TEST_F(FourMonths, AHoleInTheMiddleIsCarriedThroughToWhereMinutesBegin) {
  check(lake.storage().remove("klines_1m/symbol=X/year=2024/month=2/part.parquet"));
  derive_one(lake, "X");
  const auto days = value(lake::read_daily(lake.storage(), "X"));
  EXPECT_EQ(days.size(), 31U + 29 + 31 + 30);
  const double last_of_january = rows.close[30];
  for (std::size_t i = 31; i < 31 + 29; ++i) {
    EXPECT_EQ(days.filled[i], 1);
    EXPECT_EQ(days.close[i], last_of_january);
  }
  EXPECT_EQ(days.filled[31 + 29], 0);
}

TEST_F(FourMonths, ASymbolThatLosesItsKlinesLosesItsDays) {
  for (const auto& [path, bytes] : files_of(lake, "klines_1m")) check(lake.storage().remove(path));
  const Derived derived = derive_one(lake, "X");
  EXPECT_EQ(derived.days, 0U);
  EXPECT_TRUE(files_of(lake).empty());
}

TEST_F(FourMonths, MonthsThatShouldNotBeThereAreRemoved) {
  const std::string stray = "daily_filled/symbol=X/year=2023/month=12/part.parquet";
  lake::testing::write_bytes(lake.file(stray), "x");
  EXPECT_EQ(derive_one(lake, "X").files_removed, 1U);
  EXPECT_FALSE(std::filesystem::exists(lake.file(stray)));
}

TEST_F(FourMonths, InMemoryItIsWhatIsStored) {
  const auto months = value(derive_in_memory(lake.storage(), "X"));
  ASSERT_EQ(months.size(), 4U);
  for (const DerivedMonth& month : months) {
    const auto file = value(lake::daily_file(month.partition, month.rows, month.provenance, month.carry_out));
    EXPECT_EQ(file.bytes->ToString(), lake::testing::read_bytes(lake.file(file.path)));
  }
}

TEST_F(FourMonths, DaysThatWereRolledUpElsewhereGiveTheSameFiles) {
  check(lake.storage().remove("klines_1m/symbol=X/year=2024/month=2/part.parquet"));
  rows.resize(rows.size() - 3);
  put();
  const std::string stray = "daily_filled/symbol=X/year=2023/month=12/part.parquet";
  lake::testing::write_bytes(lake.file(stray), "x");
  const auto days = candles::roll_up(candles::spans_of(rows), candles::Interval::d1);
  const Derived derived = value(derive_from_days(lake.storage(), "X", days));
  EXPECT_EQ(derived.minutes_read, rows.size());
  EXPECT_EQ(derived.files_removed, 1U);
  const Files files = derived_files(lake);
  std::filesystem::remove_all(lake.file("daily_filled"));
  std::filesystem::remove_all(lake.file("prophet_input"));
  derive_one(lake, "X", Extent::everything);
  EXPECT_EQ(derived_files(lake), files);
}

TEST_F(FourMonths, DaysOfOtherMinutesThanTheLakesChangeNothing) {
  const Files before = derived_files(lake);
  const auto days =
      candles::roll_up(candles::spans_of(rows).subspan(0, rows.size() - 1), candles::Interval::d1);
  const auto derived = derive_from_days(lake.storage(), "X", days);
  ASSERT_FALSE(derived);
  EXPECT_EQ(derived.error().code, ErrorCode::incomplete);
  EXPECT_EQ(derived_files(lake), before);
}

TEST(Derive, TheOpenDayIsNotStored) {
  const TemporaryLake lake;
  Random random(8);
  const auto minutes = candles::testing::random_history(random, at("2024-05-01"), 1440 + 600, 0);
  store(lake.storage(), Table::klines_1m, "X", minutes, {{at("2024-05-01"), at("2024-05-02T10:00Z")}});
  EXPECT_EQ(derive_one(lake, "X").last, day_of(at("2024-05-01")));
  // One minute before midnight the day is still open, at midnight it is closed.
  store(lake.storage(), Table::klines_1m, "X", {}, {{at("2024-05-02T10:00Z"), at("2024-05-02T23:59Z")}});
  EXPECT_EQ(derive_one(lake, "X").last, day_of(at("2024-05-01")));
  store(lake.storage(), Table::klines_1m, "X", {}, {{at("2024-05-02T23:59Z"), at("2024-05-03")}});
  EXPECT_EQ(derive_one(lake, "X").last, day_of(at("2024-05-02")));
}

TEST(Derive, WithoutAClosedDayThereIsNoFile) {
  const TemporaryLake lake;
  Random random(9);
  store(lake.storage(), Table::klines_1m, "X",
        candles::testing::random_history(random, at("2024-05-01T08:00Z"), 60, 0));
  const Derived derived = derive_one(lake, "X");
  EXPECT_EQ(derived.days, 0U);
  EXPECT_EQ(derived.last, std::nullopt);
  EXPECT_TRUE(derived_files(lake).empty());
}

TEST(Derive, KnownDaysStandInWhereNoMinuteIs) {
  const TemporaryLake lake;
  Random random(10);
  const Klines days = candles::testing::random_history(random, at("2024-04-28"), 6, 0, 0, kDayMs);  // … 05-03
  const Klines minutes = candles::testing::random_history(random, at("2024-05-01T12:00Z"), 720, 0);
  store(lake.storage(), Table::klines_1d, "X", days);
  store(lake.storage(), Table::klines_1m, "X", minutes);
  derive_one(lake, "X");
  const auto rows = value(lake::read_daily(lake.storage(), "X"));
  ASSERT_EQ(rows.size(), 6U);
  for (const std::size_t i : {0, 1, 2, 4, 5}) {
    EXPECT_EQ(rows.close[i], days.close[i]);
    EXPECT_EQ(rows.count[i], 0);
    EXPECT_EQ(rows.filled[i], 0);
  }
  EXPECT_EQ(rows.close[3], minutes.close.back());
  EXPECT_EQ(rows.count[3], 720);
}

}  // namespace
}  // namespace chandler::batch
