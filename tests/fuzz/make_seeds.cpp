// fuzz_seeds FOLDER: writes the seeds that are not files of tests/data already, one folder a target. Small
// files of every table, the texts inside their metadata, and the forms of texts that the parsers know.
#include <arrow/buffer.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "candles/test_klines.hpp"
#include "lake/derived_file.hpp"
#include "lake/speed_snapshot.hpp"
#include "speed/commit.hpp"

using namespace chandler;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kRows = 12;
const auto kMay = std::chrono::year{2024} / std::chrono::May;

class Seeds {
 public:
  explicit Seeds(fs::path root) : root_(std::move(root)) {}

  void add(const std::string& target, std::string_view bytes) {
    const fs::path folder = root_ / target;
    fs::create_directories(folder);
    std::ofstream out(folder / fmt::format("seed-{:02}", number_++), std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + folder.string());
  }
  void add_all(const std::string& target, std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) add(target, text);
  }
  // A partition, after the byte that names its table.
  void add_file(char table, const lake::PendingFile& file) {
    add("parquet_bytes", std::string(1, table) + file.bytes->ToString());
  }

 private:
  fs::path root_;
  int number_ = 0;
};

template <class T>
T value(Result<T> result) {
  if (!result) throw std::runtime_error(to_text(result.error()));
  return std::move(*result);
}

void add_partitions(Seeds& seeds) {
  Random random(1);
  const auto minutes = candles::testing::random_history(random, begin_of(kMay), kRows, 0.2);
  const auto days = candles::testing::random_history(random, begin_of(kMay), kRows, 0.2, 0, kDayMs,
                                                     candles::Source::import);
  RangeSet asked{{begin_of(kMay), begin_of(kMay) + kDay}};
  asked.add({begin_of(kMay) + 3 * kDay, begin_of(kMay) + 4 * kDay});
  seeds.add("metadata", asked.encode());
  seeds.add_file('\0', value(lake::kline_file(lake::minutes_partition("BTCUSDT", kMay), minutes, asked)));
  seeds.add_file('\1', value(lake::kline_file(lake::days_partition("BTCUSDT", 2024), days, asked)));

  speed::DayMinutes of_stream;
  for (std::size_t i = 0; i < minutes.size(); ++i)
    of_stream.push_back({minutes.at(i), minutes.open_time[i] + kMinuteMs + 7});
  const lake::Metadata extra = {{speed::kStreamsKey, R"([{"stream":"klines/0","seen":9,"stored":5}])"},
                                {speed::kEventTimesKey, speed::encode_event_times(of_stream)}};
  seeds.add("metadata", extra.at(speed::kEventTimesKey));
  seeds.add_file('\2', value(lake::kline_file(lake::speed_partition("BTCUSDT", first_day(kMay)),
                                              of_stream.rows, {}, extra)));

  candles::Carry carry{{100.25, 99.5}};
  candles::Bars bars;
  bars.rows = days;
  bars.count.assign(days.size(), 1440);
  const auto rows =
      candles::fill_days(bars, first_day(kMay), first_day(kMay) + std::chrono::days{kRows}, carry);
  seeds.add("metadata", lake::encode(carry));
  seeds.add_file('\3', value(lake::daily_file(lake::daily_partition("BTCUSDT", kMay), rows,
                                              {"minutes=x until=2024-05-13", "0123"}, carry)));
  seeds.add_file('\4', value(lake::prophet_file("BTCUSDT", {rows.date, rows.close}, "x")));
  for (const lake::Partition& partition :
       {lake::minutes_partition("BTCUSDT", kMay), lake::speed_partition("BTCUSDT", first_day(kMay)),
        lake::prophet_partition("ETHUSDT")}) {
    seeds.add("metadata", lake::path_of(partition));
  }

  lake::SpeedSnapshot snapshot{"klines/0", 17, begin_of(kMay), {}};
  snapshot.open.push_back({"BTCUSDT", begin_of(kMay) + kMinute, minutes.at(0)});
  snapshot.open.push_back({"ETHUSDT", begin_of(kMay) + kMinute, days.at(0)});
  seeds.add("speed_snapshot", lake::to_text(snapshot));
}

void add_texts(Seeds& seeds) {
  seeds.add_all("decimal",
                {"1", "-0", "70000.12345678", "1e-8", ".5", "5.", "1.7976931348623157e308", "4.9e-324",
                 "9007199254740993", "1578.0", "+1.5E+3", "12345678901234567890.12345678901234567890"});
  seeds.add_all("time_text",
                {"1585699200", "1585699200000", "1735689600000000", "1735689600000000000", "20170817",
                 "1585699200.0", "2017-08-17", "2017/08/17 04:00", "2019-10-17 09-AM",
                 "2024-02-29T23:59:59.999Z", "2024-05-01 00:00:00+02:00", "2024-05-01 13:07 UTC"});
  seeds.add_all("checksum", {"Sun, 06 Nov 1994 08:49:37 GMT", "120", "Thu, 29 Feb 2024 23:59:60 GMT"});
  seeds.add_all(
      "http_request",
      {"\x10GET /api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5 HTTP/1.1\r\nHost: localhost\r\n\r\n",
       "\x03POST /a%20b?c=d+e&f=%2f HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
       "\x07POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "\xffGET /ws/btcusdt@kline_1m HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
       "\x01HEAD / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"});
  seeds.add_all(
      "web_parameters",
      {"/api/v1/candles?symbol=BTCUSDT&interval=4h&from=2024-05-01&limit=10&fill=true&format=csv",
       "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1714521600000&timeZone=-1:30",
       R"(/api/v3/ticker?symbols=["BTCUSDT","ETHUSDT"])", "/stream?streams=btcusdt@kline_1m/!ticker@arr",
       "/ws/btcusdt@miniTicker", R"({"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1})",
       R"({"method":"SET_PROPERTY","params":["combined",true],"id":"a"})",
       R"({"method":"LIST_SUBSCRIPTIONS","id":3})"});
  seeds.add_all("configuration",
                {"lake = \"/srv/lake\"\njson = true\n[fetch]\nsince = 2024-01-01\nin-flight = 4\n"
                 "only = [\"a\", \"b\"]\nsymbols = [\"ETHUSDT\"]\nrefetch = false\n",
                 "[live]\n[fetch]\nsince = 1979-05-27T07:32:00Z\n", "in-flight = 1e3 # a comment\n"});
  seeds.add_all("metadata", {"", "0x1.9p+6,0x1p-1074", "1714521600000-1714521660000"});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  Seeds seeds(arguments[1]);
  add_partitions(seeds);
  add_texts(seeds);
  return 0;
}
