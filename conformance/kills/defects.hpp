// The deliberate bugs that the conformance suite must find.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace zonesync::kills {

/// One ZONESYNC_DEFECT(id) in product code.
struct Defect {
  std::uint32_t id = 0;
  std::string_view group;    // catalogue, suite, reviewer
  std::string_view cls;      // K A R N X D L P S F V, as in docs/simulation.md
  std::string_view clause;   // of docs/protocol.md, or the promise
  std::string_view text;
  /// Reviewer's bugs only: the case that found it when it was new, empty = none did.
  std::string_view found_at_first;
};

inline constexpr std::string_view kCatalogue = "catalogue";
/// In what the simulator's catalogue is silent about.
inline constexpr std::string_view kSuite = "suite";
/// Invented by somebody who had not read the cases, to see what the suite finds of the unknown.
inline constexpr std::string_view kReviewer = "reviewer";

/// All, ordered by id: the simulator's catalogue and the suite's own groups.
[[nodiscard]] const std::vector<Defect>& all_defects();

}  // namespace zonesync::kills
