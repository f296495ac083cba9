#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "base/log.hpp"
#include "lake/catalog.hpp"
#include "sim/kline_file.hpp"
#include "sim/market.hpp"

namespace chandler::sim {
namespace {

namespace fs = std::filesystem;

// Something to read rows from.
struct Piece {
  std::string symbol;
  Interval interval;
  std::function<Result<Klines>()> read;
};

bool is_lake(const fs::path& path) {
  std::error_code ec;
  return fs::is_directory(path / "klines_1m", ec) || fs::is_directory(path / "klines_1d", ec);
}

Status add_lake(const std::string& uri, std::vector<Piece>& pieces) {
  CHANDLER_ASSIGN(const std::shared_ptr<lake::Storage> storage, lake::open_storage(uri));
  constexpr std::array kTables{lake::Table::klines_1m, lake::Table::klines_1d};
  CHANDLER_ASSIGN(const auto symbols, lake::symbols_of(*storage, kTables));
  for (const std::string& symbol : symbols) {
    for (const lake::Table table : kTables) {
      CHANDLER_ASSIGN(const auto partitions, lake::partitions_of(*storage, table, symbol));
      for (const lake::Partition& partition : partitions) {
        pieces.push_back({symbol, table == lake::Table::klines_1m ? Interval::m1 : Interval::d1,
                          [storage, partition] { return lake::read_klines(*storage, partition); }});
      }
    }
  }
  return {};
}

// In the order of their names, so that which of two files counts does not depend on the disk.
Status add_files(const fs::path& root, std::vector<Piece>& pieces) {
  std::error_code ec;
  const fs::file_status status = fs::status(root, ec);
  if (!fs::exists(status))
    return fail(ErrorCode::not_found, "there is no such file or folder", root.string());
  std::vector<fs::path> files, not_served;
  if (!fs::is_directory(status)) {
    if (is_of_symbol_not_served(root)) {
      return fail(ErrorCode::invalid_data, "the file's symbol has other characters than A-Z and 0-9",
                  root.string(), "give it another name, in capitals, e.g. BTCUSDT-1m-2024-05-01.zip");
    }
    if (!identify(root)) {
      return fail(ErrorCode::invalid_data, "the file's name does not say which candles it holds",
                  root.string(),
                  "name it as the exchange does, e.g. BTCUSDT-1m-2024-05-01.zip or BTCUSDT_1d.csv");
    }
    files.push_back(root);
  } else {
    for (auto it = fs::recursive_directory_iterator(root, ec);
         !ec && it != fs::recursive_directory_iterator(); it.increment(ec)) {
      if (!it->is_regular_file(ec)) continue;
      if (identify(it->path())) files.push_back(it->path());
      if (is_of_symbol_not_served(it->path())) not_served.push_back(it->path());
    }
    if (ec) return fail(ErrorCode::unreachable, "the folder cannot be read: " + ec.message(), root.string());
  }
  if (!not_served.empty()) {
    spdlog::warn(
        "{}: {} of candles left out, since their symbols have other characters than A-Z and 0-9; {} is the "
        "first",
        root.string(), not_served.size() == 1 ? "a file" : fmt::format("{} files", not_served.size()),
        std::ranges::min(not_served).filename().string());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const FileIdentity identity = *identify(file);
    pieces.push_back({identity.symbol, identity.interval,
                      [file, identity] { return read_kline_file(file, identity.interval); }});
  }
  return {};
}

Result<std::map<std::string, SymbolData>> read_all(const std::vector<Piece>& pieces,
                                                   const std::stop_token& stop) {
  std::vector<std::optional<Result<Klines>>> read(pieces.size());
  std::atomic<std::size_t> next{0};
  {
    std::vector<std::jthread> readers;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
      readers.emplace_back([&] {
        for (std::size_t p; !stop.stop_requested() && (p = next++) < pieces.size();)
          read[p] = pieces[p].read();
      });
    }
  }
  if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted while reading the candles");
  std::map<std::string, SymbolData> data;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    CHANDLER_TRY(*read[p]);
    SymbolData& symbol = data[pieces[p].symbol];
    (pieces[p].interval == Interval::m1 ? symbol.minutes : symbol.days).append(**read[p]);
    read[p].reset();
  }
  return data;
}

}  // namespace

Result<std::shared_ptr<const Market>> Market::load(std::span<const std::string> places,
                                                   std::stop_token stop) {
  std::vector<Piece> pieces;
  for (const std::string& place : places) {
    if (place.find("://") != std::string::npos || is_lake(place)) {
      CHANDLER_TRY(add_lake(place, pieces));
    } else {
      CHANDLER_TRY(add_files(place, pieces));
    }
  }
  CHANDLER_ASSIGN(auto data, read_all(pieces, stop));
  auto market = std::make_shared<const Market>(std::move(data));
  if (market->listings().empty()) {
    return fail(ErrorCode::not_found, "there are no candles to serve", places.empty() ? "" : places.front(),
                "name a lake, or files like BTCUSDT-1m-2024-05-01.zip");
  }
  return market;
}

}  // namespace chandler::sim
