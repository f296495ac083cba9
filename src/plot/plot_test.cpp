#include <cairo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

#include "base/time.hpp"
#include "plot/chart.hpp"
#include "plot/png.hpp"
#include "plot/ticks.hpp"

namespace chandler::plot {
namespace {

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> result;
  for (const Tick& tick : ticks) result.push_back(tick.label);
  return result;
}

TEST(Ticks, NumbersAreRoundAndInside) {
  EXPECT_EQ(labels(number_ticks(0, 100, 5)), (std::vector<std::string>{"0", "20", "40", "60", "80", "100"}));
  EXPECT_EQ(labels(number_ticks(-0.031, 0.052, 4)), (std::vector<std::string>{"0.00", "0.05"}));
  EXPECT_EQ(labels(number_ticks(9000, 120000, 3)), (std::vector<std::string>{"50,000", "100,000"}));
  for (const double low : {-1e6, -3.0, 0.0, 1e-7, 0.2, 77.0, 1e12}) {
    for (const double size : {1e-6, 0.3, 1.0, 12345.0}) {
      if (low + size == low) continue;
      const auto ticks = number_ticks(low, low + size, 5);
      EXPECT_GE(ticks.size(), 2U) << low << " " << size;
      EXPECT_LE(ticks.size(), 8U) << low << " " << size;
      for (const Tick& t : ticks) {
        EXPECT_GE(t.at, low - 1e-6 * size);
        EXPECT_LE(t.at, low + size * (1 + 1e-6));
      }
    }
  }
}

TEST(Ticks, LogarithmicOnesAreOneTwoFive) {
  EXPECT_EQ(labels(log_ticks(0.9, 60, 6)), (std::vector<std::string>{"1", "2", "5", "10", "20", "50"}));
  EXPECT_EQ(labels(log_ticks(0.01, 100000, 8)),
            (std::vector<std::string>{"0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100,000"}));
  EXPECT_GE(log_ticks(61, 66, 5).size(), 2U);
}

TEST(Ticks, DaysFallOnTheCalendar) {
  const auto day = [](const char* text) { return to_day_number(*parse_day(text)); };
  EXPECT_EQ(
      labels(day_ticks(day("2017-08-17"), day("2026-01-05"), 8)),
      (std::vector<std::string>{"2018", "2019", "2020", "2021", "2022", "2023", "2024", "2025", "2026"}));
  EXPECT_EQ(labels(day_ticks(day("2023-11-20"), day("2024-04-02"), 5)),
            (std::vector<std::string>{"Dec", "2024", "Feb", "Mar", "Apr"}));
  EXPECT_EQ(labels(day_ticks(day("2024-02-20"), day("2024-03-20"), 4)),
            (std::vector<std::string>{"4 Mar", "18 Mar"}));
  for (const int length : {1, 3, 10, 25, 60, 200, 500, 2000, 9000}) {
    const auto ticks = day_ticks(19000, 19000 + length, 8);
    EXPECT_GE(ticks.size(), 1U) << length;
    EXPECT_LE(ticks.size(), 14U) << length;
  }
}

Chart sample() {
  Chart chart{.title = "BTCUSDT", .subtitle = "closes & volume <test>"};
  std::vector<double> x, y, lower, upper, volume;
  for (int i = 0; i < 400; ++i) {
    x.push_back(19000 + i);
    y.push_back(i == 200 ? std::nan("") : 100 + 20 * std::sin(i / 30.0));
    lower.push_back(y.back() - 5);
    upper.push_back(y.back() + 5);
    volume.push_back(1000 + 10 * (i % 50));
  }
  Panel& price = chart.panels.emplace_back(Panel{.y_title = "close", .weight = 3, .log_scale = true});
  price.lines.push_back({.label = "close", .x = x, .y = y, .color = palette(0)});
  price.lines.push_back({.label = "MA30", .x = x, .y = lower, .color = palette(1), .dashed = true});
  price.bands.push_back(
      {.label = "80%", .x = x, .lower = lower, .upper = upper, .color = faded(palette(0), 0.2)});
  price.dots.push_back({.label = "seen", .x = x, .y = y, .color = palette(7)});
  price.marks.push_back({19300, "test begins"});
  Panel& weeks = chart.panels.emplace_back(Panel{.y_title = "last weeks", .x_low = 19340, .x_high = 19399});
  weeks.lines.push_back({.label = "", .x = x, .y = y, .color = palette(2)});
  chart.panels.emplace_back(Panel{.y_title = "volume"})
      .bars.push_back({.label = "", .x = x, .y = volume, .color = palette(7)});
  return chart;
}

TEST(Chart, SameChartSameBytesOnAnyThreadAndInAnyOrder) {
  const Chart chart = sample();
  const auto svg = to_svg(chart);
  const auto png = to_png(chart);
  ASSERT_TRUE(svg && png);
  Chart other = sample();
  other.title = "ETHUSDT";
  ASSERT_TRUE(to_svg(other));
  std::string from_thread[2];
  {
    std::jthread a([&] { from_thread[0] = *to_svg(chart); });
    std::jthread b([&] { from_thread[1] = *to_png(chart); });
  }
  EXPECT_EQ(from_thread[0], *svg);
  EXPECT_EQ(from_thread[1], *png);
}

// Cairo gives back what was put in.
TEST(Png, AnotherReaderSeesEveryPixel) {
  constexpr int kWidth = 13, kHeight = 7;
  std::vector<std::uint32_t> pixels(static_cast<std::size_t>(kWidth) * kHeight);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint32_t>(i * 2'654'435'761U) & 0xffffff;
  std::vector<std::uint32_t> given = pixels;
  const auto png = encode_png({reinterpret_cast<std::uint8_t*>(given.data()), given.size() * 4}, kWidth,
                              kHeight, kWidth * 4);
  ASSERT_TRUE(png);
  std::string_view rest = *png;
  cairo_surface_t* surface = cairo_image_surface_create_from_png_stream(
      [](void* from, unsigned char* to, unsigned int count) {
        auto& left = *static_cast<std::string_view*>(from);
        if (left.size() < count) return CAIRO_STATUS_READ_ERROR;
        left.copy(reinterpret_cast<char*>(to), count);
        left.remove_prefix(count);
        return CAIRO_STATUS_SUCCESS;
      },
      &rest);
  ASSERT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  ASSERT_EQ(cairo_image_surface_get_width(surface), kWidth);
  ASSERT_EQ(cairo_image_surface_get_height(surface), kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      std::uint32_t pixel = 0;
      std::memcpy(&pixel,
                  cairo_image_surface_get_data(surface) + y * cairo_image_surface_get_stride(surface) + x * 4,
                  4);
      EXPECT_EQ(pixel & 0xffffff, pixels[static_cast<std::size_t>(y * kWidth + x)]) << x << ' ' << y;
    }
  }
  cairo_surface_destroy(surface);
}

TEST(Chart, WritesWhatItSays) {
  const auto svg = to_svg(sample());
  ASSERT_TRUE(svg);
  EXPECT_EQ(svg->rfind("<?xml", 0), 0U);
  EXPECT_NE(svg->find("</svg>"), std::string::npos);
  EXPECT_EQ(svg->find("<test>"), std::string::npos);  // drawn, not inserted
  const auto png = to_png(sample());
  ASSERT_TRUE(png);
  ASSERT_GT(png->size(), 24U);
  EXPECT_EQ(png->substr(1, 3), "PNG");
  // Big-endian width of the header: twice the points.
  EXPECT_EQ(static_cast<unsigned char>((*png)[18]) * 256 + static_cast<unsigned char>((*png)[19]), 2000);
}

TEST(Chart, EmptyConstantAndHugeDataAreDrawn) {
  Chart chart;
  chart.panels.emplace_back();
  EXPECT_TRUE(to_svg(chart));
  chart.panels[0].lines.push_back({.label = "flat", .x = {1, 2}, .y = {5, 5}});
  EXPECT_TRUE(to_svg(chart));
  chart.panels[0].lines[0].y = {-1e300, 1e300};
  EXPECT_TRUE(to_svg(chart));
  chart.panels[0].log_scale = true;
  chart.panels[0].lines[0].y = {0, -3};
  EXPECT_TRUE(to_svg(chart));
}

// Where Cairo puts letters: <use xlink:href="#glyph-…" x="…" y="…"/>, and how wide the page is.
std::vector<double> letter_positions(const std::string& svg) {
  std::vector<double> positions;
  for (std::size_t at = svg.find("#glyph"); at != svg.npos; at = svg.find("#glyph", at + 1))
    positions.push_back(std::stod(svg.substr(svg.find(" x=\"", at) + 4, 12)));
  return positions;
}

TEST(Chart, TheLastDateStaysClearOfTheRightEdge) {
  Chart chart;
  Panel& panel = chart.panels.emplace_back();
  panel.lines.resize(1);
  for (int day = 0; day <= 28; ++day) {  // from a Monday to a Monday
    panel.lines[0].x.push_back(19'989 + day);
    panel.lines[0].y.push_back(day);
  }
  const std::string svg = *to_svg(chart);
  const auto letters = letter_positions(svg);
  ASSERT_GT(letters.size(), 10U);
  EXPECT_LT(*std::ranges::max_element(letters), chart.width - 10);
}

TEST(Chart, OnePointAloneIsSeenAndItsAxisCanBeRead) {
  Chart chart;
  Panel& panel = chart.panels.emplace_back();
  panel.lines.push_back({.label = {}, .x = {19'989}, .y = {63'011.4}});
  const std::string one = *to_svg(chart);
  panel.lines[0].y = {std::nan("")};
  const auto shapes = [](const std::string& svg, const char* what) {
    std::size_t count = 0;
    for (std::size_t at = svg.find(what); at != svg.npos; at = svg.find(what, at + 1)) ++count;
    return count;
  };
  EXPECT_GT(shapes(one, "fill-rule"), shapes(*to_svg(chart), "fill-rule"));
  panel.lines[0] = {.label = {}, .x = {1, 2}, .y = {63'011.4, 63'011.4}};
  EXPECT_LT(letter_positions(*to_svg(chart)).size(), 60U) << "labels like 64,000, not 63,011.400002";
}

TEST(Chart, ColumnsOfDifferentLengthsAreRefused) {
  Chart chart;
  chart.panels.emplace_back().lines.push_back({.label = "", .x = {1, 2}, .y = {5}});
  EXPECT_FALSE(to_svg(chart));
  chart.panels[0].lines.clear();
  chart.panels[0].x_low = 5;
  chart.panels[0].x_high = 5;
  EXPECT_FALSE(to_svg(chart));
  chart.panels.clear();
  EXPECT_FALSE(to_png(chart));
}

}  // namespace
}  // namespace chandler::plot
