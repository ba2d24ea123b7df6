#include "storage/retention.hpp"

#include <algorithm>

namespace zonesync {

void RetentionClock::sample(Revision head, std::uint64_t bytes, std::int64_t now_ms) {
  if (!samples_.empty()) {
    now_ms = std::max(now_ms, samples_.back().at_ms);  // a clock that jumped back ages nothing
    if (samples_.back().head == head) return;
  }
  samples_.push_back(Sample{head, bytes, now_ms});
  if (samples_.size() <= kSamplesMax) return;
  // Half of the old ones go: coarser for what is old, and what is left is not aged.
  std::deque<Sample> thinned;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const bool recent = i + kSamplesMax / 2 >= samples_.size();
    if (recent || i % 2 == 0) thinned.push_back(samples_[i]);
  }
  samples_ = std::move(thinned);
}

Revision RetentionClock::at(std::int64_t at_ms) const {
  Revision found;
  for (const Sample& sample : samples_) {
    if (sample.at_ms > at_ms) break;
    found = sample.head;
  }
  return found;
}

Revision RetentionClock::with_bytes_behind(std::uint64_t bytes) const {
  Revision found;
  if (samples_.empty()) return found;
  const std::uint64_t total = samples_.back().bytes;
  for (const Sample& sample : samples_) {
    if (total - sample.bytes < bytes) break;
    found = sample.head;
  }
  return found;
}

namespace {

Revision floor_of(const RetentionLimits& limits, const LogState& log, const RetentionClock& clock,
                  std::int64_t now_ms) {
  Revision floor;
  if (limits.revisions != 0 && log.head.value > limits.revisions) {
    floor = Revision{log.head.value - limits.revisions};
  }
  if (limits.age_ms != 0) floor = std::max(floor, clock.at(now_ms - limits.age_ms));
  if (limits.bytes != 0) floor = std::max(floor, clock.with_bytes_behind(limits.bytes));
  return std::min(floor, log.head);
}

Revision tombstone_floor_of(const RetentionLimits& limits, Revision floor,
                            const RetentionClock& clock, const std::vector<ZoneCursor>& zones,
                            std::int64_t now_ms) {
  if (limits.tombstones_ms == 0) return Revision{};
  Revision passed = floor;  // by every zone that may come back with a cursor
  for (const ZoneCursor& zone : zones) {
    if (zone.durable) passed = std::min(passed, zone.acked.value_or(Revision{}));
  }
  return std::min(floor, std::max(passed, clock.at(now_ms - limits.tombstones_ms)));
}

}  // namespace

std::optional<TrimRequest> plan_trim(const RetentionLimits& limits, const LogState& log,
                                     const RetentionClock& clock,
                                     const std::vector<ZoneCursor>& zones, std::int64_t now_ms) {
  if (!limits.trims()) return std::nullopt;
  TrimRequest request;
  request.floor = std::max(log.trim_floor, floor_of(limits, log, clock, now_ms));
  request.tombstone_floor =
      std::max(log.tombstone_floor,
               tombstone_floor_of(limits, request.floor, clock, zones, now_ms));
  return request;
}

}  // namespace zonesync
