// A receiver's durable replica of one flow, as the SDK keeps it.
//
// Concurrency contract: one thread writes; `snapshot()` and `state()` may be called from any
// thread. A snapshot is immutable and stays valid after the store is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/digest.hpp"
#include "protocol/model/log.hpp"
#include "protocol/model/result.hpp"
#include "storage/replica_snapshot.hpp"

namespace zonesync {

/// One offered version to keep. With a `reject` the application goes on seeing the version it
/// accepted last (protocol.md §4.5).
struct ReplicaUpsert {
  Revision revision;
  Change change;
  std::optional<Reject> reject;
};

/// Whether the sender's log vouches for an entry whose content stays (protocol.md §4.9).
struct ReplicaStanding {
  ResourceKey key;
  bool unconfirmed = false;
};

/// One durable step: content and cursor together. Of a key named several times the last upsert
/// wins, and an upsert wins over a remove.
struct ReplicaBatch {
  std::vector<ReplicaUpsert> upserts;
  std::vector<ResourceKey> removes;
  /// full from a complete log: every entry that `upserts` does not name goes.
  bool replace_all = false;
  /// full from a partial log: entries that `upserts` does not name stay as unconfirmed.
  bool mark_unmentioned_unconfirmed = false;
  /// repair: entries, named by neither of the above, whose standing changes.
  std::vector<ReplicaStanding> standings;
  /// For whoever watches, no store needs it: the batch is a repair, from which kind of log.
  enum class Repair : std::uint8_t { none, complete, partial } repair = Repair::none;
  Cursor cursor;
  Id128 source_log;
};

struct ReplicaState {
  std::optional<Cursor> cursor;  // nothing = never synced
  Id128 source_log;
  Digest digest;                 // over what was offered, unconfirmed entries excluded
  std::uint64_t entries = 0;
  std::uint64_t unconfirmed = 0;
  std::uint64_t rejects = 0;
};

class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  [[nodiscard]] virtual ReplicaState state() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const ReplicaSnapshot> snapshot() const = 0;

  /// Atomic and durable on return. Errors: storage_io, resource_exhausted (disk full; nothing
  /// changed, may be retried).
  virtual Status commit(ReplicaBatch batch) = 0;

  /// Replaces the verdict of the offered version of `key` at `revision` (re-validation);
  /// nothing = accepted. Errors: not_found when that version is no longer the offered one.
  virtual Status set_verdict(const ResourceKey& key, Revision revision,
                             std::optional<Reject> reject) = 0;

  /// Small named values of the owner (instance data); durable on return; value <= 64 KiB.
  virtual Status put_meta(std::string_view name, std::string value) = 0;
  [[nodiscard]] virtual std::optional<std::string> meta(std::string_view name) const = 0;

  /// Whether a restart finds this replica again.
  [[nodiscard]] virtual bool durable() const = 0;
};

}  // namespace zonesync
