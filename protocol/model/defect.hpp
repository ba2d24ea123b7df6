// Marks in product code for the build that tests the checker (docs/simulation.md):
//
//   if (ZONESYNC_DEFECT(12)) return {};   a deliberate bug, on in a run that asked for number 12
//   PROBE(up_piece_refused);              a rare situation that a campaign must have met
//   if (BUGGIFY(10)) limit = 1;           an unkind but legal choice, in 10% of the cases
//
// In product targets all three are constants: no code, no symbol, no string is left. They stand in
// .cpp files only, so that headers mean the same in both builds. What each defect imitates stands
// in the catalogue, conformance/simulator/mutant_table.cpp.
//
// Thread rule: a run and its switches belong to one thread.
#pragma once

#ifdef ZONESYNC_DEFECTS

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zonesync::defects {

// clang-format off
#define ZONESYNC_PRODUCT_PROBES(X) \
  X(cut_extended_for_digest) X(cut_past_trim_floor) X(parts_waited_for_credit) \
  X(want_behind_want) X(ack_withheld_foreign_cursor) X(hold_retried) X(late_result_of_old_answer) \
  X(tombstones_below_scan) X(scan_left_hot_tail) X(digest_out_of_reach) X(class_moved_in_cut) \
  X(reject_withdrawn_by_leave) X(reject_gone_with_full) X(piece_refused_after_gap) \
  X(cut_fenced) X(up_kept_unconfirmed) X(zone_settles_unconfirmed) X(group_rolled_back) \
  X(accepted_version_kept) X(publication_waited) X(era_popped) X(hold_without_retry) \
  X(cut_resumed) X(staged_place_not_valid) X(staged_place_below_tombstones) \
  X(stage_recovered) X(stage_spilled) \
  X(patch_sent) X(patch_failed) X(packet_compressed)
// clang-format on

enum class ProductProbe : std::uint8_t {
#define X(name) name,
  ZONESYNC_PRODUCT_PROBES(X)
#undef X
  count_
};
inline constexpr std::size_t kProductProbes = static_cast<std::size_t>(ProductProbe::count_);
inline constexpr std::array<std::string_view, kProductProbes> kProductProbeNames = {
#define X(name) #name,
    ZONESYNC_PRODUCT_PROBES(X)
#undef X
};

/// What is on in the run of this thread.
struct Switches {
  std::uint32_t defect = 0;                 // 0 = none
  bool buggify = false;
  std::uint64_t draws = 0;                  // state of the stream that BUGGIFY draws from
  std::array<std::uint64_t, kProductProbes> probes{};
};
[[nodiscard]] Switches& switches();
/// Instead of the end of the process: a mutant that trips over an assertion is found.
struct AssertionFailed {
  std::string text;
};
[[nodiscard]] bool buggify(unsigned percent);

}  // namespace zonesync::defects

#define ZONESYNC_DEFECT(n) (::zonesync::defects::switches().defect == (n))
#define PROBE(name)                       \
  (++::zonesync::defects::switches()      \
         .probes[static_cast<std::size_t>(::zonesync::defects::ProductProbe::name)])
#define BUGGIFY(percent) (::zonesync::defects::buggify(percent))

#else

#define ZONESYNC_DEFECT(n) false
#define PROBE(name) static_cast<void>(0)
#define BUGGIFY(percent) false

#endif
