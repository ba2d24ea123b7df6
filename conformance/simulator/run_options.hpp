// What is switched on in one run, beside its plan.
#pragma once

#include <cstdint>

#include "conformance/simulator/defect.hpp"
#include "protocol/model/sync_mode.hpp"

namespace zonesync::sim {

struct RunOptions {
  SyncMode mode = SyncMode::delta; // in which zones begin; plans switch some of them
  Defect defect = Defect::none;    // a bug in the simulator's seams
  std::uint32_t mutant = 0;        // a bug in the product's code (mutants.hpp); 0 = none
  bool buggify = false;            // unkind but legal choices in the product's code
  bool keep_trace = false;
};

/// Whether this build has the product's marks (protocol/model/defect.hpp).
#ifdef ZONESYNC_DEFECTS
inline constexpr bool kHasMutants = true;
#else
inline constexpr bool kHasMutants = false;
#endif

}  // namespace zonesync::sim
