// Versions that a session handed to the writer and that are not answered yet: what the zone's next
// patch may start from before the log can be asked.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "protocol/model/limits.hpp"
#include "server/hub/up_commit.hpp"

namespace zonesync::hub {

/// Holds references to bytes that the writer's queue holds too: bounded by the session's backlog.
/// Thread rule: the session's thread.
class UpVersions {
 public:
  /// A piece goes to the writer.
  void submitted(const UpCommit& piece) {
    ++newest_;
    for (const UpChange& change : piece.changes) {
      const Change& sent = change.staged.change;
      if (sent.kind != ChangeKind::upsert || sent.payload.size() < limits::kPatchMinBytes) continue;
      versions_.insert_or_assign(sent.key, Version{newest_, sent.hash, sent.payload});
      order_.emplace_back(newest_, sent.key);
    }
  }
  /// The oldest piece was answered (answers keep the order of the pieces).
  void answered() {
    ++answered_;
    for (; !order_.empty() && order_.front().first <= answered_; order_.pop_front()) {
      const auto found = versions_.find(order_.front().second);
      if (found != versions_.end() && found->second.piece <= answered_) versions_.erase(found);
    }
  }
  [[nodiscard]] SharedBytes find(const ResourceKey& key, const Hash128& hash) const {
    const auto found = versions_.find(key);
    const bool same = found != versions_.end() && found->second.hash == hash;
    return same ? found->second.payload : SharedBytes();
  }

 private:
  struct Version {
    std::uint64_t piece = 0;
    Hash128 hash;
    SharedBytes payload;
  };
  std::map<ResourceKey, Version> versions_;               // the newest of each key
  std::deque<std::pair<std::uint64_t, ResourceKey>> order_;
  std::uint64_t newest_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace zonesync::hub
