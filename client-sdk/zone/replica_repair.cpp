// A repair at the replica: what it prints, and what the sender's removes and silence mean (REP-*).
#include "client-sdk/zone/replica_sink.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

std::optional<std::vector<Print>> ReplicaSink::prints() const {
  const auto snapshot = store_.snapshot();
  if (snapshot->size() > limits::kRepairPrintsMax) return std::nullopt;
  std::vector<Print> prints;
  prints.reserve(snapshot->size());
  snapshot->for_each([&](const ReplicaEntry& entry) {
    // A verdict names a revision of the sender's log: a rejected version comes again with its own.
    const Hash128 hash = entry.reject ? Hash128{} : entry.change.hash;
    prints.push_back(Print{fingerprint(entry.change.key), hash});
  });
  return prints;
}

Status ReplicaSink::stage_remove(const Id128& key_fingerprint) {
  if (removed_.size() >= store_.state().entries) {
    return fail(ErrorCode::protocol, "more is removed than there is", "REP-05");
  }
  removed_.insert(key_fingerprint);
  return {};
}

ReplicaSink::Repaired ReplicaSink::repaired(const CutEnd& end,
                                            const ReplicaSnapshot& before) const {
  Repaired found;
  if (!is_repair(end)) return found;
  before.for_each([&](const ReplicaEntry& entry) {
    // A change is newer than the comparison.
    if (staging_.items().contains(entry.change.key)) return;
    if (ZONESYNC_DEFECT(205) && entry.reject) return;
    if (removed_.contains(fingerprint(entry.change.key))) {
      found.gone.push_back(&entry);
    } else if (entry.unconfirmed) {
      found.confirmed.push_back(&entry);
    }
  });
  return found;
}

/// The same version keeps the verdict it has, also one that the application gave later.
std::optional<Reject> ReplicaSink::verdict_on(const CutEnd& end, const StagedChange& staged,
                                              const ReplicaEntry* old) const {
  const bool same = is_repair(end) && old != nullptr && old->change.hash == staged.change.hash;
  return same && old->reject ? old->reject : validate(staged.change);
}

void ReplicaSink::plan_repair(const CutEnd& end, const Repaired& found, Plan& planned) const {
  if (!is_repair(end)) return;
  ReplicaBatch& batch = planned.batch;
  batch.repair = end.complete ? ReplicaBatch::Repair::complete : ReplicaBatch::Repair::partial;
  for (const ReplicaEntry* entry : found.gone) {
    const ResourceKey& key = entry->change.key;
    if (!end.complete) {
      if (!entry->unconfirmed) batch.standings.push_back({key, true});
      continue;
    }
    batch.removes.push_back(key);
    if (entry->reject) planned.verdicts.push_back(Verdict{key, entry->revision, true, {}});
  }
  for (const ReplicaEntry* entry : found.confirmed) {
    batch.standings.push_back({entry->change.key, false});
  }
}

}  // namespace zonesync
