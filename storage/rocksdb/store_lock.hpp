// Who owns a place where a store lies: a lock file beside it, and the directory's identity.
//
// RocksDB's own lock lies inside the directory and goes with it when somebody moves it away under a
// running hub, which would then create its next files, by name, in whatever is put there instead.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/model/result.hpp"

namespace zonesync::rocksdb_store {

/// Held until it is destroyed, or the process ends. Movable; thread rule: one thread.
class StoreLock {
 public:
  StoreLock() = default;
  /// `DIR.lock`, made when it is not there. Where it cannot be made (a full or read-only disk, a
  /// folder of somebody else) nothing is held: RocksDB's own lock has to do. Errors: unavailable
  /// (another process has it).
  [[nodiscard]] static Result<StoreLock> take(const std::string& store);
  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&& other) noexcept;
  ~StoreLock();

 private:
  explicit StoreLock(int file) : file_(file) {}
  int file_ = -1;
};

/// Which directory a path names now.
struct DirectoryIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0 = there is none
  friend bool operator==(const DirectoryIdentity&, const DirectoryIdentity&) = default;
};
[[nodiscard]] DirectoryIdentity directory_identity(const std::string& path);

}  // namespace zonesync::rocksdb_store
