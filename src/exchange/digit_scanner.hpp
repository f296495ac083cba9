// Reads numbers that follow each other, as the fields of a CSV line do. Where a number ends decides where the
// next one begins, so a reader that looks for each end by itself waits for one look after the other. This one
// marks whatever is no digit in 64 bytes at once; from one mark to the next is a single step.
#pragma once

#include "exchange/decimal.hpp"

namespace chandler::exchange {

// Small, and meant to stay in registers: nothing here takes its address.
class DigitScanner {
 public:
  // So many bytes after the last one that is read must be readable.
  static constexpr std::size_t kPadding = 80;

  explicit DigitScanner(const char* at) { jump(at); }

  const char* at() const { return at_; }
  void jump(const char* to) {
    at_ = base_ = to;
    marks_ = std::uint64_t{swar::others(to)} | std::uint64_t{swar::others(to + 16)} << 16 |
             std::uint64_t{swar::others(to + 32)} << 32 | std::uint64_t{swar::others(to + 48)} << 48;
  }

  // Moves over the character, which must not be a digit, if it comes next.
  [[gnu::always_inline]] bool take(char wanted) {
    if (*at_ != wanted) return false;
    ++at_;
    marks_ &= marks_ - 1;
    return true;
  }

  // digits[.digits], up to 8 on either side of the point: what prices and volumes are. Correctly rounded, as
  // swar::take_decimal is. What is not taken, which may be any number, is left for a slower reader.
  [[gnu::always_inline]] bool take_decimal(double& number) {
    if ((marks_ & (marks_ - 1)) == 0) jump(at_);  // one mark at most: the number may end beyond the window
    const std::uint64_t later = marks_ & (marks_ - 1);
    if (later == 0) return false;
    const auto first = static_cast<unsigned>(std::countr_zero(marks_));
    const unsigned whole = first - static_cast<unsigned>(at_ - base_);
    if (whole - 1 >= 8) return false;
    const std::uint64_t value = swar::digits_value(swar::load8(at_), whole);
    if (base_[first] != '.') {
      number = static_cast<double>(value);
      at_ = base_ + first;
      return true;
    }
    const auto end = static_cast<unsigned>(std::countr_zero(later));
    const unsigned scale = end - first - 1;
    if (scale - 1 >= 8) return false;
    const std::uint64_t mantissa =
        value * swar::kPowers[scale] + swar::digits_value(swar::load8(base_ + first + 1), scale);
    if (mantissa > swar::kExactMantissa) return false;
    number = static_cast<double>(mantissa) / swar::kExactPowers[scale];
    at_ = base_ + end;
    marks_ = later;
    return true;
  }

  // 9 to 16 digits: what stamps are.
  [[gnu::always_inline]] bool take_long_whole(std::uint64_t& value) {
    if (marks_ == 0) jump(at_);
    if (marks_ == 0) return false;
    const auto end = static_cast<unsigned>(std::countr_zero(marks_));
    const unsigned digits = end - static_cast<unsigned>(at_ - base_);
    if (digits - 9 >= 8) return false;
    value = swar::digits_value(swar::load8(at_), 8) * swar::kPowers[digits - 8] +
            swar::digits_value(swar::load8(at_ + 8), digits - 8);
    at_ = base_ + end;
    return true;
  }

  // Moves over a point and zeros after it.
  [[gnu::always_inline]] void take_zero_fraction() {
    if (!take('.')) return;
    while (*at_ == '0') ++at_;
  }

 private:
  const char* at_;
  const char* base_;
  std::uint64_t marks_;  // bit i: base_[i] is no digit, and has not been passed
};

}  // namespace chandler::exchange
