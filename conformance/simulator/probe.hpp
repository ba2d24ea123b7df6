// Rare situations that a campaign must have met, counted where the simulator sees them. Those
// inside the product's own code stand in protocol/model/defect.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace zonesync::sim {

// clang-format off
#define ZONESYNC_SIM_PROBES(X) \
  X(hub_crash_lost_segment) X(hub_crash_kept_segment) X(hub_crash_idle) X(hub_fatal) \
  X(hub_disk_full) X(hub_queue_full) X(hub_group_of_many) X(hub_write_conflict) \
  X(hub_write_unchanged) X(hub_rewound_acked) X(hub_trimmed_past_zone) \
  X(class_move) X(home_written) X(admission_refused) X(superseded) X(duplicate_slowed) \
  X(session_replaced) X(cursor_moved_close) X(silence_close) X(message_lost_in_reset) \
  X(late_bytes_at_hub) X(late_bytes_at_zone) X(half_open_swallowed) X(send_buffer_full) \
  X(down_none) X(down_changes) X(down_full_no_cursor) X(down_full_unknown_era) \
  X(down_full_beyond_era) X(down_full_other)\
  X(down_cut_of_many) X(down_full_partial) X(down_full_removed) X(down_unconfirmed_left) \
  X(up_piece) X(up_full_partial) X(up_full_removed) X(up_unconfirmed) X(up_stale) X(up_held) \
  X(up_refused) X(up_refused_forgotten) X(version_refused) X(mode_switched) \
  X(older_zone_learnt_types) \
  X(zone_crash_lost_publication) X(zone_crash_kept_publication) \
  X(zone_hold_disk_full) X(zone_hold_mass_delete) \
  X(zone_hold_application) X(hub_hold_mass_delete) X(poison_refused)\
  X(poison_keeps_accepted) X(outbox_refused_full) X(outbox_trimmed_past_cursor) \
  X(large_resource) X(cut_interrupted) X(barrier_held) X(barrier_failed) \
  X(up_cursor_taken_back) X(zone_operated) \
  X(zone_not_operated) X(down_view_moved) X(zone_hold_paused) \
  X(scan_from_disk) X(credit_exhausted) X(view_scan_skipped)
// clang-format on

enum class Probe : std::uint8_t {
#define X(name) name,
  ZONESYNC_SIM_PROBES(X)
#undef X
  count_
};
inline constexpr std::size_t kProbes = static_cast<std::size_t>(Probe::count_);
inline constexpr std::array<std::string_view, kProbes> kProbeNames = {
#define X(name) #name,
    ZONESYNC_SIM_PROBES(X)
#undef X
};

}  // namespace zonesync::sim
