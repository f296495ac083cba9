#include "cli/speed_screen.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/log.hpp"
#include "cli/terminal.hpp"
#include "serving/candle_service.hpp"

namespace chandler::cli {
namespace {

constexpr std::chrono::seconds kDraw{1};
constexpr std::chrono::seconds kLog{60};
// Days read anew per drawing: the table shows a screenful, a lake may have thousands of symbols.
constexpr std::size_t kRefreshed = 40;

std::size_t terminal_rows() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 8) return 24;
  return size.ws_row;
}

Result<serving::Candles> days_of(const lake::Storage& storage, const std::string& symbol, Day first,
                                 Day last) {
  CHANDLER_ASSIGN(const auto series, serving::SymbolSeries::open(storage, symbol));
  serving::CandleQuery query;
  query.interval = candles::Interval::d1;
  query.from = begin_of(first);
  query.to = end_of(last);
  return serving::read_candles(series, query);
}

std::string vwap_text(double quote_volume, double volume) {
  return volume > 0 && !std::isnan(quote_volume) ? fmt::format("{:.8g}", quote_volume / volume) : "-";
}

}  // namespace

SpeedScreen::SpeedScreen(const Context& context, lake::Storage& storage, const speed::Figures& figures,
                         bool live)
    : context_(context),
      storage_(storage),
      figures_(figures),
      live_(live),
      terminal_(live && ::isatty(STDOUT_FILENO) != 0 && !context.globals.json && !context.globals.quiet),
      logged_(context.clock.steady()) {}

SpeedScreen::~SpeedScreen() {
  if (lines_ > 0) print("\n");
}

void SpeedScreen::on_progress(const speed::Pipeline& pipeline,
                              const std::set<std::pair<std::string, Day>>& touched) {
  for (const auto& [symbol, day] : touched) {
    if (!live_) touched_.emplace(symbol, day);
    Day& newest = stale_.try_emplace(symbol, day).first->second;
    newest = std::max(newest, day);
  }
  const auto now = context_.clock.steady();
  if (terminal_ && now - drawn_ >= kDraw) {
    draw(pipeline);
    drawn_ = now;
  } else if (!terminal_ && live_ && now - logged_ >= kLog) {
    log_line(pipeline);
    logged_ = now;
  }
}

void SpeedScreen::log_line(const speed::Pipeline& pipeline) const {
  spdlog::info("{} messages, {} closed minutes, {} repeated, {} late, {} rejected, {} commits, watermark {}",
               figures_.messages.load(), figures_.closed.load(), figures_.repeated.load(),
               figures_.late.load(), figures_.rejected_total(), figures_.commits.load(),
               pipeline.state().watermark() ? format_instant(*pipeline.state().watermark()) : "-");
}

void SpeedScreen::refresh_days() {
  std::size_t count = 0;
  for (auto it = stale_.begin(); it != stale_.end() && count < kRefreshed; it = stale_.erase(it), ++count) {
    const auto day = days_of(storage_, it->first, it->second, it->second);
    if (!day || day->size() == 0) continue;
    const std::size_t i = day->size() - 1;
    const auto k = day->rows.at(i);
    days_[it->first] = {k.open,
                        k.high,
                        k.low,
                        k.close,
                        k.volume,
                        k.volume > 0 ? k.quote_volume / k.volume : 0,
                        std::max<std::int64_t>(k.trades, 0),
                        day->minutes[i],
                        day->provisional[i] != 0};
  }
}

void SpeedScreen::draw(const speed::Pipeline& pipeline) {
  refresh_days();
  const double seconds =
      std::max(0.001, std::chrono::duration<double>(context_.clock.steady() - drawn_).count());
  const std::uint64_t messages = figures_.messages;
  TextTable table({{"symbol"},
                   {"price", Align::right},
                   {"open", Align::right},
                   {"high", Align::right},
                   {"low", Align::right},
                   {"volume", Align::right},
                   {"trades", Align::right},
                   {"vwap", Align::right},
                   {"minutes", Align::right},
                   {"lag", Align::right},
                   {"msg/s", Align::right},
                   {""}});
  const std::int64_t now = to_ms(context_.clock.now());
  const std::size_t shown = terminal_rows() - 6;
  const auto symbols = pipeline.state().view();
  for (std::size_t i = 0; i < std::min(shown, symbols.size()); ++i) {
    const auto& s = symbols[i];
    const double rate =
        static_cast<double>(s.messages - std::exchange(last_by_symbol_[s.symbol], s.messages)) / seconds;
    const auto day = days_.find(s.symbol);
    const bool known = day != days_.end();
    const DayRow d = known ? day->second : DayRow{};
    const auto cell = [&](double v) { return known ? format_price(v) : std::string("-"); };
    table.add({s.symbol, format_price(s.price), cell(d.open),
               known ? format_price(std::max(d.high, s.price)) : "-",
               known ? format_price(std::min(d.low, s.price)) : "-",
               known ? fmt::format("{:.6g}", d.volume) : "-", known ? group_digits(d.trades) : "-",
               known ? fmt::format("{:.8g}", d.vwap) : "-", known ? group_digits(d.minutes) : "-",
               format_duration(Millis{std::max<std::int64_t>(0, now - s.event_time)}),
               fmt::format("{:.1f}", rate), known && d.provisional ? "provisional" : ""});
  }
  const double rate = static_cast<double>(messages - std::exchange(last_messages_, messages)) / seconds;
  std::string text = table.to_text(context_.colour);
  if (symbols.size() > shown) text += fmt::format("… and {} more\n", symbols.size() - shown);
  text += fmt::format(
      "{:.0f} messages/s  {} late  {} rejected  {} repeated  {} reconnects  {} fetched by REST  {} unread\n"
      "watermark {}  stored {} minutes in {} commits{}\n",
      rate, figures_.late.load(), figures_.rejected_total(), figures_.repeated.load(),
      figures_.disconnects.load(), figures_.caught_up.load(), figures_.lag_messages.load(),
      pipeline.state().watermark() ? format_instant(*pipeline.state().watermark()) : "-",
      figures_.minutes_added.load(), figures_.commits.load(),
      figures_.commit_failures > 0 ? fmt::format("  {} failed", figures_.commit_failures.load()) : "");
  // Up to where the last drawing began, and away with it.
  if (lines_ > 0) print(fmt::format("\x1b[{}F\x1b[J", lines_));
  print(text);
  std::fflush(stdout);
  lines_ = static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

Status SpeedScreen::print_days() const {
  std::map<std::string, std::pair<Day, Day>> extents;
  for (const auto& [symbol, day] : touched_) {
    auto [it, added] = extents.try_emplace(symbol, day, day);
    it->second = {std::min(it->second.first, day), std::max(it->second.second, day)};
  }
  TextTable table({{"symbol"},
                   {"day"},
                   {"open", Align::right},
                   {"high", Align::right},
                   {"low", Align::right},
                   {"close", Align::right},
                   {"volume", Align::right},
                   {"trades", Align::right},
                   {"vwap", Align::right},
                   {"minutes", Align::right},
                   {""}});
  Json days = Json::array();
  for (const auto& [symbol, extent] : extents) {
    CHANDLER_ASSIGN(const auto rows, days_of(storage_, symbol, extent.first, extent.second));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto k = rows.rows.at(i);
      const Day day = day_of(from_ms(k.open_time));
      if (!touched_.contains({symbol, day})) continue;
      const bool provisional = rows.provisional[i] != 0;
      table.add({symbol, format_day(day), format_price(k.open), format_price(k.high), format_price(k.low),
                 format_price(k.close), fmt::format("{:.8g}", k.volume),
                 k.trades == candles::kUnknownTrades ? "-" : group_digits(k.trades),
                 vwap_text(k.quote_volume, k.volume), group_digits(rows.minutes[i]),
                 provisional ? "provisional" : ""});
      Json row = {{"symbol", symbol},   {"day", format_day(day)},
                  {"open", k.open},     {"high", k.high},
                  {"low", k.low},       {"close", k.close},
                  {"volume", k.volume}, {"quote_volume", k.quote_volume}};
      row["trades"] = k.trades == candles::kUnknownTrades ? Json(nullptr) : Json(k.trades);
      row["minutes"] = rows.minutes[i];
      row["provisional"] = provisional;
      if (context_.globals.json) days.push_back(std::move(row));
    }
  }
  if (context_.globals.json) {
    Json rejected = Json::object();
    for (std::size_t i = 0; i < speed::kRejections; ++i) {
      if (figures_.rejected[i] > 0)
        rejected[std::string(name(static_cast<speed::Rejection>(i)))] = figures_.rejected[i].load();
    }
    print_json({{"messages", figures_.messages.load()},
                {"closed", figures_.closed.load()},
                {"repeated", figures_.repeated.load()},
                {"late", figures_.late.load()},
                {"rejected", std::move(rejected)},
                {"minutes_added", figures_.minutes_added.load()},
                {"minutes_replaced", figures_.minutes_replaced.load()},
                {"days", std::move(days)}});
    return {};
  }
  if (table.rows() > 0) print(table.to_text(context_.colour));
  print(fmt::format(
      "{} messages: {} closed minutes, {} sights of open ones, {} repeated, {} late, {} rejected. {} minutes "
      "new in the lake, {} replaced.\n",
      group_digits(static_cast<std::int64_t>(figures_.messages)), figures_.closed.load(),
      figures_.open.load(), figures_.repeated.load(), figures_.late.load(), figures_.rejected_total(),
      figures_.minutes_added.load(), figures_.minutes_replaced.load()));
  return {};
}

}  // namespace chandler::cli
