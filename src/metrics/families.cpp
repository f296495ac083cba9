#include "metrics/families.hpp"

#include <prometheus/text_serializer.h>

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

std::string Families::text() const {
  return prometheus::TextSerializer().Serialize(families_);
}

}  // namespace chandler::metrics
