#include "storage/rocksdb/space_watch.hpp"

namespace zonesync::rocksdb_store {

using Reason = rocksdb::BackgroundErrorReason;

void SpaceWatch::OnBackgroundError(Reason reason, rocksdb::Status* error) {
  if (reason == Reason::kCompaction && error->IsNoSpace()) {
    compaction_waits_ = true;  // writes and flushes go on
    return;
  }
  // A write that was refused for an error from before is told here like one that failed: write()
  // knows which it was.
  if (reason == Reason::kWriteCallback) return;
  // "NoWAL": RocksDB's words for a flush behind which the write-ahead log is in good order.
  const bool flush = reason == Reason::kFlush || reason == Reason::kFlushNoWAL ||
                     reason == Reason::kManifestWrite || reason == Reason::kManifestWriteNoWAL;
  (flush && error->IsNoSpace() ? starved_ : failed_) = true;
}

// Only compactions are left to RocksDB: who resumes writing is decided where space is counted.
void SpaceWatch::OnErrorRecoveryBegin(Reason reason, rocksdb::Status error, bool* auto_recovery) {
  error.PermitUncheckedError();
  if (reason != Reason::kCompaction) *auto_recovery = false;
}

void SpaceWatch::OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) {
  info.old_bg_error.PermitUncheckedError();
  if (info.new_bg_error.ok()) starved_ = compaction_waits_ = false;
}

}  // namespace zonesync::rocksdb_store
