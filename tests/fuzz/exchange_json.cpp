// /api/v3/exchangeInfo, /api/v3/time and error bodies. Reference: nlohmann/json.
#include "exchange/payload.hpp"
#include "exchange/symbols.hpp"
#include "fuzz_target.hpp"
#include "reference_json.hpp"

using namespace chandler;

namespace {

void check_info(const exchange::ExchangeInfo& info, const std::optional<nlohmann::json>& reference) {
  fuzz::require(info.weight_per_minute >= 0, "a limit is not negative");
  if (!reference) return;
  const auto& symbols = (*reference)["symbols"];
  fuzz::require(symbols.size() == info.symbols.size(), "every symbol is there");
  for (std::size_t i = 0; i < symbols.size(); ++i)
    fuzz::require(symbols[i]["symbol"] == info.symbols[i].symbol, "symbols are as written, in order");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto info = exchange::parse_exchange_info(text);
  const auto time = exchange::parse_server_time(text);
  const auto error = exchange::parse_error(text);
  const bool any = info || time || error;
  const auto reference = any ? fuzz::reference_json(text) : std::nullopt;
  if (info) check_info(*info, reference);
  if (info && !info->symbols.empty()) {
    std::vector<std::string> names;
    for (const auto& symbol : info->symbols) names.push_back(symbol.symbol);
    fuzz::require(exchange::did_you_mean(exchange::normalise_symbol(text.substr(0, 24)), names).size() <= 3,
                  "at most three names are suggested");
  }
  if (error && reference)
    fuzz::require((*reference)["code"].get<double>() == error->code, "the code is the one that is written");
  return 0;
}
