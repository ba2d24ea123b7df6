// The catalogue of deliberate bugs in product code (ZONESYNC_DEFECT), and who finds them how fast.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/simulator/runner.hpp"

namespace zonesync::sim {

struct Mutant {
  std::uint32_t id = 0;          // the n of ZONESYNC_DEFECT(n)
  std::string_view cls;          // K A R N X D L P S F V, as in the list of real bugs
  std::string_view row;          // the real bugs it imitates
  std::string_view clause;       // of docs/protocol.md, or the promise
  std::string_view text;
  /// Reviewer's bugs only: the promise that told on it when it was new, empty = none did.
  std::string_view at_first = {};
};
/// Ids from 300: invented by somebody who had not read the simulator, to see what it finds of the
/// unknown.
[[nodiscard]] inline bool of_reviewer(const Mutant& mutant) { return mutant.id >= 300; }
[[nodiscard]] std::span<const Mutant> mutants();
[[nodiscard]] const Mutant* mutant_of(std::uint32_t id);

struct Kill {
  const Mutant* mutant = nullptr;
  std::string invariant;         // empty = survived
  std::uint64_t seed = 0;
  std::uint64_t seeds_to_kill = 0;
  std::uint64_t found = 0;       // of `tried` seeds, when asked for
  std::uint64_t tried = 0;
};

struct MutantCampaign {
  std::uint64_t first = 1;
  std::uint64_t max_seeds = 2'000;
  unsigned threads = 2;
  std::uint64_t share_seeds = 0;  // counts how many of this many seeds find each
  std::vector<std::uint32_t> only;  // empty = all
};
/// Needs a build with mutants (kHasMutants). Every mutant meets the same seeds in the same order.
[[nodiscard]] std::vector<Kill> run_mutants(const MutantCampaign& campaign);
[[nodiscard]] std::string to_json(const std::vector<Kill>& kills);
/// The page docs/simulation-kill-matrix.md.
[[nodiscard]] std::string to_markdown(const std::vector<Kill>& kills);

}  // namespace zonesync::sim
