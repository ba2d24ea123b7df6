// Classes that leave the zone's view, or enter it anew (docs/protocol.md VIEW-02, VIEW-03).
#include "client-sdk/zone/replica_sink.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

/// What is staged of the class goes at once. A staged upsert becomes a leave: whatever else was
/// there of its key before, it moved away from.
Status ReplicaSink::drop(const Class& cls) {
  dropped_.insert(cls);
  if (ZONESYNC_DEFECT(206)) return {};
  staging_.drop_class(cls);
  return {};
}

/// A class that enters is read from the beginning of the log. There, a key that lives in another
/// class now has older entries, which say nothing about it: a key has one live class. What is kept
/// unconfirmed does not live in this log.
bool ReplicaSink::is_outlived(const StagedChange& change) const {
  if (dropped_.empty()) return false;
  const auto& items = staging_.items();
  const auto found = items.find(change.change.key);
  if (found != items.end()) {
    const bool other = found->second.change.cls != change.change.cls;
    if (found->second.revision != change.revision) {
      return found->second.revision > change.revision;
    }
    return other && found->second.change.kind == ChangeKind::upsert &&
           change.change.kind == ChangeKind::leave;
  }
  if (replacing_) return false;
  const auto before = store_.snapshot();
  const ReplicaEntry* old = before->find(change.change.key);
  // The revision of an unconfirmed one may be of another log.
  return old != nullptr && !old->unconfirmed && old->change.cls != change.change.cls &&
         old->revision >= change.revision && !dropped_.contains(old->change.cls);
}

/// Entries of dropped classes that the cut does not bring again.
void ReplicaSink::for_each_dropped(const ReplicaSnapshot& before,
                                   const std::function<void(const ReplicaEntry&)>& visit) const {
  if (dropped_.empty()) return;
  before.for_each([&](const ReplicaEntry& old) {
    if (dropped_.contains(old.change.cls) && !staging_.items().contains(old.change.key)) visit(old);
  });
}

}  // namespace zonesync
