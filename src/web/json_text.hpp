// JSON written straight into a string, for the documents that hold many numbers. Small ones use
// nlohmann::json.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace chandler::web {

// Escaped, in quotes; bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
// As few digits as give the value back; null for NaN and infinities.
void append_number(std::string& out, double value);
void append_number(std::string& out, std::int64_t value);
void append_instant(std::string& out, Timestamp t);  // "2024-05-01T00:00:00Z", in quotes

// ,"name":[…] — the comma only where `out` does not end with '{'.
void append_column(std::string& out, std::string_view name, std::span<const double> values);
void append_column(std::string& out, std::string_view name, std::span<const std::int64_t> values);
void append_column(std::string& out, std::string_view name, std::span<const std::int32_t> values);
void append_column(std::string& out, std::string_view name, std::span<const std::uint8_t> values);  // 0 or 1
// ,"name":
void append_name(std::string& out, std::string_view name);

}  // namespace chandler::web
