#include "storage/rocksdb/checkpoint.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include <rocksdb/env.h>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync::rocksdb_store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSlackBytes = 1u << 20;  // of the file system: blocks, directories

bool is_real(const rocksdb::Env* env) { return env == rocksdb::Env::Default(); }

std::string folder_of(const std::string& directory) {
  const fs::path folder = fs::path(directory).parent_path();
  return folder.empty() ? "." : folder.string();
}

bool on_one_file_system(const std::string& a, const std::string& b) {
  struct stat first {}, second {};
  if (::stat(a.c_str(), &first) != 0 || ::stat(b.c_str(), &second) != 0) return true;
  return first.st_dev == second.st_dev;
}

/// With everything in it, as far as that works.
void remove_tree(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (!env.GetChildren(path, &names).ok()) return;
  for (const std::string& name : names) {
    if (name == "." || name == "..") continue;
    const std::string child = path + "/" + name;
    bool directory = false;
    if (env.IsDirectory(child, &directory).ok() && directory) {
      remove_tree(env, child);
    } else {
      env.DeleteFile(child).PermitUncheckedError();
    }
  }
  env.DeleteDir(path).PermitUncheckedError();
}

Status make_private(rocksdb::Env& env, const std::string& directory) {
  if (!is_real(&env)) {
    const auto made = env.CreateDir(directory);
    return made.ok() ? Status() : fail(to_error(made, "making a checkpoint", directory));
  }
  if (::mkdir(directory.c_str(), 0700) == 0) return {};
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::resource_exhausted
                                                            : ErrorCode::storage_io;
  return fail(code, "making a checkpoint failed: " + std::generic_category().message(errno),
              directory);
}

/// RocksDB makes files that everybody may read. Table files are the store's own (hard links).
void hide(rocksdb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  if (!is_real(&env) || !env.GetChildren(directory, &names).ok()) return;
  ::chmod(directory.c_str(), 0700);
  for (const std::string& name : names) {
    if (name != "." && name != "..") ::chmod((directory + "/" + name).c_str(), 0600);
  }
}

Status give_name(rocksdb::Env& env, const std::string& whole, const std::string& name) {
  auto status = env.RenameFile(whole, name);
  std::unique_ptr<rocksdb::Directory> folder;
  if (status.ok()) status = env.NewDirectory(folder_of(name), &folder);
  if (status.ok()) status = folder->Fsync();
  if (status.ok()) return {};
  return fail(to_error(status, "putting the checkpoint in place", name));
}

Status check_place(const Database& database, rocksdb::Env& env, const std::string& directory) {
  const Status outside = check_outside_store(directory, database.path());
  if (!outside) return outside;
  if (env.FileExists(directory).ok()) {
    return fail(ErrorCode::conflict, "the directory of a checkpoint must not exist yet", directory);
  }
  if (is_real(&env) && !env.FileExists(folder_of(directory)).ok()) {
    return fail(ErrorCode::not_found, "the folder for the checkpoint does not exist; make it first",
                folder_of(directory));
  }
  return {};
}

/// `flushed`: what is in the write-ahead log still will be copied with it.
Status check_room(const Database& database, const std::string& directory, std::uint64_t reserve,
                  bool flushed) {
  const auto sizes = database.copy_sizes();
  if (!sizes) return fail(sizes.error());
  const std::string folder = folder_of(directory);
  const bool shared = on_one_file_system(database.path(), folder);
  const std::uint64_t copied = sizes->copied + (flushed ? sizes->logs : 0) + kSlackBytes;
  const std::uint64_t here = reserve + sizes->unflushed + (shared ? copied : kSlackBytes);
  const std::uint64_t there = sizes->unflushed + sizes->tables + copied;
  const auto free_here = database.free_bytes();
  if (free_here && *free_here < here) {
    return fail(too_full("a checkpoint", here, *free_here, database.path()));
  }
  const auto free_there = shared ? std::nullopt : database.free_bytes_in(folder);
  if (free_there && *free_there < there) {
    return fail(too_full("a checkpoint", there, *free_there, folder));
  }
  return {};
}

}  // namespace

Error too_full(std::string_view what, std::uint64_t needed, std::uint64_t free,
               const std::string& place) {
  constexpr std::uint64_t kMiB = 1u << 20;
  return Error{ErrorCode::resource_exhausted,
               "the disk is too full for " + std::string(what) + ": it needs about " +
                   std::to_string((needed + kMiB - 1) / kMiB) + " MiB free, there are " +
                   std::to_string(free / kMiB) + " MiB; nothing was changed, free some space",
               place};
}

Status make_checkpoint(Database& database, const std::string& wanted, std::uint64_t reserve,
                       const LineageAnchor& anchor) {
  rocksdb::Env& env = database.env();
  const std::string directory = store_path(wanted, is_real(&env) ? nullptr : &env);
  if (Status status = check_place(database, env, directory); !status) return status;
  Status room = check_room(database, directory, reserve, false);
  if (room) room = database.flush();
  if (room) room = check_room(database, directory, reserve, true);
  if (!room) return room;
  const std::string making = directory + std::string(kMakingSuffix);
  remove_tree(env, making);  // of a crash
  if (Status status = make_private(env, making); !status) return status;
  const std::string whole = making + "/copy";
  Status status = database.copy_to(whole);
  if (status) hide(env, whole);
  if (status) status = write_anchor(directory, anchor, is_real(&env) ? nullptr : &env);
  if (status) {
    status = give_name(env, whole, directory);
    if (!status) env.DeleteFile(anchor_path(directory)).PermitUncheckedError();
  }
  remove_tree(env, making);
  return status;
}

}  // namespace zonesync::rocksdb_store

namespace zonesync {

Status check_outside_store(const std::string& directory, const std::string& store) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path outer = fs::weakly_canonical(store, error);
  fs::path inner = fs::weakly_canonical(directory, error);  // it need not exist
  for (; !error && inner.has_relative_path(); inner = inner.parent_path()) {
    if (inner != outer) continue;
    return fail(ErrorCode::invalid_argument,
                "a checkpoint cannot lie inside the store that it is a copy of; name a directory "
                "elsewhere",
                directory);
  }
  return {};
}

}  // namespace zonesync
