#include "client-sdk/agent/file_io.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

/// Closes at the end of its scope. Not thread-safe.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

Status write_all(Descriptor& file, const fs::path& path, std::string_view content, bool durable) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_failure("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (durable && ::fsync(file.get()) != 0) return io_failure("sync", path, errno);
  if (!file.close()) return io_failure("close", path, errno);
  return {};
}

}  // namespace

tl::unexpected<Error> io_failure(std::string_view what, const fs::path& path, int error_number) {
  return fail(ErrorCode::storage_io,
              "cannot " + std::string(what) + ": " +
                  std::generic_category().message(error_number),
              path.string());
}

namespace {

int open_to_read(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

Result<std::string> read_whole(const Descriptor& file, const fs::path& path,
                               std::size_t max_bytes) {
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return fail(ErrorCode::not_found, "no such file", path.string());
  }
  if (file.get() < 0) return io_failure("open", path, errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return io_failure("stat", path, errno);
  if (!S_ISREG(about.st_mode)) {
    return fail(ErrorCode::invalid_argument, "not a regular file", path.string());
  }
  std::string content;
  std::string buffer(64u << 10, '\0');
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_failure("read", path, errno);
    if (count == 0) return content;
    content.append(buffer, 0, static_cast<std::size_t>(count));
    if (content.size() > max_bytes) {
      return fail(ErrorCode::too_large,
                  "the file has more than " + std::to_string(max_bytes) + " bytes",
                  path.string());
    }
  }
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  const Descriptor file(open_to_read(path));
  return read_whole(file, path, max_bytes);
}

Result<std::string> read_file_within(const fs::path& dir, const fs::path& relative,
                                     std::size_t max_bytes) {
  const fs::path path = dir / relative;
  const Descriptor file(open_to_read(path));
  if (file.get() >= 0) {  // asked of the open file: a link changed meanwhile changes nothing
    std::error_code failed;
    const fs::path real = fs::read_symlink("/proc/self/fd/" + std::to_string(file.get()), failed);
    const fs::path root = failed ? fs::path() : fs::canonical(dir, failed);
    if (failed) return io_failure("resolve", path, failed.value());
    const fs::path inside = real.lexically_relative(root);
    if (inside.empty() || *inside.begin() == "..") {
      return fail(ErrorCode::forbidden, "the link leads out of the directory", path.string());
    }
  }
  return read_whole(file, path, max_bytes);
}

Status write_new_file(const fs::path& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_failure("create", path, errno);
  return write_all(file, path, content, false);
}

Status replace_file(const fs::path& path, std::string_view content, bool durable) {
  const fs::path staged = path.string() + ".tmp";
  {
    Descriptor file(::open(staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return io_failure("create", staged, errno);
    if (auto status = write_all(file, staged, content, durable); !status) return status;
  }
  if (::rename(staged.c_str(), path.c_str()) != 0) return io_failure("rename", path, errno);
  if (!durable) return {};
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return io_failure("open", parent, errno);
  if (::fsync(directory.get()) != 0) return io_failure("sync", parent, errno);
  return {};
}

Status make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return io_failure("create", path, error.value());
  return {};
}

}  // namespace zonesync::agent
