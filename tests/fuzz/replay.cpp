// `fuzz_TARGET --replay=RUNS ARTIFACT SEED…`: the seeds as they are, then so many inputs that are made of
// them by blind mutation with fixed dice, then the end. The same tree gives the same inputs on every machine,
// which libFuzzer's -seed does not: what that tries next also depends on addresses, on threads, and on the
// order of a folder. An input that breaks the target is written to ARTIFACT; `fuzz_TARGET ARTIFACT` plays it
// again.
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

using namespace std::literals;

namespace {

constexpr std::size_t kLongest = 20'000;
constexpr unsigned kHangs = 300;  // seconds; far more than any input takes on a busy machine

std::string g_input;
const char* g_artifact = nullptr;

void keep_input() {
  if (std::FILE* file = std::fopen(g_artifact, "wb")) {
    std::fwrite(g_input.data(), 1, g_input.size(), file);
    std::fclose(file);
  }
}

void on_alarm(int) {
  keep_input();
  constexpr std::string_view kText = "replay: an input takes longer than five minutes\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(1);
}

void run_one() {
  // An exact copy on the heap, so that a read beyond it is seen.
  const auto copy = std::make_unique<std::uint8_t[]>(g_input.size());
  std::copy(g_input.begin(), g_input.end(), copy.get());
  ::alarm(kHangs);
  LLVMFuzzerTestOneInput(copy.get(), g_input.size());
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string next() {
    std::string text;
    if (seeds_.empty() || below(16) == 0) {
      insert_random(text, 1 + below(512));
    } else {
      text = seeds_[below(seeds_.size())];
    }
    for (std::size_t rounds = 1 + below(4); rounds > 0; --rounds) mutate(text);
    if (text.size() > kLongest) text.resize(kLongest);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(dice_() % n); }
  char byte() { return static_cast<char>(dice_()); }

  void insert_random(std::string& text, std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += byte();
    text.insert(below(text.size() + 1), bytes);
  }

  // Somewhere in the text, mostly short.
  std::pair<std::size_t, std::size_t> range(const std::string& text) {
    const std::size_t begin = below(text.size());
    return {begin, 1 + below(std::min<std::size_t>(text.size() - begin, std::size_t{1} << below(12)))};
  }

  void replace_number(std::string& text) {
    static constexpr std::array<std::string_view, 16> kNumbers = {"0",
                                                                  "-1",
                                                                  "-0",
                                                                  "1e308",
                                                                  "1e309",
                                                                  "5e-324",
                                                                  "0.00000001",
                                                                  "9223372036854775807",
                                                                  "9223372036854775808",
                                                                  "-9223372036854775808",
                                                                  "4294967296",
                                                                  "1717200000000",
                                                                  "1717200059999",
                                                                  "1717200000000000",
                                                                  "nan",
                                                                  "null"};
    std::size_t begin = below(text.size());
    while (begin < text.size() && std::isdigit(static_cast<unsigned char>(text[begin])) == 0) ++begin;
    std::size_t end = begin;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    text.replace(begin, end - begin, kNumbers[below(kNumbers.size())]);
  }

  void mutate(std::string& text) {
    static constexpr std::string_view kSigns = "\",:;{}[]()\\/\n\r\t\0-+.eE0 9=&?%#*<>'@\x7f\xc3\xff"sv;
    if (text.empty()) return insert_random(text, 1 + below(16));
    const auto [begin, length] = range(text);
    switch (below(10)) {
      case 0:
        text[begin] = static_cast<char>(text[begin] ^ (1 << below(8)));
        break;
      case 1:
        text[begin] = byte();
        break;
      case 2:
        text[begin] = kSigns[below(kSigns.size())];
        break;
      case 3:
        text.erase(begin, length);
        break;
      case 4:
        insert_random(text, 1 + below(8));
        break;
      case 5:
        text.insert(below(text.size() + 1), text.substr(begin, length));
        break;
      case 6:
        if (!seeds_.empty()) {
          const std::string& other = seeds_[below(seeds_.size())];
          if (other.empty()) break;
          const auto [from, count] = range(other);
          text.insert(below(text.size() + 1), other, from, count);
        }
        break;
      case 7:
        for (std::size_t i = begin; i < std::min(text.size(), begin + (std::size_t{1} << below(4))); ++i)
          text[i] = below(2) == 0 ? '\xff' : '\0';
        break;
      case 8:
        replace_number(text);
        break;
      default:
        text.resize(begin);
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 dice_{1};
};

int replay(std::size_t runs, const std::vector<std::string>& files) {
  std::vector<std::string> seeds;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (!in) {
      std::fprintf(stderr, "replay: %s cannot be read\n", file.c_str());
      return 1;
    }
  }
  std::signal(SIGALRM, on_alarm);
  __sanitizer_set_death_callback(keep_input);
  for (const std::string& seed : seeds) {
    g_input = seed;
    run_one();
  }
  Mutator mutator(seeds);
  std::uint64_t digest =
      14'695'981'039'346'656'037U;  // FNV-1a over all inputs: the same figure, the same inputs
  for (std::size_t i = 0; i < runs; ++i) {
    g_input = mutator.next();
    for (const char c : g_input) digest = (digest ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    run_one();
  }
  std::printf("%zu seeds, %zu inputs %016llx\n", seeds.size(), runs, static_cast<unsigned long long>(digest));
  return 0;
}

}  // namespace

// Called by libFuzzer's main() before anything else.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kFlag = "--replay=";
  const std::vector<std::string> arguments(*argv + 1, *argv + *argc);
  if (arguments.size() < 2 || !arguments[0].starts_with(kFlag)) return 0;
  g_artifact = (*argv)[2];
  std::exit(replay(std::stoul(arguments[0].substr(kFlag.size())), {arguments.begin() + 2, arguments.end()}));
}
