// Judges a prepared write against the log and the group in progress.
#pragma once

#include "server/hub/group.hpp"
#include "server/hub/write.hpp"

namespace zonesync::hub {

/// What a write would log and answer; `outcomes` carry revision 0 where this transaction's own
/// revision belongs.
struct WritePlan {
  std::vector<Change> changes;  // empty = everything is as asked already
  std::vector<WriteOutcome> outcomes;
};

/// Errors: precondition_failed (field names the op), storage_io. Changes nothing.
[[nodiscard]] Result<WritePlan> plan_write(const Group& group, const PreparedWrite& write);

}  // namespace zonesync::hub
