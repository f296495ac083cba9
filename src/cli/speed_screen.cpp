#include "cli/speed_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/log.hpp"
#include "cli/speed_flags.hpp"
#include "cli/terminal.hpp"
#include "serving/candle_service.hpp"

namespace chandler::cli {
namespace {

constexpr std::chrono::seconds kDraw{1};
constexpr std::chrono::seconds kLog{60};
// Days read anew per drawing: the table shows a screenful, a lake may have thousands of symbols.
constexpr std::size_t kRefreshed = 40;

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
  spdlog::info("{} messages, {} closed minutes, {} repeated, {} late, {}, {} commits, watermark {}",
               figures_.messages.load(), figures_.closed.load(), figures_.repeated.load(),
               figures_.late.load(), rejected_text(figures_), figures_.commits.load(),
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
  const TerminalSize terminal = terminal_size(STDOUT_FILENO);
  // The last column stays free: a terminal that has just wrapped is one row further than it seems.
  const std::size_t columns = terminal.columns - 1;
  std::string figures = flowed(figures_parts(pipeline, seconds), columns);
  auto below = static_cast<std::size_t>(std::ranges::count(figures, '\n'));
  // On a small terminal the last of them go, so that one symbol is seen.
  for (; below > 1 && below + 4 > terminal.rows; --below)
    figures.erase(figures.rfind('\n', figures.size() - 2) + 1);
  TextTable table({{"symbol"},
                   {"price", Align::right},
                   {"open", Align::right, 5},
                   {"high", Align::right, 1},
                   {"low", Align::right, 2},
                   {"volume", Align::right, 3},
                   {"trades", Align::right, 6},
                   {"vwap", Align::right, 4},
                   {"minutes", Align::right, 7},
                   {"lag", Align::right},
                   {"msg/s", Align::right},
                   {"", Align::left, 8}});
  const std::int64_t now = to_ms(context_.clock.now());
  const auto symbols = pipeline.state().view();
  // Beside the symbols: the heading, how many more there are, the figures, and the row of the cursor.
  const std::size_t taken = 3 + below;
  const std::size_t shown = terminal.rows > taken ? terminal.rows - taken : 1;
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
  std::string below_table;
  if (symbols.size() > shown) below_table = fmt::format("… and {} more\n", symbols.size() - shown);
  below_table += figures;
  // Up to where the last drawing began, and away with it.
  if (const std::size_t rows = rows_drawn(terminal.columns); rows > 0)
    print(fmt::format("\x1b[{}F\x1b[J", rows));
  print(table.to_text(context_.colour, columns) + below_table);
  std::fflush(stdout);
  drawn_widths_.clear();
  const std::string text = table.to_text(false, columns) + below_table;  // as wide as it looks
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    drawn_widths_.push_back(text_width(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
}

// A terminal that has become narrower since wraps what stands on it.
std::size_t SpeedScreen::rows_drawn(std::size_t columns) const {
  std::size_t rows = 0;
  for (const std::size_t width : drawn_widths_)
    rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
  return rows;
}

std::vector<std::string> SpeedScreen::figures_parts(const speed::Pipeline& pipeline, double seconds) {
  const std::uint64_t messages = figures_.messages;
  const double rate = static_cast<double>(messages - std::exchange(last_messages_, messages)) / seconds;
  const auto watermark = pipeline.state().watermark();
  std::vector<std::string> parts = {
      fmt::format("{:.0f} messages/s", rate),
      fmt::format("{} late", figures_.late.load()),
      rejected_text(figures_),
      fmt::format("{} repeated", figures_.repeated.load()),
      fmt::format("{} reconnects", figures_.disconnects.load()),
      fmt::format("{} fetched by REST", figures_.caught_up.load()),
      fmt::format("{} unread", figures_.lag_messages.load()),
      fmt::format("watermark {}", watermark ? format_instant(*watermark) : "-"),
      fmt::format("stored {} minutes in {} commits", figures_.minutes_added.load(), figures_.commits.load()),
  };
  if (figures_.commit_failures > 0)
    parts.push_back(fmt::format("{} failed", figures_.commit_failures.load()));
  if (const auto within = figures_.storing.within(0.99))
    parts.push_back(fmt::format("99% within {}", format_duration(*within)));
  return parts;
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
    print_json({{"messages", figures_.messages.load()},
                {"closed", figures_.closed.load()},
                {"repeated", figures_.repeated.load()},
                {"late", figures_.late.load()},
                {"rejected", rejected_json(figures_)},
                {"minutes_added", figures_.minutes_added.load()},
                {"minutes_replaced", figures_.minutes_replaced.load()},
                {"storing_ms", latency_json(figures_.storing)},
                {"commit_ms", latency_json(figures_.commit)},
                {"days", std::move(days)}});
    return {};
  }
  if (!drawn_widths_.empty()) print("\n");  // below the last drawing, and the ^C that the terminal echoes
  if (table.rows() > 0) print(table.to_text(context_.colour));
  print(fmt::format(
      "{} messages: {} closed minutes, {} sights of open ones, {} repeated, {} late, {}. {} minutes "
      "new in the lake, {} replaced.\n",
      group_digits(figures_.messages.load()), figures_.closed.load(), figures_.open.load(),
      figures_.repeated.load(), figures_.late.load(), rejected_text(figures_), figures_.minutes_added.load(),
      figures_.minutes_replaced.load()));
  return {};
}

}  // namespace chandler::cli
