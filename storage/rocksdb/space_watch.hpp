// What RocksDB's own threads say about a full disk.
//
// A flush that finds no space loses nothing: the write-ahead log has it all. RocksDB takes no
// writes then until Database::resume(). A write that fails half way is another matter: nobody knows
// what the disk holds, and only a restart can tell.
//
// Thread rule: any thread; RocksDB calls the listener from several.
#pragma once

#include <atomic>

#include <rocksdb/listener.h>

namespace zonesync::rocksdb_store {

class SpaceWatch final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override;

  /// A flush found no space, and nothing worse happened: no write was begun since.
  [[nodiscard]] bool starved() const { return starved_ && !failed_; }
  void resumed() { starved_ = false; }
  /// A write failed, not only was refused.
  void write_failed() { failed_ = true; }
  /// A compaction found no space; RocksDB tries it again by itself.
  [[nodiscard]] bool compaction_waits() const { return compaction_waits_; }

 private:
  std::atomic<bool> starved_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> compaction_waits_{false};
};

}  // namespace zonesync::rocksdb_store
