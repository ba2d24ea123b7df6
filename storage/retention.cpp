#include "storage/retention.hpp"

#include <algorithm>
#include <utility>

namespace zonesync {

bool RetentionPolicy::trims() const {
  const auto limited = [](const auto& own) { return own.second.trims(); };
  return rest.trims() || std::any_of(types.begin(), types.end(), limited);
}

std::uint64_t RetentionClock::Sample::bytes_of(const std::string& type) const {
  if (type.empty()) return bytes;
  const auto own = type_bytes.find(type);
  return own == type_bytes.end() ? 0 : own->second;
}

void RetentionClock::sample(Revision head, std::uint64_t bytes, std::int64_t now_ms,
                            TypeBytes type_bytes) {
  if (!samples_.empty()) {
    now_ms = std::max(now_ms, samples_.back().at_ms);  // a clock that jumped back ages nothing
    if (samples_.back().head == head) return;
  }
  samples_.push_back(Sample{head, bytes, now_ms, std::move(type_bytes)});
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

Revision RetentionClock::with_bytes_behind(std::uint64_t bytes, const std::string& type) const {
  Revision found;
  if (samples_.empty()) return found;
  const std::uint64_t total = samples_.back().bytes_of(type);
  for (const Sample& sample : samples_) {
    if (total - sample.bytes_of(type) < bytes) break;
    found = sample.head;
  }
  return found;
}

namespace {

Revision floor_of(const RetentionLimits& limits, const std::string& type, const LogState& log,
                  const RetentionClock& clock, std::int64_t now_ms) {
  Revision floor;
  if (limits.revisions != 0 && log.head.value > limits.revisions) {
    floor = Revision{log.head.value - limits.revisions};
  }
  if (limits.age_ms != 0) floor = std::max(floor, clock.at(now_ms - limits.age_ms));
  if (limits.bytes != 0) floor = std::max(floor, clock.with_bytes_behind(limits.bytes, type));
  return std::min(floor, log.head);
}

// The repair of a zone that was away too long removes nothing on the word of a partial log: what is
// deleted in one must be told by its leave, however late.
Revision tombstone_floor_of(const RetentionLimits& limits, Revision floor, bool complete,
                            const RetentionClock& clock, const std::vector<ZoneCursor>& zones,
                            std::int64_t now_ms) {
  if (limits.tombstones_ms == 0) return Revision{};
  const Revision expired = complete ? clock.at(now_ms - limits.tombstones_ms) : Revision{};
  Revision passed = floor;  // by every zone that may come back with a cursor
  for (const ZoneCursor& zone : zones) {
    if (zone.durable) passed = std::min(passed, zone.acked.value_or(Revision{}));
  }
  return std::min(floor, std::max(passed, expired));
}

}  // namespace

std::optional<TrimRequest> plan_trim(const RetentionPolicy& policy, const LogState& log,
                                     const RetentionClock& clock,
                                     const std::vector<ZoneCursor>& zones, std::int64_t now_ms) {
  if (!policy.trims()) return std::nullopt;
  TrimRequest request;
  request.floor = floor_of(policy.rest, {}, log, clock, now_ms);
  Revision highest = request.floor;
  for (const auto& [type, limits] : policy.types) {
    const Revision floor = floor_of(limits, type, log, clock, now_ms);
    request.type_floors.emplace(type, floor);
    highest = std::max(highest, floor);
  }
  highest = std::max(highest, log.trim_floor);
  request.tombstone_floor =
      std::max(log.tombstone_floor,
               tombstone_floor_of(policy.rest, highest, log.complete, clock, zones, now_ms));
  return request;
}

}  // namespace zonesync
