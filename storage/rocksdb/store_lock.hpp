// Who owns a place where a store lies: a lock file beside it, and the directory's identity.
//
// RocksDB's own lock lies inside the directory and goes with it when somebody moves it away under a
// running hub, which would then create its next files, by name, in whatever is put there instead.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/model/result.hpp"

namespace rocksdb {
class Env;
}

namespace zonesync::rocksdb_store {

/// Held until it is destroyed, or the process ends. Movable; thread rule: one thread.
class StoreLock {
 public:
  StoreLock() = default;
  /// `DIR.lock`, made when it is not there. On a full disk it may not be possible to make it: then
  /// nothing is held, and RocksDB's own lock has to do. Errors: unavailable (another process has
  /// it), not_found (no folder to make it in), storage_io (it cannot be made: then neither can the
  /// anchor).
  [[nodiscard]] static Result<StoreLock> take(const std::string& store);
  /// For those who only look, and make nothing: where there is no lock file, nobody holds it.
  /// Errors: unavailable.
  [[nodiscard]] static Result<StoreLock> take_to_look(const std::string& store);
  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&& other) noexcept;
  ~StoreLock();

 private:
  explicit StoreLock(int file) : file_(file) {}
  [[nodiscard]] static Result<StoreLock> hold(int file, const std::string& store);
  int file_ = -1;
};

/// One spelling for one store: absolute, without links and trailing slashes, so that the files
/// beside it are found again. On an Env of a test the path as it is.
[[nodiscard]] std::string store_path(const std::string& path, const rocksdb::Env* env);

/// Which directory a path names now.
struct DirectoryIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0 = there is none
  friend bool operator==(const DirectoryIdentity&, const DirectoryIdentity&) = default;
};
[[nodiscard]] DirectoryIdentity directory_identity(const std::string& path);

}  // namespace zonesync::rocksdb_store
