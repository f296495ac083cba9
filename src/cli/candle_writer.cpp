#include "cli/candle_writer.hpp"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "lake/kline_file.hpp"
#include "serving/candle_csv.hpp"

namespace chandler::cli {
namespace {

using serving::Candles;

// stdout, or a file that appears when it is whole.
class Output {
 public:
  static Result<std::unique_ptr<Output>> open(const std::string& file) {
    auto output = std::unique_ptr<Output>(new Output(file));
    if (!file.empty()) {
      output->aside_ = fmt::format("{}.{}.part", file, ::getpid());
      output->stream_ = std::fopen(output->aside_.c_str(), "wb");
      if (output->stream_ == nullptr) return output->failed("cannot create the file");
    }
    return output;
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (aside_.empty()) return;
    if (stream_ != nullptr) std::fclose(stream_);
    ::unlink(aside_.c_str());
  }

  Status write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stream_) != bytes.size()) return failed("cannot write");
    return {};
  }
  Status finish() {
    if (aside_.empty()) return std::fflush(stream_) == 0 ? Status{} : failed("cannot write");
    if (std::fclose(std::exchange(stream_, nullptr)) != 0 ||
        std::rename(aside_.c_str(), file_.c_str()) != 0) {
      return failed("cannot write the file");
    }
    return {};
  }

 private:
  explicit Output(std::string file) : file_(std::move(file)) {}
  std::unexpected<Error> failed(std::string_view what) const {
    return fail(ErrorCode::unreachable, fmt::format("{}: {}", what, std::strerror(errno)),
                file_.empty() ? "stdout" : file_);
  }

  std::string file_, aside_;
  std::FILE* stream_ = stdout;
};

using Text = fmt::memory_buffer;

void put(Text& text, std::string_view piece) {
  text.append(piece);
}
void put_number(Text& text, double value) {
  if (std::isnan(value)) return put(text, "null");
  fmt::format_to(std::back_inserter(text), "{}", value);
}
void put_trades(Text& text, std::int64_t trades) {
  if (trades == candles::kUnknownTrades) return put(text, "null");
  fmt::format_to(std::back_inserter(text), "{}", trades);
}

class CsvWriter final : public CandleWriter {
 public:
  explicit CsvWriter(std::unique_ptr<Output> output) : output_(std::move(output)) {}
  Status write(const Candles& c) override {
    std::string text = head();
    serving::append_csv(text, c);
    return output_->write(text);
  }
  Status finish() override {
    CHANDLER_TRY(output_->write(head()));
    return output_->finish();
  }

 private:
  // Once.
  std::string head() {
    std::string text;
    if (!std::exchange(begun_, true)) serving::append_csv_head(text);
    return text;
  }
  std::unique_ptr<Output> output_;
  bool begun_ = false;
};

class JsonWriter final : public CandleWriter {
 public:
  JsonWriter(std::unique_ptr<Output> output, const CandleOutput& what)
      : output_(std::move(output)), symbol_(what.symbol), interval_(candles::name(what.interval)) {}
  Status write(const Candles& c) override {
    Text text;
    if (rows_ == 0) put_head(text);
    for (std::size_t i = 0; i < c.size(); ++i) {
      put(text, rows_++ == 0 ? "\n    " : ",\n    ");
      fmt::format_to(std::back_inserter(text), R"({{"open_time": "{}")",
                     format_instant(from_ms(c.rows.open_time[i])));
      for (const auto& [name, column] : serving::kNumberColumns) {
        fmt::format_to(std::back_inserter(text), R"(, "{}": )", name);
        put_number(text, (c.rows.*column)[i]);
      }
      put(text, R"(, "trades": )");
      put_trades(text, c.rows.trades[i]);
      fmt::format_to(std::back_inserter(text), R"(, "minutes": {}, "filled": {}, "provisional": {}}})",
                     c.minutes[i], c.filled[i] != 0, c.provisional[i] != 0);
    }
    return output_->write({text.data(), text.size()});
  }
  Status finish() override {
    Text text;
    if (rows_ == 0) put_head(text);
    put(text, rows_ == 0 ? "]\n}\n" : "\n  ]\n}\n");
    CHANDLER_TRY(output_->write({text.data(), text.size()}));
    return output_->finish();
  }

 private:
  void put_head(Text& text) const {
    const std::string symbol = Json(symbol_).dump(-1, ' ', false, Json::error_handler_t::replace);
    fmt::format_to(std::back_inserter(text),
                   "{{\n  \"symbol\": {},\n  \"interval\": \"{}\",\n  \"candles\": [", symbol, interval_);
  }
  std::unique_ptr<Output> output_;
  std::string symbol_, interval_;
  std::size_t rows_ = 0;
};

class TableWriter final : public CandleWriter {
 public:
  TableWriter(std::unique_ptr<Output> output, const CandleOutput& what)
      : output_(std::move(output)),
        colour_(what.colour),
        whole_days_(what.interval >= candles::Interval::d1),
        table_({{whole_days_ ? "day" : "open time"},
                {"open", Align::right},
                {"high", Align::right},
                {"low", Align::right},
                {"close", Align::right},
                {"volume", Align::right},
                {"trades", Align::right},
                {"minutes", Align::right},
                {""}}) {}
  Status write(const Candles& c) override {
    for (std::size_t i = 0; i < c.size(); ++i) {
      const Timestamp t = from_ms(c.rows.open_time[i]);
      table_.add({whole_days_ ? format_day(day_of(t)) : format_minute(t), format_price(c.rows.open[i]),
                  format_price(c.rows.high[i]), format_price(c.rows.low[i]), format_price(c.rows.close[i]),
                  fmt::format("{:.8g}", c.rows.volume[i]),
                  c.rows.trades[i] == candles::kUnknownTrades ? "-" : group_digits(c.rows.trades[i]),
                  group_digits(c.minutes[i]),
                  c.filled[i] != 0        ? "filled"
                  : c.provisional[i] != 0 ? "provisional"
                                          : ""});
    }
    return {};
  }
  Status finish() override {
    CHANDLER_TRY(output_->write(table_.rows() == 0 ? std::string("No candles in this range.\n")
                                                   : table_.to_text(colour_)));
    return output_->finish();
  }

 private:
  std::unique_ptr<Output> output_;
  bool colour_, whole_days_;
  TextTable table_;
};

class ParquetWriter final : public CandleWriter {
 public:
  ParquetWriter(std::unique_ptr<Output> output, const CandleOutput& what)
      : output_(std::move(output)),
        metadata_{{"chandler.symbol", what.symbol},
                  {"chandler.interval", std::string(candles::name(what.interval))}} {}
  Status write(const Candles& piece) override {
    all_.append(piece);
    return {};
  }
  Status finish() override {
    using enum lake::ColumnType;
    auto columns = lake::kline_columns(all_.rows);
    std::erase_if(columns, [](const lake::Column& c) { return c.name == "source"; });
    columns.push_back({"minutes", int32, false, std::span<const std::int32_t>(all_.minutes)});
    columns.push_back({"filled", boolean, false, std::span<const std::uint8_t>(all_.filled)});
    columns.push_back({"provisional", boolean, false, std::span<const std::uint8_t>(all_.provisional)});
    CHANDLER_ASSIGN(const auto bytes, lake::encode_table(columns, metadata_));
    CHANDLER_TRY(output_->write(
        {reinterpret_cast<const char*>(bytes->data()), static_cast<std::size_t>(bytes->size())}));
    return output_->finish();
  }

 private:
  std::unique_ptr<Output> output_;
  lake::Metadata metadata_;
  Candles all_;
};

}  // namespace

Result<std::unique_ptr<CandleWriter>> make_candle_writer(const CandleOutput& what) {
  if (what.format == "parquet" && what.file.empty() && ::isatty(STDOUT_FILENO) != 0) {
    return fail(ErrorCode::usage, "Parquet is not for a terminal", {}, "name a file with -o FILE");
  }
  CHANDLER_ASSIGN(auto output, Output::open(what.file));
  std::unique_ptr<CandleWriter> writer;
  if (what.format == "csv") {
    writer = std::make_unique<CsvWriter>(std::move(output));
  } else if (what.format == "json") {
    writer = std::make_unique<JsonWriter>(std::move(output), what);
  } else if (what.format == "parquet") {
    writer = std::make_unique<ParquetWriter>(std::move(output), what);
  } else {
    writer = std::make_unique<TableWriter>(std::move(output), what);
  }
  return writer;
}

}  // namespace chandler::cli
