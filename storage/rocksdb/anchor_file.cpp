#include "storage/rocksdb/anchor_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <rocksdb/env.h>

#include "storage/rocksdb/database.hpp"

namespace zonesync::rocksdb_store {
namespace {

constexpr std::size_t kAnchorMaxBytes = 4096;
constexpr std::size_t kBallastPiece = 1u << 20;

rocksdb::Env& used(rocksdb::Env* env) { return env != nullptr ? *env : *rocksdb::Env::Default(); }

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string ballast_path(const std::string& store) { return store + "/ballast"; }

rocksdb::Status write_new(rocksdb::Env& env, const std::string& path, const std::string& bytes) {
  if (&env == rocksdb::Env::Default()) {  // RocksDB's files are for everybody to read
    ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  }
  std::unique_ptr<rocksdb::WritableFile> file;
  auto status = env.NewWritableFile(path, &file, rocksdb::EnvOptions());
  if (status.ok()) status = file->Append(bytes);
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  if (!status.ok()) env.DeleteFile(path).PermitUncheckedError();
  return status;
}

rocksdb::Status sync_directory(rocksdb::Env& env, const std::string& path) {
  std::unique_ptr<rocksdb::Directory> directory;
  auto status = env.NewDirectory(path, &directory);
  if (status.ok()) status = directory->Fsync();
  return status;
}

rocksdb::Status fill(rocksdb::Env& env, const std::string& path, std::uint64_t bytes) {
  std::unique_ptr<rocksdb::WritableFile> file;
  auto status = env.NewWritableFile(path, &file, rocksdb::EnvOptions());
  const std::string piece(kBallastPiece, '\x5a');  // not zeros: a file system may not store those
  while (status.ok() && bytes > 0) {
    const std::size_t now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, piece.size()));
    status = file->Append(rocksdb::Slice(piece.data(), now));
    bytes -= now;
  }
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  return status;
}

/// The same on the real file system, without writing it.
rocksdb::Status allocate(const std::string& path, std::uint64_t bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return rocksdb::Status::IOError(std::generic_category().message(errno));
  int error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  if (error == 0 && ::fsync(file) != 0) error = errno;
  ::close(file);
  if (error == 0) return rocksdb::Status::OK();
  if (error == ENOSPC || error == EDQUOT) return rocksdb::Status::NoSpace();
  return rocksdb::Status::IOError(std::generic_category().message(error));
}

}  // namespace

rocksdb::Status replace_file(rocksdb::Env& env, const std::string& path,
                             const std::string& bytes) {
  auto status = write_new(env, path + ".new", bytes);
  if (status.ok()) status = env.RenameFile(path + ".new", path);
  if (status.ok()) status = sync_directory(env, directory_of(path));
  return status;
}

std::string anchor_path(const std::string& store) { return store + ".anchor"; }

Result<std::optional<LineageAnchor>> read_anchor(const std::string& store, rocksdb::Env* env) {
  const std::string path = anchor_path(store);
  const auto exists = used(env).FileExists(path);
  if (exists.IsNotFound()) return std::nullopt;
  std::string bytes;
  std::uint64_t size = 0;
  auto status = exists.ok() ? used(env).GetFileSize(path, &size) : exists;
  if (status.ok() && size <= kAnchorMaxBytes) {
    status = rocksdb::ReadFileToString(&used(env), path, &bytes);
  }
  if (!status.ok()) return fail(to_error(status, "reading the lineage anchor", path));
  auto anchor = decode_anchor(bytes);
  if (anchor) return anchor;
  return fail(
      ErrorCode::storage_corrupt,
      "the lineage anchor is damaged, so that nobody can tell whether the log lost its end; "
      "move the file away to start without that check",
      path);
}

Error missing_log(const LineageAnchor& anchor, const std::string& path) {
  return Error{ErrorCode::storage_corrupt,
               "the log that " + anchor_path(path) + " remembers, up to revision " +
                   std::to_string(anchor.head.value) +
                   ", is gone; put it back or restore a backup, or, to start with an empty log, "
                   "move that file away",
               path};
}

Status write_anchor(const std::string& store, const LineageAnchor& anchor, rocksdb::Env* env) {
  const std::string path = anchor_path(store);
  const auto status = replace_file(used(env), path, encode_anchor(anchor));
  if (status.ok()) return {};
  return fail(to_error(status, "writing the lineage anchor", path));
}

void adopt_anchor(const std::string& spelling, const std::string& store, rocksdb::Env* env) {
  std::string other = spelling;
  while (other.size() > 1 && other.back() == '/') other.pop_back();
  if (other == store || !used(env).FileExists(anchor_path(store)).IsNotFound()) return;
  const auto anchor = read_anchor(other, env);
  if (!anchor || !*anchor) return;
  const Status ignored = write_anchor(store, **anchor, env);
  static_cast<void>(ignored);
}

bool has_ballast(const std::string& store, rocksdb::Env* env) {
  return used(env).FileExists(ballast_path(store)).ok();
}

bool drop_ballast(const std::string& store, rocksdb::Env* env) {
  return used(env).DeleteFile(ballast_path(store)).ok();
}

Status make_ballast(const std::string& store, std::uint64_t bytes, rocksdb::Env* env) {
  const std::string path = ballast_path(store);
  const auto status = env != nullptr ? fill(*env, path, bytes) : allocate(path, bytes);
  if (status.ok()) return {};
  const auto ignored = used(env).DeleteFile(path);
  static_cast<void>(ignored.ok());
  return fail(to_error(status, "reserving space for a start on a full disk", path));
}

}  // namespace zonesync::rocksdb_store
