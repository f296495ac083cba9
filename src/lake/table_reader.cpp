#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>

#include "lake/metadata.hpp"
#include "lake/table_file.hpp"

namespace chandler::lake {
namespace {

// No partition of ours comes near: a footer that claims more is not ours, or damaged.
constexpr std::int64_t kMostRows = 50'000'000;
// Our footers are up to ten kilobytes; a longer one takes a second read.
constexpr std::size_t kFooterBytes = 16 << 10;

std::string_view type_name(const parquet::ColumnDescriptor& column) {
  const auto& logical = column.logical_type();
  switch (column.physical_type()) {
    case parquet::Type::INT64: {
      if (!logical || !logical->is_timestamp()) return "int64";
      const auto& time = static_cast<const parquet::TimestampLogicalType&>(*logical);
      const bool ours =
          time.is_adjusted_to_utc() && time.time_unit() == parquet::LogicalType::TimeUnit::MILLIS;
      return ours ? "timestamp" : "timestamp-of-another-unit";
    }
    case parquet::Type::INT32:
      return logical && logical->is_date() ? "date" : "int32";
    case parquet::Type::DOUBLE:
      return "double";
    case parquet::Type::BOOLEAN:
      return "boolean";
    case parquet::Type::BYTE_ARRAY:
      return "string";
    default:
      return "unknown";
  }
}

}  // namespace

struct TableFile::State {
  std::string path;
  std::unique_ptr<parquet::ParquetFileReader> reader;
  std::shared_ptr<parquet::FileMetaData> footer;
  Metadata metadata;

  Error damaged(std::string what) const {
    return {ErrorCode::damaged, std::move(what), path,
            "run `chandler verify`: it names every damaged file and what to do about each"};
  }

  // What an exception of the Parquet library means. A disk that cannot be read says nothing about the
  // content.
  Error unreadable(std::string what, const std::exception& e) const {
    const auto* status = dynamic_cast<const parquet::ParquetStatusException*>(&e);
    if (status != nullptr && arrow::internal::ErrnoFromStatus(status->status()) != 0) {
      return {ErrorCode::unreachable, status->status().message(), path,
              "check the disk; the file is as it was"};
    }
    return damaged(fmt::format("{}: {}", what, e.what()));
  }

  // Index of a column that has the wanted physical type.
  Result<int> find(std::string_view column, parquet::Type::type wanted) const {
    const int index = footer->schema()->ColumnIndex(std::string(column));
    if (index < 0) return std::unexpected(damaged(fmt::format("column {} is missing", column)));
    const auto* descriptor = footer->schema()->Column(index);
    if (descriptor->physical_type() != wanted || descriptor->max_repetition_level() != 0 ||
        descriptor->max_definition_level() > 1) {
      return std::unexpected(damaged(fmt::format("column {} has another type than it should", column)));
    }
    return index;
  }

  // Reads one column of all row groups in batches: `room(rows)` gives the memory for one, `store(values, how
  // many there are, definition levels or null, rows)` takes it.
  template <class DType, class Room, class Store>
  Status read(std::string_view column, Room room, Store store) {
    CHANDLER_ASSIGN(const int index, find(column, DType::type_num));
    const bool nullable = footer->schema()->Column(index)->max_definition_level() == 1;
    constexpr std::int64_t kBatch = 65'536;
    std::vector<std::int16_t> levels(nullable ? kBatch : 0);
    try {
      for (int group = 0; group < reader->metadata()->num_row_groups(); ++group) {
        const auto chunk = reader->RowGroup(group)->Column(index);
        auto& typed = static_cast<parquet::TypedColumnReader<DType>&>(*chunk);
        std::int64_t left = footer->RowGroup(group)->num_rows();
        while (left > 0) {
          std::int64_t values_read = 0;
          typename DType::c_type* const values = room(std::min(left, kBatch));
          const std::int64_t rows = typed.ReadBatch(
              std::min(left, kBatch), nullable ? levels.data() : nullptr, nullptr, values, &values_read);
          if (rows <= 0) return std::unexpected(damaged(fmt::format("column {} ends early", column)));
          if (!nullable && values_read != rows) {
            return std::unexpected(damaged(fmt::format("column {} ends early", column)));
          }
          CHANDLER_TRY(store(values, values_read, nullable ? levels.data() : nullptr, rows));
          left -= rows;
        }
      }
    } catch (const std::exception& e) {
      return std::unexpected(unreadable(fmt::format("column {} cannot be read", column), e));
    }
    return {};
  }

  // The plain case: values are decoded to where they belong, and spread from there where nulls lie between
  // them.
  template <class DType>
  Status read_into(std::string_view column, std::vector<typename DType::c_type>& to,
                   typename DType::c_type unknown) {
    to.clear();
    to.reserve(static_cast<std::size_t>(footer->num_rows()));
    std::size_t done = 0;
    const auto room = [&](std::int64_t rows) {
      to.resize(done + static_cast<std::size_t>(rows));
      return to.data() + done;
    };
    return read<DType>(
        column, room,
        [&](auto* values, std::int64_t count, const std::int16_t* levels, std::int64_t rows) -> Status {
          if (count == 0) {
            std::fill_n(values, rows, unknown);
          } else if (count < rows) {
            for (std::int64_t i = rows; i > 0; --i)
              values[i - 1] = levels[i - 1] != 0 ? values[--count] : unknown;
          }
          done += static_cast<std::size_t>(rows);
          to.resize(done);
          return {};
        });
  }

  // Values of another type than the one that is stored, none of them null.
  template <class DType, class T, class Convert>
  Status read_converted(std::string_view column, std::vector<T>& to, Convert convert) {
    to.clear();
    std::vector<std::byte> memory;
    const auto room = [&](std::int64_t rows) {
      memory.resize(static_cast<std::size_t>(rows) * sizeof(typename DType::c_type));
      return reinterpret_cast<typename DType::c_type*>(memory.data());
    };
    return read<DType>(
        column, room,
        [&](const auto* values, std::int64_t count, const std::int16_t*, std::int64_t) -> Status {
          for (std::int64_t i = 0; i < count; ++i) {
            CHANDLER_ASSIGN(const T value, convert(values[i]));
            to.push_back(value);
          }
          return {};
        });
  }
};

TableFile::TableFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
TableFile::TableFile(TableFile&&) noexcept = default;
TableFile& TableFile::operator=(TableFile&&) noexcept = default;
TableFile::~TableFile() = default;

Result<TableFile> TableFile::open(std::shared_ptr<arrow::io::RandomAccessFile> file, std::string path) {
  auto state = std::make_unique<State>();
  state->path = std::move(path);
  try {
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    properties.set_footer_read_size(kFooterBytes);
    state->reader = parquet::ParquetFileReader::Open(std::move(file), properties);
    state->footer = state->reader->metadata();
    if (const auto pairs = state->footer->key_value_metadata()) {
      for (std::int64_t i = 0; i < pairs->size(); ++i)
        state->metadata.emplace(pairs->key(i), pairs->value(i));
    }
    const auto seal = state->metadata.find(kSealKey);
    // Another tool that rewrites a file keeps its entries, the seal among them, and adds or changes others.
    const bool is_ours = state->footer->created_by() == kCreatedBy;
    if (is_ours && seal != state->metadata.end() && seal->second != seal_of(state->metadata)) {
      return std::unexpected(state->damaged("the footer's entries are not the ones that were written"));
    }
    if (state->footer->num_rows() < 0 || state->footer->num_rows() > kMostRows) {
      return std::unexpected(state->damaged("the footer claims an impossible number of rows"));
    }
    std::int64_t rows = 0;
    for (int group = 0; group < state->footer->num_row_groups(); ++group) {
      const std::int64_t group_rows = state->footer->RowGroup(group)->num_rows();
      if (group_rows < 0)
        return std::unexpected(state->damaged("the footer claims an impossible number of rows"));
      rows += group_rows;
    }
    if (rows != state->footer->num_rows()) {
      return std::unexpected(state->damaged("the footer contradicts itself about the number of rows"));
    }
  } catch (const std::exception& e) {
    return std::unexpected(state->unreadable("this is not a readable Parquet file", e));
  }
  return TableFile(std::move(state));
}

std::size_t TableFile::rows() const {
  return static_cast<std::size_t>(state_->footer->num_rows());
}
const Metadata& TableFile::metadata() const {
  return state_->metadata;
}
bool TableFile::is_of_chandler() const {
  return state_->footer->created_by() == kCreatedBy;
}
const std::string& TableFile::path() const {
  return state_->path;
}

bool TableFile::has_column(std::string_view name) const {
  return state_->footer->schema()->ColumnIndex(std::string(name)) >= 0;
}

std::optional<std::pair<std::int64_t, std::int64_t>> TableFile::bounds(std::string_view column) const {
  const auto index = state_->find(column, parquet::Type::INT64);
  if (!index) return std::nullopt;
  std::optional<std::pair<std::int64_t, std::int64_t>> bounds;
  try {
    for (int group = 0; group < state_->footer->num_row_groups(); ++group) {
      const auto statistics = state_->footer->RowGroup(group)->ColumnChunk(*index)->statistics();
      if (!statistics || !statistics->HasMinMax()) return std::nullopt;
      const auto& typed = static_cast<const parquet::Int64Statistics&>(*statistics);
      if (!bounds) bounds.emplace(typed.min(), typed.max());
      bounds->first = std::min(bounds->first, typed.min());
      bounds->second = std::max(bounds->second, typed.max());
    }
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return bounds;
}

std::vector<std::string> TableFile::schema() const {
  std::vector<std::string> columns;
  const auto* schema = state_->footer->schema();
  for (int i = 0; i < schema->num_columns(); ++i) {
    const auto* column = schema->Column(i);
    columns.push_back(fmt::format("{} {}{}", type_name(*column), column->name(),
                                  column->max_definition_level() > 0 ? "?" : ""));
  }
  return columns;
}

Status TableFile::read(std::string_view column, std::vector<std::int64_t>& values) {
  return state_->read_into<parquet::Int64Type>(column, values, candles::kUnknownTrades);
}

Status TableFile::read(std::string_view column, std::vector<std::int32_t>& values) {
  return state_->read_into<parquet::Int32Type>(column, values, std::int32_t{0});
}

Status TableFile::read(std::string_view column, std::vector<double>& values) {
  return state_->read_into<parquet::DoubleType>(column, values, candles::kUnknown);
}

Status TableFile::read(std::string_view column, std::vector<std::uint8_t>& values) {
  return state_->read_converted<parquet::BooleanType>(
      column, values, [](bool flag) -> Result<std::uint8_t> { return flag ? 1 : 0; });
}

Status TableFile::read(std::string_view column, std::vector<candles::Source>& values) {
  return state_->read_converted<parquet::ByteArrayType>(
      column, values, [&](const parquet::ByteArray& bytes) -> Result<candles::Source> {
        const std::string_view word(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
        if (const auto source = candles::parse_source(word)) return *source;
        return std::unexpected(state_->damaged(fmt::format("'{}' is not a source", word.substr(0, 40))));
      });
}

}  // namespace chandler::lake
