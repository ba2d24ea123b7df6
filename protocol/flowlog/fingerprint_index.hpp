// The fingerprints of everything live in a log, for repairs: made by one scan when first asked for,
// then carried forward by the entries that came since. Shared by all sessions of the log, since
// views are applied by whoever compares.
//
// 56 bytes per live resource while anybody repaired; nothing before that.
// Thread rule: any thread; one at a time makes the next table, others wait for it.
#pragma once

#include <memory>
#include <mutex>

#include "protocol/model/buckets.hpp"
#include "storage/change_log.hpp"

namespace zonesync {

class FingerprintIndex {
 public:
  /// `log` outlives the index.
  explicit FingerprintIndex(const ChangeLog& log) : log_(log) {}

  /// The table at the head of the log or shortly behind, without system entries. Errors:
  /// storage_io, storage_corrupt.
  [[nodiscard]] Result<std::shared_ptr<const FingerprintTable>> at_head();

 private:
  const ChangeLog& log_;
  std::mutex mutex_;
  std::shared_ptr<const FingerprintTable> table_;
};

}  // namespace zonesync
