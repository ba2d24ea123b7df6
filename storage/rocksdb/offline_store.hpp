// A store that no hub is serving: looked at, verified, copied, restored. Nothing here adds an era
// except restore.
//
// Life cycle: open takes the store's lock and holds it as long as it lives. Thread rule: one
// thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/change_log.hpp"
#include "storage/lineage.hpp"
#include "storage/rocksdb/sealing_options.hpp"
#include "storage/trim_floors.hpp"

namespace rocksdb {
class Env;
}

namespace zonesync {

namespace rocksdb_store {
class Database;
class Seals;
}

struct StoreInfo {
  std::uint64_t format = 0;
  LogState state;
  std::uint64_t live = 0;                // resources, the hub's own entries included
  TrimFloors floors;                     // state.trim_floor is the highest of them
  std::optional<LineageAnchor> anchor;
  std::string master_key;                // id of the key that seals sensitive types; empty = none
  bool resealing = false;                // a change of keys has not reached every entry yet
  std::optional<RestoreRecord> restored;
  std::optional<LossRecord> loss;        // noticed, and the log not declared complete since
};

struct VerifyReport {
  std::uint64_t entries = 0;
  std::uint64_t newest = 0;              // (class, key) pairs
  std::uint64_t segments = 0;
  std::uint64_t aside = 0;               // entries in the second range
  std::uint64_t chained_segments = 0;    // whose running hash was computed again
  std::uint64_t sealed = 0;              // entries
  std::uint64_t unopened = 0;            // of them, for want of the key: content not compared
  std::uint64_t problems = 0;
  std::vector<std::string> texts;        // of the first kTextsMax problems
  std::vector<std::string> notes;        // no problems of the store, but worth knowing
  static constexpr std::size_t kTextsMax = 100;
  [[nodiscard]] bool good() const { return problems == 0; }
};

class OfflineStore {
 public:
  /// To look: info, verify, each_entry; nothing on the disk is changed. Without `key` sealed values
  /// stay closed. Errors: not_found, unavailable (a hub has it open), unsupported, forbidden
  /// (another key), storage_io, storage_corrupt.
  [[nodiscard]] static Result<std::unique_ptr<OfflineStore>> open(
      const std::string& path, rocksdb::Env* env = nullptr, sealing::MasterKeyPtr key = nullptr);
  /// For checkpoint, compact and rekey too. Errors: as open(), and storage_corrupt as vouch().
  [[nodiscard]] static Result<std::unique_ptr<OfflineStore>> open_to_change(
      const std::string& path, rocksdb::Env* env = nullptr, sealing::MasterKeyPtr key = nullptr);
  ~OfflineStore();

  [[nodiscard]] Result<StoreInfo> info() const;
  /// Walks everything: checksums of tables, every entry, links to predecessors, newest entries,
  /// class digests, segment ends, the running hash, and, `with_anchor`, that. What does not fit is
  /// in the report; errors are only what prevents looking.
  [[nodiscard]] Result<VerifyReport> verify(bool with_anchor = true);
  /// Every entry in log order until `visit` answers false. A sealed one is opened when `reveal`,
  /// else its payload is the sealed bytes. Errors: forbidden (`reveal` without key).
  [[nodiscard]] Status each_entry(
      const std::function<bool(const LogEntry&, bool sealed)>& visit, bool reveal = false) const;
  /// A consistent copy in a new directory outside the store. Errors: as make_checkpoint
  /// (checkpoint.hpp).
  [[nodiscard]] Status checkpoint(const std::string& directory);
  /// Gives back the space of what was trimmed.
  [[nodiscard]] Status compact();
  /// A new data key, all data keys wrapped by `master`, durably; the old master key opens nothing
  /// here any more. Old entries follow by reseal(), or while the hub runs; what the old keys opened
  /// leaves the disk by compact(). Errors: precondition_failed (nothing is sealed here), forbidden
  /// (opened without the present key), storage_io, resource_exhausted.
  [[nodiscard]] Status rekey(const sealing::MasterKey& master);
  /// Encrypts what a change of keys left under older data keys. Errors: forbidden (opened without
  /// the key), storage_io, resource_exhausted.
  [[nodiscard]] Status reseal();

 private:
  [[nodiscard]] static Result<std::unique_ptr<OfflineStore>> with(
      Result<std::unique_ptr<rocksdb_store::Database>> database, rocksdb::Env* env,
      sealing::MasterKeyPtr key);
  OfflineStore(std::unique_ptr<rocksdb_store::Database> database, rocksdb::Env* env,
               sealing::MasterKeyPtr key);
  [[nodiscard]] Result<Id128> log_id() const;
  std::unique_ptr<rocksdb_store::Database> database_;
  rocksdb::Env* env_;
  std::unique_ptr<rocksdb_store::Seals> seals_;
};

/// Whether a store may be opened for writing: its files hold what they are marked to hold, or else
/// everything in it fits together. Answers why it had to be verified; empty = it had not, or there
/// is no store. Nothing is changed. Errors: storage_corrupt (says which file or what does not fit),
/// unavailable, forbidden, storage_io.
[[nodiscard]] Result<std::string> vouch(const std::string& path, rocksdb::Env* env,
                                        const sealing::MasterKeyPtr& key);

/// Behind the name of a checkpoint while it is being made; the hub gives no such names.
inline constexpr std::string_view kMakingSuffix = "~making";
/// A copy inside what it is a copy of would be lost with it, and copied with it. Errors:
/// invalid_argument.
[[nodiscard]] Status check_outside_store(const std::string& directory, const std::string& store);

struct RestoreReport {
  LogState state;                            // with the new era
  std::optional<LineageAnchor> anchor_before;  // of the log that was at `path`
  std::string warning;                       // the copy is not what was copied; empty = it is
};

/// Copies a checkpoint to `path`, where no store may be, and opens a new era there. The anchor of
/// the log that was there before is kept as "PATH.anchor.before-restore". On the real file system
/// only. Errors, all of which leave everything as it was: not_found, conflict (a store is there),
/// forbidden (sealed with another key), resource_exhausted (the disk is too full, asked before
/// anything is copied), storage_io, storage_corrupt.
[[nodiscard]] Result<RestoreReport> restore_store(const std::string& checkpoint,
                                                  const std::string& path,
                                                  SealingOptions sealing = {});

}  // namespace zonesync
