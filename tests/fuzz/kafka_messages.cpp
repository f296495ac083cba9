// Messages of a topic, one a line, "key<tab>payload" or just the payload, through the whole speed layer into
// a lake in memory. Reading the topic again must change nothing: each minute exactly once.
#include <spdlog/spdlog.h>

#include "fuzz_target.hpp"
#include "lake/catalog.hpp"
#include "memory_storage.hpp"
#include "speed/pipeline.hpp"

using namespace chandler;

namespace {

class Counter final : public speed::DeadLetters {
 public:
  std::size_t letters = 0;
  Status put(const speed::DeadLetter& letter) override {
    fuzz::require(!letter.reason.empty(), "a dead letter has a reason");
    ++letters;
    return {};
  }
  Status flush() override { return {}; }
};

// Takes every message from the given offset on and stores what they say.
void consume(std::string_view topic, fuzz::MemoryStorage& storage, Clock& clock, bool from_start) {
  Counter dead;
  speed::Figures figures;
  speed::Pipeline pipeline(storage, clock, dead, figures, {.purpose = "test"});
  const auto stream = pipeline.open_stream("klines/0");
  fuzz::require(stream.has_value(), "a stream of our own lake can be opened");
  std::int64_t offset = 0;
  std::uint64_t taken = 0;
  const std::int64_t first = from_start ? 0 : stream->position.value_or(0);
  while (!topic.empty()) {
    std::string_view line = topic.substr(0, topic.find('\n'));
    topic.remove_prefix(std::min(topic.size(), line.size() + 1));
    const std::size_t tab = line.find('\t');
    const auto key = tab == line.npos ? std::string_view{} : line.substr(0, tab);
    if (tab != line.npos) line.remove_prefix(tab + 1);
    if (offset >= first) {
      fuzz::require(pipeline.take({stream->index, offset, key, line}).has_value(),
                    "any message can be taken");
      ++taken;
    }
    ++offset;
  }
  fuzz::require(pipeline.flush().has_value(), "what was taken can be stored");
  fuzz::require(figures.messages == taken, "every message is counted");
  fuzz::require(figures.rejected_total() == dead.letters, "every rejected message is put aside");
  fuzz::require(taken == 0 || pipeline.stored_position(stream->index) == offset, "the position is stored");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  const auto topic = fuzz::text_of(data, size);
  ManualClock clock(from_ms(1'717'200'000'000));
  fuzz::MemoryStorage storage;
  consume(topic, storage, clock, false);
  const auto first = storage.files;
  constexpr lake::Table kSpeed[] = {lake::Table::speed_1m};
  for (const std::string& symbol : *lake::symbols_of(storage, kSpeed)) {
    for (const auto& partition : *lake::partitions_of(storage, lake::Table::speed_1m, symbol))
      fuzz::require(lake::read_klines(storage, partition).has_value(), "what was stored can be read");
  }
  fuzz::require(lake::read_snapshots(storage).has_value(), "snapshots can be read");
  consume(topic, storage, clock, true);
  for (const auto& [path, bytes] : storage.files) {
    const auto it = first.find(path);
    fuzz::require(it != first.end() && it->second->Equals(*bytes), "a replay changes no file");
  }
  return 0;
}
