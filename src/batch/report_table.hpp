// A table of a report: what a terminal, a CSV file, a JSON document and a web page show alike.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chandler::batch {

// Empty: unknown.
using ReportCell = std::variant<std::monostate, std::string, std::int64_t, double, bool>;
using ReportRow = std::vector<ReportCell>;

// Rows that are kept, or made whenever one is looked at: a row for every day of hundreds of symbols, as
// cells, would take more memory than all the rest of a report. An order or a choice of rows costs a number a
// row.
class ReportRows {
 public:
  // What a made row shows must outlive the rows. Made rows have the same kind of cell in each column.
  using Make = std::function<ReportRow(std::size_t)>;

  class Iterator {
   public:
    Iterator(const ReportRows& rows, std::size_t at) : rows_(&rows), at_(at) {}
    ReportRow operator*() const { return (*rows_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const ReportRows* rows_;
    std::size_t at_;
  };

  ReportRows() = default;
  ReportRows(std::initializer_list<ReportRow> rows) : kept_(rows), order_(in_order(rows.size())) {}
  ReportRows(std::size_t count, Make make) : made_(count), make_(std::move(make)), order_(in_order(count)) {}

  std::size_t size() const { return order_.size(); }
  bool empty() const { return order_.empty(); }
  ReportRow operator[](std::size_t i) const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  void push_back(ReportRow row);
  // The largest key first; rows of one key stay as they are.
  void sort_down_by(const std::function<double(const ReportRow&)>& key);
  void keep_if(const std::function<bool(const ReportRow&)>& wanted);
  // Whether any row has a number there.
  bool any_number(std::size_t column) const;

 private:
  static std::vector<std::uint32_t> in_order(std::size_t count);

  std::size_t made_ = 0;  // numbers below are of made rows, the others of kept ones
  Make make_;
  std::vector<ReportRow> kept_;
  std::vector<std::uint32_t> order_;
};

struct ReportTable {
  std::string name;   // of the CSV file, without its ending; a fixed word
  std::string title;  // for people
  std::vector<std::string> columns;
  ReportRows rows = {};  // as many cells as columns
};

// Which column has the name; one of them does.
std::size_t column_of(const ReportTable& table, std::string_view name);

// A cell as people read it: digits grouped, as many as the eye wants; years and months as they are; "" for
// unknown.
std::string cell_text(std::string_view column, const ReportCell& cell);
bool is_numeric(const ReportTable& table, std::size_t column);

// Worst first, for the eye; the CSV files keep the order of symbol and time. per_day_counts: days that lack
// minutes, those that lack most first, before whole ones and before days that are known as days only; and
// summary: what lacks most minutes. Other tables stay as they are.
ReportTable worst_first(ReportTable table);

// CSV with a header; numbers as short as gives them back, unknown as nothing.
std::string to_csv(const ReportTable& table);

}  // namespace chandler::batch
