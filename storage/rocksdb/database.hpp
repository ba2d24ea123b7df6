// An open RocksDB with the log's column families; failures as Errors.
//
// Thread rule: as rocksdb::DB: any thread, any time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "protocol/model/result.hpp"
#include "storage/rocksdb/space_watch.hpp"
#include "storage/rocksdb/store_lock.hpp"

namespace zonesync::rocksdb_store {

/// What failed, for people: `doing` is a phrase such as "reading the log".
[[nodiscard]] Error to_error(const rocksdb::Status& status, std::string_view doing,
                             const std::string& path);

enum class Family : std::uint8_t { meta = 0, log = 1, latest = 2 };

class FileMarker;

class Database {
 public:
  using Snapshot = std::shared_ptr<const rocksdb::Snapshot>;

  /// Errors: not_found (no store there and `create` is false), unavailable (someone else has it
  /// open), resource_exhausted (disk full), unsupported, storage_io, storage_corrupt.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path, bool create,
                                                              rocksdb::Env* env);
  /// To look only: changes nothing on the disk; every write fails. Errors: as open().
  [[nodiscard]] static Result<std::unique_ptr<Database>> open_to_look(const std::string& path,
                                                                      rocksdb::Env* env);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] Result<std::optional<std::string>> get(Family family, std::string_view key,
                                                       const rocksdb::Snapshot* snapshot) const;
  /// Keys in [from, end) in order until `visit` answers false; an empty `end` = no end.
  [[nodiscard]] Status visit(
      Family family, std::string_view from, std::string_view end,
      const rocksdb::Snapshot* snapshot,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;
  /// Number of the oldest write-ahead log that holds what no table does; 0 = not known.
  [[nodiscard]] std::uint64_t oldest_log() const;
  /// Nothing was ever written to it.
  [[nodiscard]] Result<bool> empty() const;
  /// For reading several ranges side by side; `options` and the bounds in it outlive the iterator.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterator(
      Family family, const rocksdb::ReadOptions& options) const;
  /// The greatest key < `end` that is >= `from`.
  [[nodiscard]] Result<std::optional<std::string>> last_before(
      Family family, std::string_view from, std::string_view end,
      const rocksdb::Snapshot* snapshot) const;

  void put(rocksdb::WriteBatch& batch, Family family, std::string_view key,
           std::string_view value) const;
  void erase(rocksdb::WriteBatch& batch, Family family, std::string_view key) const;
  /// Atomic; durable on return when `sync`.
  [[nodiscard]] Status write(rocksdb::WriteBatch& batch, bool sync);

  /// Everything written so far leaves the write-ahead log for table files.
  [[nodiscard]] Status flush();
  /// Rewrites all table files without what was removed. Errors: storage_io, resource_exhausted.
  [[nodiscard]] Status compact();
  /// RocksDB's consistent copy of the store, with the write-ahead log of what is not flushed;
  /// `directory` must not exist (see make_checkpoint).
  /// Errors: storage_io, resource_exhausted.
  [[nodiscard]] Status copy_to(const std::string& directory);
  /// What such a copy takes. Errors: storage_io.
  struct CopySizes {
    std::uint64_t unflushed = 0;  // becomes table files first, here
    std::uint64_t tables = 0;     // shared on one file system
    std::uint64_t logs = 0;       // write-ahead; a flush gives most of it back
    std::uint64_t copied = 0;     // the rest
  };
  [[nodiscard]] Result<CopySizes> copy_sizes() const;
  /// Reads every block of every table file. Errors: storage_corrupt, storage_io.
  [[nodiscard]] Status verify_checksums();

  [[nodiscard]] Snapshot snapshot() const;
  /// Bytes free where the store lies; nothing when the file system cannot tell.
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const { return free_bytes_in(path_); }
  [[nodiscard]] std::optional<std::uint64_t> free_bytes_in(const std::string& directory) const;
  /// What only memory and the write-ahead log hold: a flush takes about so much space.
  [[nodiscard]] std::uint64_t unflushed_bytes() const;
  /// A flush found no space: nothing is lost, every write is refused whole until resume().
  [[nodiscard]] bool starved() const { return space_->starved(); }
  /// Compactions wait for space and are so far behind that a write would wait for them.
  [[nodiscard]] bool blocked() const;
  /// Flushes again. Errors: resource_exhausted (still starved), storage_io.
  [[nodiscard]] Status resume();
  [[nodiscard]] rocksdb::Env& env() const { return *db_->GetEnv(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Whether the path still names the directory that was opened. Otherwise RocksDB's next files
  /// would be made in another store: nothing may be written. Always true on an Env of a test.
  [[nodiscard]] bool in_place() const;

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  std::string path_;
  StoreLock lock_;                           // released last
  std::optional<DirectoryIdentity> place_;
  std::shared_ptr<FileMarker> marker_;       // RocksDB calls it
  std::shared_ptr<SpaceWatch> space_ = std::make_shared<SpaceWatch>();  // RocksDB calls it
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::shared_ptr<rocksdb::DB> db_;
};

}  // namespace zonesync::rocksdb_store
