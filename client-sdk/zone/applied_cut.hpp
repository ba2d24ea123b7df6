// What a durable commit changed for the application.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "protocol/model/digest.hpp"
#include "protocol/model/resource.hpp"
#include "storage/replica_snapshot.hpp"

namespace zonesync {

/// One difference of what the application sees (rejected versions never show).
struct AppliedChange {
  ResourceKey key;
  SharedBytes payload;  // of the accepted version; empty = removed
  Revision revision;
  int rank = 0;         // of the type
};

/// Immutable once handed out. `changes`: upserts by ascending rank, then removes by descending.
struct AppliedCut {
  std::optional<Cursor> cursor;  // nothing only for an initial cut that never synced
  Digest digest;
  bool initial = false;
  std::vector<AppliedChange> changes;
  std::shared_ptr<const ReplicaSnapshot> snapshot;
};

/// Sorts by type rank, key inside a rank; removes last, in reverse.
void order_changes(std::vector<AppliedChange>& changes);
/// `first` followed by `second` as one cut: the later change of a key wins.
[[nodiscard]] AppliedCut merge_cuts(const AppliedCut& first, const AppliedCut& second);

}  // namespace zonesync
