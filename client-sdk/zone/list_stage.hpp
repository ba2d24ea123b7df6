// What the lists of an open v1 cut named, beside the staged changes: from it and the replica
// follows which resources leave. docs/protocol.md V1-02, V1-07.
//
// Life cycle: one per sink, cleared with every cut. Thread rule: the session's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>

#include "storage/replica_snapshot.hpp"

namespace zonesync {

class ListStage {
 public:
  void clear() {
    types_.clear();
    base_.reset();
  }
  /// A complete list of `type` begins, over the replica `base`; one before it is void.
  void open(const std::string& type, std::shared_ptr<const ReplicaSnapshot> base) {
    base_ = std::move(base);
    types_[type].clear();
  }
  /// A listed version. True: the replica holds exactly it, nothing needs to be staged.
  [[nodiscard]] bool name(Revision revision, const Change& change) {
    const auto listed = types_.find(change.key.type);
    if (listed == types_.end()) return false;
    listed->second.insert(change.key);
    const ReplicaEntry* old = base_->find(change.key);
    return old != nullptr && !old->unconfirmed && old->revision == revision &&
           old->change.hash == change.hash && old->change.cls == change.cls;
  }
  /// Entries that the lists do not name although their log did before: those leave. What is
  /// unconfirmed was never in this log, so its absence says nothing (FLOW-16).
  void for_each_left(const std::function<void(const ReplicaEntry&)>& visit) const {
    if (types_.empty()) return;
    base_->for_each([&](const ReplicaEntry& entry) {
      const auto listed = types_.find(entry.change.key.type);
      if (listed == types_.end() || entry.unconfirmed) return;
      if (!listed->second.contains(entry.change.key)) visit(entry);
    });
  }

 private:
  std::map<std::string, std::unordered_set<ResourceKey>> types_;
  std::shared_ptr<const ReplicaSnapshot> base_;
};

}  // namespace zonesync
