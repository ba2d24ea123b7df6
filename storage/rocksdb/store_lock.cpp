#include "storage/rocksdb/store_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace zonesync::rocksdb_store {
namespace {

std::string lock_path(std::string store) {
  while (store.size() > 1 && store.back() == '/') store.pop_back();
  return store + ".lock";
}

}  // namespace

Result<StoreLock> StoreLock::take(const std::string& store) {
  const std::string path = lock_path(store);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return StoreLock();
  StoreLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return lock;
  return fail(ErrorCode::unavailable,
              "a hub or another command works on this store, or on one that was moved away from "
              "here; stop it first",
              store);
}

StoreLock::StoreLock(StoreLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

StoreLock& StoreLock::operator=(StoreLock&& other) noexcept {
  if (this != &other) {
    if (file_ >= 0) ::close(file_);
    file_ = std::exchange(other.file_, -1);
  }
  return *this;
}

StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);  // the file stays: removing it would let two hold it
}

DirectoryIdentity directory_identity(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino};
}

}  // namespace zonesync::rocksdb_store
