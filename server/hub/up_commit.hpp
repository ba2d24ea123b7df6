// What a session hands to the writer of what its zone published, and the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "protocol/core/ports.hpp"

namespace zonesync::hub {

/// A staged change with the session's judgement (may_write, class_of) of an upsert.
struct UpChange {
  StagedChange staged;
  std::optional<Reject> reject;
};

/// Fingerprints of the keys that a full answer named, or that a repair removes.
using NamedKeys = std::unordered_set<Id128>;

/// One piece of a cut; the last one carries its end and moves the cursor. Keys are distinct. The
/// last piece is refused ("queue_full") unless every earlier piece of its cut was committed.
struct UpCommit {
  std::string zone;
  Generation generation;            // of the session that received it
  SessionId session;
  Id128 log_id;
  std::uint64_t cut = 1;            // counted by the session, from 1
  std::uint32_t piece = 0;          // of this cut, from 0
  std::vector<UpChange> changes;    // no leaves except in the last piece
  std::optional<CutEnd> end;        // set on the last piece
  std::optional<View> view;         // up view; set on the last piece
  std::shared_ptr<const NamedKeys> named;  // last piece of a full answer or of lists (v1)
  std::set<std::string> listed;     // v1, last piece: types whose live resources `named` are
  std::shared_ptr<const NamedKeys> removed;  // last piece of a repair
  std::int64_t now_ms = 0;          // wall clock, for the records of rejects
};

/// Payload bytes of a piece: what the queue counts.
[[nodiscard]] inline std::size_t bytes_of(const UpCommit& commit) {
  std::size_t bytes = 0;
  for (const auto& change : commit.changes) bytes += change.staged.change.payload.size();
  return bytes;
}

struct UpResult {
  std::vector<Verdict> verdicts;
};
using UpDone = std::function<void(tl::expected<UpResult, CutFailure>)>;

/// Session thread -> writer thread. `done` is called once, on the session's thread, in order per
/// zone; not at all when the session is gone.
class UpPort {
 public:
  virtual ~UpPort() = default;
  virtual void submit(UpCommit commit, UpDone done) = 0;
};

}  // namespace zonesync::hub
