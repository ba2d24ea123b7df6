// Hand-made bugs, put in through the simulator's seams (disks, the log as sessions read it, the
// glue between threads), so that a test can show that the checker finds each of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zonesync::sim {

enum class Defect : std::uint8_t {
  none,
  hub_fsync_lies,          // the hub answers and publishes before the disk has it
  outbox_fsync_lies,       // a zone's publication is acked before its disk has it
  replica_acks_early,      // a zone acks a cut that its disk does not have yet
  replica_drops_leave,     // a zone's store keeps what a leave removed
  replica_half_cut,        // a cut of several changes is stored in part, with its cursor
  replica_partial_removes, // a full from a partial log removes what it did not name
  replica_old_cursor,      // content is stored, the cursor stays behind
  cursor_survives_rewind,  // a rewound log opens without a new era
  source_skips_entry,      // a catch-up misses one entry
  source_leaks_scope,      // sessions read entries of classes outside their view
  source_splits_segment,   // a cut ends inside a segment
  source_hides_floor,      // trimmed scans end before the floor
  up_unfenced,             // every session's commits pass, whoever was admitted
  sink_acks_before_commit, // the hub acks an up cut when it was handed to the writer
};
inline constexpr std::size_t kDefects =
    static_cast<std::size_t>(Defect::sink_acks_before_commit) + 1;

inline constexpr std::array<std::string_view, kDefects> kDefectNames = {
    "none",
    "hub_fsync_lies",
    "outbox_fsync_lies",
    "replica_acks_early",
    "replica_drops_leave",
    "replica_half_cut",
    "replica_partial_removes",
    "replica_old_cursor",
    "cursor_survives_rewind",
    "source_skips_entry",
    "source_leaks_scope",
    "source_splits_segment",
    "source_hides_floor",
    "up_unfenced",
    "sink_acks_before_commit",
};

[[nodiscard]] constexpr std::string_view to_string(Defect defect) {
  return kDefectNames[static_cast<std::size_t>(defect)];
}
[[nodiscard]] constexpr std::optional<Defect> defect_named(std::string_view name) {
  for (std::size_t at = 0; at < kDefects; ++at) {
    if (kDefectNames[at] == name) return static_cast<Defect>(at);
  }
  return std::nullopt;
}

}  // namespace zonesync::sim
