// The smallest plan that still breaks the same promise.
#pragma once

#include <cstddef>
#include <vector>

#include "conformance/simulator/runner.hpp"

namespace zonesync::sim {

struct Shrunk {
  Plan plan;                       // of the kept items only
  std::vector<std::size_t> kept;   // their indexes in the seed's plan
  Outcome outcome;                 // of that plan, with its trace
  std::size_t runs = 0;
};

/// The seed's plan with some of its items.
[[nodiscard]] Plan plan_of_items(std::uint64_t seed, const std::vector<std::size_t>& items);
/// Leaves out items, larger groups first, while the same promise breaks (P1, P2 ...). Nothing is
/// left out of a plan that breaks none.
[[nodiscard]] Shrunk shrink(std::uint64_t seed, const RunOptions& how,
                            std::size_t runs_max = 2'000);
/// One line per kept item: index, time, what, whom.
[[nodiscard]] std::string to_text(const Shrunk& shrunk);

}  // namespace zonesync::sim
