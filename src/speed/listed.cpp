#include "speed/listed.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "exchange/symbols.hpp"
#include "lake/catalog.hpp"

namespace chandler::speed {

Status check_listed(const lake::Storage& storage, exchange::RestClient& rest,
                    std::span<const std::string> symbols, std::stop_token stop) {
  constexpr lake::Table kTables[] = {lake::Table::klines_1m, lake::Table::klines_1d, lake::Table::speed_1m};
  CHANDLER_ASSIGN(const auto in_lake, lake::symbols_of(storage, kTables));
  std::set<std::string> unsure(symbols.begin(), symbols.end());
  for (const std::string& symbol : in_lake) unsure.erase(symbol);
  if (unsure.empty()) return {};
  CHANDLER_ASSIGN(const auto info, rest.exchange_info({.stop = std::move(stop)}));
  std::vector<std::string> listed;
  std::ranges::transform(info.symbols, std::back_inserter(listed), &exchange::SymbolInfo::symbol);
  std::string unknown;
  for (const std::string& symbol : listed) unsure.erase(symbol);
  for (const std::string& symbol : unsure) {
    if (!unknown.empty()) unknown += "; ";
    unknown += "unknown symbol " + symbol + exchange::did_you_mean_question(symbol, listed);
  }
  if (unknown.empty()) return {};
  return fail(ErrorCode::not_found, unknown, rest.base_url());
}

}  // namespace chandler::speed
