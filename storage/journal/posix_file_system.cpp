#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "storage/journal/file_system.hpp"

namespace zonesync::journal {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

Error system_error(const std::string& doing, const std::string& path, int number) {
  ErrorCode code = ErrorCode::storage_io;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::resource_exhausted;
  if (number == ENOENT) code = ErrorCode::not_found;
  return Error{code, doing + ": " + std::generic_category().message(number), path};
}

Status check(int result, const std::string& doing, const std::string& path) {
  if (result == 0) return {};
  return fail(system_error(doing, path, errno));
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), file_(descriptor) {
    const off_t end = ::lseek(file_.get(), 0, SEEK_END);
    size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::pread(file_.get(), bytes.data() + got, size - got,
                                static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(system_error("reading the file", path_, errno));
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
  }

  Status append(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t n =
          ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(system_error("writing the file", path_, errno));
      size_ += static_cast<std::uint64_t>(n);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Status truncate(std::uint64_t size) override {
    Status status =
        check(::ftruncate(file_.get(), static_cast<off_t>(size)), "truncating the file", path_);
    if (status) size_ = size;
    return status;
  }

  Status sync() override { return check(::fsync(file_.get()), "syncing the file", path_); }

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(int descriptor) : file_(descriptor) {}

 private:
  Descriptor file_;
};

class PosixFileSystem final : public FileSystem {
 public:
  [[nodiscard]] bool exists(const std::string& path) const override {
    return ::access(path.c_str(), F_OK) == 0;
  }

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override {
    return open_with(path, 0);
  }

  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& path) override {
    return open_with(path, O_CREAT | O_TRUNC);
  }

  Status rename(const std::string& from, const std::string& to) override {
    return check(::rename(from.c_str(), to.c_str()), "renaming the file", from);
  }

  Status remove(const std::string& path) override {
    return check(::unlink(path.c_str()), "removing the file", path);
  }

  Status sync_directory(const std::string& path) override {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) return fail(system_error("opening the directory", path, errno));
    return check(::fsync(directory.get()), "syncing the directory", path);
  }

  Status make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
    return fail(system_error("making the directory", path, errno));
  }

  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (descriptor < 0) return fail(system_error("opening the lock file", path, errno));
    auto lock = std::make_unique<PosixLock>(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) {
      return fail(ErrorCode::unavailable,
                  "another process uses this store; stop it, or use another directory", path);
    }
    return fail(system_error("locking the store", path, errno));
  }

 private:
  [[nodiscard]] static Result<std::unique_ptr<File>> open_with(const std::string& path,
                                                               int flags) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, kFileMode);
    if (descriptor < 0) return fail(system_error("opening the file", path, errno));
    return std::make_unique<PosixFile>(path, descriptor);
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem instance;
  return instance;
}

}  // namespace zonesync::journal
