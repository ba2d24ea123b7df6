// What RocksDB's MANIFEST and its closed write-ahead logs must at least hold, in a small file of
// our own inside the store (`file.marks`, docs/storage-format.md).
//
// Why: RocksDB takes a MANIFEST or a write-ahead log that lost its end for one whose last write was
// torn, and goes on without it; tables that only the lost end named are deleted as left over. A
// mark is written behind the sync of what it vouches for and before anything that this replaced is
// deleted, so that it is never ahead of the disk, and less than marked is always a loss.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/listener.h>

#include "protocol/model/ids.hpp"
#include "protocol/model/result.hpp"

namespace rocksdb {
class Env;
}

namespace zonesync::rocksdb_store {

/// The first `bytes` bytes of a file of the store; there may be more behind them.
struct FileMark {
  std::string name;
  std::uint64_t bytes = 0;
  Hash128 hash;
  friend bool operator==(const FileMark&, const FileMark&) = default;
};

struct FileMarks {
  static constexpr std::size_t kManifestsMax = 4;   // the newest; a start makes a new one
  static constexpr std::size_t kLogsMax = 1'024;    // far above what 64 MiB of logs can be
  std::vector<FileMark> manifests;                  // oldest first
  std::vector<FileMark> logs;                       // closed write-ahead logs that are needed
  friend bool operator==(const FileMarks&, const FileMarks&) = default;
};

[[nodiscard]] std::string encode_marks(const FileMarks& marks);
/// Nothing when the bytes are not marks, or damaged ones.
[[nodiscard]] std::optional<FileMarks> decode_marks(std::string_view bytes);

/// The hash of a growing file, wherever it was cut into pieces.
class PrefixHash {
 public:
  void add(std::string_view bytes);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] Hash128 value() const;

 private:
  std::uint64_t bytes_ = 0;
  Hash128 before_;        // of all whole blocks
  std::string pending_;   // the last block as far as it goes
};

/// What the marks of a store say that is not open.
struct MarksCheck {
  std::string doubt;                      // why all must be verified before anything is written
  std::vector<std::string> missing_logs;  // lost, if the MANIFEST still needs them
  [[nodiscard]] bool vouches() const { return doubt.empty() && missing_logs.empty(); }
};

/// Before RocksDB may touch the files. Errors: storage_corrupt (a file is not what was durable;
/// names it), storage_io.
[[nodiscard]] Result<MarksCheck> check_marks(const std::string& store, rocksdb::Env* env);
/// With the MANIFEST read: a missing log that is needed, which those from number `oldest` on are.
/// Errors: storage_corrupt (names it).
[[nodiscard]] Status check_missing(const MarksCheck& check, std::uint64_t oldest,
                                   const std::string& store);

/// Marks the MANIFEST of a store that is not open: a checkpoint, or one that was verified. Errors:
/// storage_io, resource_exhausted.
[[nodiscard]] Status mark_manifest(const std::string& store, rocksdb::Env* env);

/// Keeps the marks of an open store. What cannot be marked (full disk) is marked later; until then
/// the older marks are still true. Thread-safe: RocksDB calls from several threads.
class FileMarker final : public rocksdb::EventListener {
 public:
  FileMarker(std::string store, rocksdb::Env* env);

  const char* Name() const override { return "zonesync.FileMarker"; }
  bool ShouldBeNotifiedOnFileIO() override { return true; }
  void OnFileSyncFinish(const rocksdb::FileOperationInfo& info) override;
  void OnMemTableSealed(const rocksdb::MemTableInfo& info) override;
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;

  /// Forgets the write-ahead logs that `db` needs no more; also called once it is open.
  void forget_logs(rocksdb::DB& db);

 private:
  void manifest_synced(const std::string& name);
  void save();

  const std::string store_;
  rocksdb::Env* const env_;
  std::mutex mutex_;
  FileMarks marks_;
  std::string manifest_;  // the one that `hash_` is of
  PrefixHash hash_;
};

}  // namespace zonesync::rocksdb_store
