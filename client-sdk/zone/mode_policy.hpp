// Which modes a zone offers at its next connect, and why its session is in the one it is.
//
// delta first, v1 as what every hub has. Only v1: when the configuration says so, or for as long as
// a hub's Goodbye asked for it (docs/protocol.md V1-10). Kept in memory: a restart tries delta.
//
// Life cycle: one per zone machine. Thread rule: the machine's thread. Pure: time is an argument.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/core/time.hpp"
#include "protocol/model/sync_mode.hpp"

namespace zonesync {

class ModePolicy {
 public:
  explicit ModePolicy(bool delta_enabled) : delta_enabled_(delta_enabled) {}

  /// In order of preference, never empty.
  [[nodiscard]] std::vector<SyncMode> offers(TimePoint now) const;
  /// A Goodbye asked for v1 for so long (bounded by a day); zero or less = it did not ask.
  void fall_back(Duration ttl, TimePoint now);
  /// A session opened in `mode`.
  void opened(SyncMode mode, TimePoint now);
  /// When a fallback ends.
  [[nodiscard]] const std::optional<TimePoint>& fallback_until() const { return fallback_until_; }
  /// Ends a fallback whose time is over; true = the open session may try delta now.
  [[nodiscard]] bool expire(TimePoint now);

  /// Of the open session, else of the last one.
  [[nodiscard]] SyncMode mode() const { return mode_; }
  /// `default`; for v1 `config` (ours), `fallback` (a Goodbye asked), `hub` (it took v1).
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  [[nodiscard]] bool falling_back(TimePoint now) const;

  const bool delta_enabled_;
  std::optional<TimePoint> fallback_until_;
  SyncMode mode_ = SyncMode::delta;
  std::string reason_ = "default";
};

}  // namespace zonesync
