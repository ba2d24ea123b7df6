// Where the staged changes of an unfinished cut lie when they are too many for memory.
//
//   append* ──► each (to resume after a restart, to commit) ──► clear
//
// Concurrency contract: one thread at a time. What `append` answered as done survives a restart
// where durable() says so; a crash in the middle of it leaves what was there before. Nothing in
// here is worth a repair: what is damaged can be asked for again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "protocol/model/log.hpp"
#include "protocol/model/result.hpp"

namespace zonesync {

/// How far an unfinished cut is staged: every admitted change of revisions before `at.revision` and
/// the first `changes` of that one (docs/protocol.md STG-01).
struct StagePlace {
  Cursor at;                   // era of the sender's log then; a zero era is never resumed
  std::optional<Cursor> from;  // of the cut; nothing = a full one
  std::uint64_t changes = 0;
  Revision floor;              // of the sender's log then: below it leaves may be missing
  [[nodiscard]] bool resumable() const { return at.era != EraId{}; }
  friend bool operator==(const StagePlace&, const StagePlace&) = default;
};

struct StagedItem {
  Revision revision;
  Change change;
};

class StageStore {
 public:
  virtual ~StageStore() = default;

  /// Of what is held; nothing = empty.
  [[nodiscard]] virtual std::optional<StagePlace> place() const = 0;
  /// Adds items behind those that are held, and replaces the place: all or nothing. Errors:
  /// resource_exhausted (disk full; may be retried), storage_io.
  virtual Status append(const std::vector<StagedItem>& items, const StagePlace& place) = 0;
  /// Every item in the order of appending; an error of `visit` ends it. Errors: those of `visit`,
  /// storage_io, storage_corrupt.
  [[nodiscard]] virtual Status each(const std::function<Status(StagedItem)>& visit) const = 0;
  /// Drops everything. Errors: as append; then the old content is still there.
  virtual Status clear() = 0;
  /// What the items take.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  /// Whether a restart finds them again.
  [[nodiscard]] virtual bool durable() const = 0;
};

}  // namespace zonesync
