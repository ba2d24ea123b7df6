#include "server/auth/secret.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zonesync::auth {
namespace {

/// An open file; closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> io_error(const char* action, const std::filesystem::path& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT   ? ErrorCode::not_found
                         : error == EEXIST ? ErrorCode::conflict
                                           : ErrorCode::storage_io;
  return fail(code, std::string("cannot ") + action + ": " + std::strerror(error), path.string());
}

Status check_private(const struct ::stat& info, const std::filesystem::path& path) {
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::forbidden,
                "the file is readable or writable by others; run: chmod 600 " + path.string(),
                path.string());
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(ErrorCode::forbidden,
                "the file belongs to another user; it must belong to the user the hub runs as",
                path.string());
  }
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes,
                              bool secret) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return io_error("open", path);
  struct ::stat info {};
  if (::fstat(file.get(), &info) != 0) return io_error("inspect", path);
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::invalid_argument, "not a regular file", path.string());
  }
  if (secret) {
    if (auto checked = check_private(info, path); !checked) return fail(checked.error());
  }
  std::string bytes(max_bytes + 1, '\0');  // allocated once: no stale copies of a secret
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ::ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_bytes) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return fail(ErrorCode::too_large,
                "the file is larger than " + std::to_string(max_bytes) + " bytes", path.string());
  }
  bytes.resize(size);
  return bytes;
}

Status write_new_file(const std::filesystem::path& path, std::string_view bytes, ::mode_t mode) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return io_error("create", path);
  const auto abandon = [&](const char* action) {
    auto failure = io_error(action, path);
    ::unlink(path.c_str());
    return failure;
  };
  if (::fchmod(file.get(), mode) != 0) return abandon("set the mode");  // whatever the umask
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ::ssize_t n = ::write(file.get(), bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return abandon("write");
    written += static_cast<std::size_t>(n);
  }
  if (::fsync(file.get()) != 0) return abandon("sync");
  return {};
}

}  // namespace

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) {
  other.wipe();  // a short string is copied by a move
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.wipe();
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() {
  bytes_.resize(bytes_.capacity());
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

Result<Secret> read_secret_file(const std::filesystem::path& path, std::size_t max_bytes) {
  auto bytes = read_file(path, max_bytes, true);
  if (!bytes) return fail(std::move(bytes.error()));
  return Secret(std::move(*bytes));
}

Result<std::string> read_public_file(const std::filesystem::path& path, std::size_t max_bytes) {
  return read_file(path, max_bytes, false);
}

Status write_secret_file(const std::filesystem::path& path, std::string_view bytes) {
  return write_new_file(path, bytes, 0600);
}

Status write_public_file(const std::filesystem::path& path, std::string_view bytes) {
  return write_new_file(path, bytes, 0644);
}

Status sync_directory(const std::filesystem::path& directory) {
  const FileDescriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return io_error("open", directory);
  if (::fsync(file.get()) != 0) return io_error("sync", directory);
  return {};
}

Result<std::string> random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes)) != 1) {
    return fail(ErrorCode::internal, "the system's random source failed");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes * 2);
  for (const char c : raw) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace zonesync::auth
