// Real daily closes for tests, see tests/data/forecast/README.md.
#pragma once

#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "forecast/series.hpp"

namespace chandler::forecast::testing {

// Cells of a CSV file without its header.
inline std::vector<std::vector<std::string>> read_csv(const std::string& name) {
  const std::string path = CHANDLER_SOURCE_DIR "/tests/data/forecast/" + name;
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string>& row = rows.emplace_back();
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

struct Closes {
  std::vector<std::int32_t> day;
  std::vector<double> close;
  Series series() const { return {day, close}; }
};

inline Closes closes(const std::string& name) {
  Closes result;
  for (const auto& row : read_csv(name + ".csv")) {
    result.day.push_back(std::stoi(row[0]));
    result.close.push_back(std::stod(row[1]));
  }
  return result;
}

}  // namespace chandler::forecast::testing
