// Figures on their way to Prometheus: families in the order in which they are named, and their text. What is
// counted lives with whoever counts it, since screens and reports read it too; here it is read off.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chandler::metrics {

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

using Labels = std::vector<prometheus::ClientMetric::Label>;

// Names are those that are shown, e.g. chandler_files_total: a counter's ends with _total.
class Families {
 public:
  void begin_counter(std::string name, std::string help);
  void begin_gauge(std::string name, std::string help);
  // A sample of the family that was begun last.
  void add(double value, Labels labels = {});

  void counter(std::string name, std::string help, double value);
  void gauge(std::string name, std::string help, double value);

  // counts: how many values lay in each bucket alone, up to its bound and inclusive; one more for what lay
  // above the last bound, so counts.size() == bounds.size() + 1. sum: of all values.
  void histogram(std::string name, std::string help, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum);

  // Text exposition format 0.0.4.
  std::string text() const;

 private:
  void begin(std::string name, std::string help, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace chandler::metrics
