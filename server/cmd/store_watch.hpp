// What the operator must hear about the hub's disk, each thing once.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "protocol/runtime/logger.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {

/// Called about once a second with how the log stands; says what changed. Thread rule: `look` and
/// `trim_waits` on the writer thread, the rest on any.
class StoreWatch {
 public:
  explicit StoreWatch(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}

  void look(const StoreSpace& space);
  /// Trimming found no space; it goes on later.
  void trim_waits(const Error& error);

  /// Users' writes are refused until somebody frees space.
  [[nodiscard]] bool refusing() const { return refusing_; }
  /// Bytes free beside the store; nothing = nobody knows.
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const;

 private:
  void look_at_ballast(const StoreSpace& space);

  std::shared_ptr<Logger> logger_;
  std::atomic<bool> refusing_{false};
  std::atomic<std::int64_t> free_bytes_{-1};
  bool ballast_said_ = false;
  bool trim_said_ = false;
  bool reseal_said_ = false;
};

}  // namespace zonesync
