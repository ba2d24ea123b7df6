// Runs the catalogue of cases against one deliberate bug after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "conformance/kills/defects.hpp"
#include "conformance/suite/case.hpp"

namespace zonesync::kills {

/// What the first case that failed said.
struct Kill {
  bool killed = false;
  std::string case_id, mode;
  std::string clause;          // the bug's own where the case proves it, else the case's first
  std::string text;
  std::uint32_t variants = 0;  // how many cases × modes ran, the failing one included
};

struct Row {
  const Defect* defect = nullptr;   // null = the product without bugs, which must pass
  Kill kill;
};

struct HuntOptions {
  std::vector<std::uint32_t> only;  // empty = all
  std::string group;                // empty = all
  std::string run;                  // regular expression over case ids; empty = all
  std::size_t jobs = 2;             // processes at once
  unsigned seconds_max = 120;       // for one bug; a hang longer than that is a kill
  std::function<void(const Row&)> on_row;
};

/// Likely finders first: cases that prove the clause, then those of its chapter, then the rest.
[[nodiscard]] std::vector<const conform::Case*> in_order_for(std::string_view clause,
                                                            const std::string& run);

/// Every bug in a process of its own, since it may hang or crash; that counts for the case under
/// way. The first row is the product without bugs. Deterministic but for hangs.
[[nodiscard]] std::vector<Row> hunt(const HuntOptions& options);

}  // namespace zonesync::kills
