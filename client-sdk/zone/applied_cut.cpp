#include "client-sdk/zone/applied_cut.hpp"

#include <algorithm>
#include <unordered_set>

#include "protocol/model/defect.hpp"

namespace zonesync {

void order_changes(std::vector<AppliedChange>& changes) {
  std::sort(changes.begin(), changes.end(), [](const AppliedChange& a, const AppliedChange& b) {
    const bool a_removed = a.payload.empty();
    const bool b_removed = b.payload.empty();
    if (a_removed != b_removed) return ZONESYNC_DEFECT(40) ? a_removed : b_removed;
    if (a.rank != b.rank) return a_removed ? a.rank > b.rank : a.rank < b.rank;
    return a_removed ? b.key < a.key : a.key < b.key;
  });
}

AppliedCut merge_cuts(const AppliedCut& first, const AppliedCut& second) {
  AppliedCut merged = second;
  merged.initial = first.initial || second.initial;
  if (second.initial) return merged;
  std::unordered_set<ResourceKey> later;
  for (const AppliedChange& change : second.changes) later.insert(change.key);
  for (const AppliedChange& change : first.changes) {
    if (!later.contains(change.key)) merged.changes.push_back(change);
  }
  if (merged.initial) {
    // An initial cut lists what there is; a removed key is simply not listed.
    std::erase_if(merged.changes, [](const AppliedChange& c) { return c.payload.empty(); });
  }
  order_changes(merged.changes);
  return merged;
}

}  // namespace zonesync
