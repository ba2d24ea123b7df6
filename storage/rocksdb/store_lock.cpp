#include "storage/rocksdb/store_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace zonesync::rocksdb_store {
namespace {

std::string lock_path(const std::string& store) { return store + ".lock"; }

int open_or_make(const std::string& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

}  // namespace

std::string store_path(const std::string& path, const rocksdb::Env* env) {
  if (env != nullptr) return path;
  std::error_code error;
  std::string real = std::filesystem::weakly_canonical(path, error).string();
  if (error) real = path;
  while (real.size() > 1 && real.back() == '/') real.pop_back();
  return real;
}

Result<StoreLock> StoreLock::take(const std::string& store) {
  const std::string path = lock_path(store);
  const int file = open_or_make(path);
  if (file >= 0) return hold(file, store);
  if (errno == ENOSPC || errno == EDQUOT) return StoreLock();
  if (errno == ENOENT) {
    return fail(ErrorCode::not_found, "the folder for the store does not exist; make it first",
                std::filesystem::path(store).parent_path().string());
  }
  return fail(ErrorCode::storage_io,
              "the lock file cannot be opened: " + std::generic_category().message(errno) +
                  "; a store keeps files beside its directory, so that folder must be writable",
              path);
}

Result<StoreLock> StoreLock::take_to_look(const std::string& store) {
  const std::string path = lock_path(store);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return file < 0 ? Result<StoreLock>(StoreLock()) : hold(file, store);
}

Result<StoreLock> StoreLock::hold(int file, const std::string& store) {
  StoreLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return lock;
  std::error_code error;
  const bool here = std::filesystem::exists(store + "/CURRENT", error);
  return fail(ErrorCode::unavailable,
              here ? "a hub or another command works on this store; stop it first"
                   : "a hub or another command works on the store that was moved away from here; "
                     "stop it first",
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
