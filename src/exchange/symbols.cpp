#include "exchange/symbols.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/edit_distance.hpp"

namespace chandler::exchange {
namespace {

struct Alias {
  std::string_view written;
  std::string_view listed;
};

// Currencies and the assets that stand for them, and assets with two names.
constexpr std::array kQuoteAliases = {Alias{"USD", "USDT"}, Alias{"USD", "USDC"},  Alias{"USD", "FDUSD"},
                                      Alias{"USD", "BUSD"}, Alias{"USDT", "USDC"}, Alias{"USDC", "USDT"},
                                      Alias{"EUR", "EURI"}, Alias{"XBT", "BTC"}};
constexpr std::array kBaseAliases = {Alias{"XBT", "BTC"}, Alias{"BCC", "BCH"}, Alias{"XDG", "DOGE"},
                                     Alias{"MIOTA", "IOTA"}};
constexpr std::size_t kMostMistakes = 2;

// The name itself and what it is called where assets go by other names, most likely first.
std::vector<std::string> readings(const std::string& name) {
  std::vector<std::string> bases{name};
  for (const Alias& alias : kBaseAliases) {
    if (name.starts_with(alias.written))
      bases.push_back(std::string(alias.listed) + name.substr(alias.written.size()));
  }
  std::vector<std::string> all = bases;
  for (const std::string& base : bases) {
    for (const Alias& alias : kQuoteAliases) {
      if (base.size() > alias.written.size() && base.ends_with(alias.written))
        all.push_back(base.substr(0, base.size() - alias.written.size()) + std::string(alias.listed));
    }
  }
  // An asset alone: priced in the commonest quote asset.
  for (const std::string& base : bases) all.push_back(base + "USDT");
  return all;
}

}  // namespace

std::string normalise_symbol(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '/' || c == '-' || c == '_' || c == ':' || c == ' ') continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::vector<std::string> did_you_mean(std::string_view name, std::span<const std::string> listed,
                                      std::size_t count) {
  const std::string wanted = normalise_symbol(name);
  if (wanted.empty()) return {};
  const std::vector<std::string> meant = readings(wanted);
  using Candidate =
      std::tuple<std::size_t, std::size_t, std::string_view>;  // reading or distance; length gap; name
  std::vector<Candidate> candidates;
  for (const std::string& symbol : listed) {
    const auto reading = static_cast<std::size_t>(std::ranges::find(meant, symbol) - meant.begin());
    if (reading < meant.size()) {
      candidates.emplace_back(reading, 0, symbol);
      continue;
    }
    const std::size_t gap = std::max(symbol.size(), wanted.size()) - std::min(symbol.size(), wanted.size());
    if (gap > kMostMistakes || wanted.size() <= kMostMistakes) continue;
    const std::size_t mistakes = edit_distance(wanted, symbol);
    if (mistakes <= kMostMistakes) candidates.emplace_back(meant.size() + mistakes, gap, symbol);
  }
  std::ranges::sort(candidates);
  std::vector<std::string> best;
  for (const auto& [rank, gap, symbol] : candidates) {
    if (best.size() == count) break;
    if (best.empty() || best.back() != symbol) best.emplace_back(symbol);
  }
  return best;
}

std::string did_you_mean_question(std::string_view name, std::span<const std::string> listed) {
  const auto near = did_you_mean(name, listed);
  std::string question;
  for (std::size_t i = 0; i < near.size(); ++i)
    question += (i == 0 ? "; did you mean " : i + 1 == near.size() ? " or " : ", ") + near[i];
  return question.empty() ? question : question + "?";
}

}  // namespace chandler::exchange
