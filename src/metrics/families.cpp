#include "metrics/families.hpp"

#include <prometheus/text_serializer.h>

#include <limits>

namespace chandler::metrics {

using prometheus::MetricType;

void Families::begin(std::string name, std::string help, MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  families_.push_back(std::move(family));
}

void Families::begin_counter(std::string name, std::string help) {
  begin(std::move(name), std::move(help), MetricType::Counter);
}

void Families::begin_gauge(std::string name, std::string help) {
  begin(std::move(name), std::move(help), MetricType::Gauge);
}

void Families::add(double value, Labels labels) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (families_.back().type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  families_.back().metric.push_back(std::move(metric));
}

void Families::counter(std::string name, std::string help, double value) {
  begin_counter(std::move(name), std::move(help));
  add(value);
}

void Families::gauge(std::string name, std::string help, double value) {
  begin_gauge(std::move(name), std::move(help));
  add(value);
}

void Families::histogram(std::string name, std::string help, std::span<const double> bounds,
                         std::span<const std::uint64_t> counts, double sum) {
  begin(std::move(name), std::move(help), MetricType::Histogram);
  prometheus::ClientMetric metric;
  auto& h = metric.histogram;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    h.sample_count += counts[i];
    h.bucket.push_back(
        {h.sample_count, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  h.sample_sum = sum;
  families_.back().metric.push_back(std::move(metric));
}

std::string Families::text() const {
  return prometheus::TextSerializer().Serialize(families_);
}

}  // namespace chandler::metrics
