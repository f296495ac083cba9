// Names of trading pairs, as users write them and as the exchange does.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chandler::exchange {

// "btc/usdt", "BTC-USDT", "btc_usdt" → "BTCUSDT". Bytes beyond ASCII stay as they are.
std::string normalise_symbol(std::string_view name);

// Up to `count` of the listed symbols that the writer of `name` may have meant, most likely first: the same
// pair with another quote asset of the same currency (USD → USDT, USDC, …), another name of the asset (XBT →
// BTC), or at most two typing mistakes (optimal string alignment distance). Deterministic; empty where
// nothing is near.
std::vector<std::string> did_you_mean(std::string_view name, std::span<const std::string> listed,
                                      std::size_t count = 3);
// The same as the end of a sentence: "; did you mean A, B or C?", or nothing where nothing is near.
std::string did_you_mean_question(std::string_view name, std::span<const std::string> listed);

}  // namespace chandler::exchange
