#include "speed/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/log.hpp"

namespace chandler::speed {
namespace {

constexpr int kMaxFailures = 30;
constexpr std::chrono::milliseconds kFlushAfterStop{2'500};
constexpr auto kNever = std::numeric_limits<std::chrono::nanoseconds::rep>::max();

void add(Figures::Count& count, std::uint64_t n = 1) {
  count.fetch_add(n, std::memory_order_relaxed);
}

}  // namespace

Pipeline::Pipeline(lake::Storage& storage, Clock& clock, DeadLetters& dead_letters, Figures& figures,
                   PipelineOptions options)
    : storage_(storage),
      clock_(clock),
      dead_letters_(dead_letters),
      figures_(figures),
      options_(std::move(options)),
      state_(options_.lateness),
      last_commit_(clock.steady()),
      latest_plausible_ms_(to_ms(clock.now() + kDay)),
      stopped_at_(kNever),
      on_stop_(options_.stop, [this] { stopped_at_ = clock_.steady().count(); }) {}

Pipeline::~Pipeline() {
  if (committing_.valid()) committing_.wait();
}

Result<Pipeline::Stream> Pipeline::open_stream(const std::string& name) {
  CHANDLER_ASSIGN(const Resume from, resume(storage_, name, promised_));
  Stream stream{state_.add_stream(name, from.position, from.watermark), from.position};
  stream_names_.resize(std::max(stream_names_.size(), stream.index + 1));
  stream_names_[stream.index] = name;
  stored_positions_.resize(stream_names_.size());
  stored_positions_[stream.index].reset();
  return stream;
}

Status Pipeline::close_streams(std::span<const std::size_t> indices) {
  CHANDLER_TRY(flush());
  for (const std::size_t index : indices) state_.end_stream(index);
  return {};
}

std::optional<Rejection> Pipeline::fault_of(const RawMessage& message, exchange::EventKind kind) const {
  if (const auto why = rejection_of(parser_, kind, exchange::EventKind::kline)) return why;
  const auto& event = parser_.kline();
  if (!message.key.empty() && message.key != event.symbol) return Rejection::key_differs;
  if (!options_.symbols.empty() && !options_.symbols.contains(event.symbol)) return Rejection::unknown_symbol;
  // The exchange's clock may differ from ours, but not by a day.
  if (to_ms(event.event_time) > latest_plausible_ms_) return Rejection::bad_time;
  return std::nullopt;
}

Status Pipeline::reject(const RawMessage& message, Rejection why) {
  figures_.reject(why);
  const std::string& stream = stream_names_[message.stream];
  rejections_.name(message.offset < 0 ? stream : fmt::format("{} offset {}", stream, message.offset),
                   message.payload, why);
  return dead_letters_.put({stream, message.offset, message.key, message.payload, describe(why)});
}

Status Pipeline::take(const RawMessage& message) {
  add(figures_.messages);
  add(figures_.bytes, message.payload.size());
  const auto kind = parser_.parse(message.payload);
  if (message.offset >= 0) state_.advance(message.stream, message.offset + 1);
  if (kind == exchange::EventKind::answer) return {};
  if (const auto why = fault_of(message, kind)) return reject(message, *why);

  const auto& event = parser_.kline();
  const Applied applied =
      state_.apply(message.stream, {event.symbol, to_ms(event.event_time), event.closed, event.kline});
  switch (applied.effect) {
    case Effect::closed_minute:
      add(figures_.closed);
      last_closed_ = clock_.steady();
      if (message.received) note_received(*message.received);
      break;
    case Effect::open_minute:
      add(figures_.open);
      break;
    case Effect::repeated:
      add(figures_.repeated);
      break;
  }
  if (applied.late) add(figures_.late);
  if (to_ms(event.event_time) > figures_.newest_event_ms.load(std::memory_order_relaxed)) {
    figures_.newest_event_ms.store(to_ms(event.event_time), std::memory_order_relaxed);
  }
  return {};
}

void Pipeline::note_received(Timestamp at) {
  if (arrivals_.empty() || arrivals_.back().first != at) arrivals_.emplace_back(at, 0);
  ++arrivals_.back().second;
}

void Pipeline::note_touched(const CommitBatch& batch) {
  for (const SymbolChanges& changes : batch.symbols) {
    std::optional<Day> last;
    for (const StoredMinute& minute : changes.closed) {
      const Day day = day_of(from_ms(minute.kline.open_time));
      if (day != last) touched_.emplace(changes.symbol, day);
      last = day;
    }
  }
  for (const auto& snapshot : batch.snapshots) {
    for (const auto& candle : snapshot.open)
      touched_.emplace(candle.symbol, day_of(from_ms(candle.kline.open_time)));
  }
}

bool Pipeline::time_is_up() const {
  const std::chrono::nanoseconds stopped{stopped_at_.load()};
  return stopped.count() != kNever && clock_.steady() - stopped >= kFlushAfterStop;
}

void Pipeline::start_commit() {
  last_commit_ = clock_.steady();
  auto batch = std::make_shared<const CommitBatch>(state_.take());
  if (batch->empty()) return;
  in_flight_ = batch;
  arrivals_in_flight_ = std::exchange(arrivals_, {});
  committing_ = std::async(std::launch::async, [this, batch]() -> Result<Committed> {
    CHANDLER_TRY(dead_letters_.flush());
    const auto started = clock_.steady();
    auto done = commit(storage_, *batch, options_.purpose, [this] { return time_is_up(); });
    if (done) figures_.commit.add(std::chrono::round<Millis>(clock_.steady() - started));
    return done;
  });
}

Status Pipeline::finish_commit() {
  if (!committing_.valid()) return {};
  const auto done = committing_.get();
  const auto batch = std::exchange(in_flight_, nullptr);
  if (!done) {
    state_.put_back(*batch);
    arrivals_.insert(arrivals_.begin(), arrivals_in_flight_.begin(), arrivals_in_flight_.end());
    if (done.error().code == ErrorCode::interrupted) return std::unexpected(done.error());
    add(figures_.commit_failures);
    if (++failures_ >= kMaxFailures || done.error().code == ErrorCode::damaged)
      return std::unexpected(done.error());
    spdlog::warn("a commit failed and will be tried again: {}", to_text(done.error()));
    failure_ = done.error();
    return {};
  }
  failures_ = 0;
  note_touched(*batch);
  for (const auto& snapshot : batch->snapshots) {
    const auto it = std::ranges::find(stream_names_, snapshot.stream);
    if (it != stream_names_.end())
      stored_positions_[static_cast<std::size_t>(it - stream_names_.begin())] = snapshot.position;
  }
  add(figures_.commits);
  add(figures_.files, done->files);
  add(figures_.minutes_added, done->added);
  add(figures_.minutes_replaced, done->replaced);
  const Timestamp now = clock_.now();
  figures_.last_commit_ms = to_ms(now);
  for (const auto& [received, count] : arrivals_in_flight_) figures_.storing.add(now - received, count);
  return {};
}

Status Pipeline::tick() {
  latest_plausible_ms_ = to_ms(clock_.now() + kDay);
  figures_.pending_minutes = static_cast<std::int64_t>(state_.pending_minutes());
  if (const auto watermark = state_.watermark()) figures_.watermark_ms = to_ms(*watermark);
  if (committing_.valid()) {
    if (committing_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return {};
    CHANDLER_TRY(finish_commit());
  }
  const auto now = clock_.steady();
  const bool settled = state_.pending_minutes() > 0 && now - last_closed_ >= options_.settled;
  const bool due = now - last_commit_ >= (settled ? options_.trigger / 2 : options_.trigger);
  const bool many = failures_ == 0 && state_.pending_minutes() >= options_.commit_minutes;
  if ((due || many) && state_.has_changes()) start_commit();
  return {};
}

std::optional<std::int64_t> Pipeline::stored_position(std::size_t stream) const {
  return stored_positions_[stream];
}

Status Pipeline::flush() {
  CHANDLER_TRY(finish_commit());
  while (state_.has_changes()) {
    start_commit();
    const int before = failures_;
    CHANDLER_TRY(finish_commit());
    if (failures_ == before || failures_ == 0) continue;
    if (time_is_up()) return std::unexpected(failure_);
    clock_.sleep(std::chrono::milliseconds{200});
  }
  return {};
}

}  // namespace chandler::speed
