// Judges one piece of a zone's cut against the log, the group in progress and the zone's state.
//
// Compare-and-set (protocol.md §3): the generation and session must be the admitted ones, and the
// stored up cursor must be the cut's `from`; so every change of a zone's log is applied once.
#pragma once

#include <vector>

#include "server/hub/up_commit.hpp"
#include "server/hub/up_state.hpp"

namespace zonesync::hub {

struct UpPlan {
  std::vector<std::vector<Change>> transactions;  // empty = nothing to log
  std::vector<Verdict> verdicts;
  std::uint64_t changes = 0;                      // resources that changed
  std::uint64_t rejected = 0;
  bool used_approval = false;                     // of a mass delete
  bool offers_changed = false;                    // the list of open rejects is another one now
};

/// Changes `state` only on success. Failures: stale (fenced, or `from` no longer holds),
/// digest_mismatch, hold ("mass_delete", "rejects_full"), fatal (the log cannot be read).
[[nodiscard]] tl::expected<UpPlan, CutFailure> plan_up(const Group& group, OriginState& state,
                                                       const UpCommit& commit);

}  // namespace zonesync::hub
