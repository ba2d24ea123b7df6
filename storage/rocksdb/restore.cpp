// A checkpoint takes the place of a log: copied beside it, verified, renamed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/checkpoint.hpp"
#include "storage/rocksdb/file_marks.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/store_lock.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1u << 20;
/// Beside the copy: what opening it writes, the anchor.
constexpr std::uint64_t kOpeningBytes = 4u << 20;

Status io_error(const std::string& doing, const std::string& path, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device || error.value() == EDQUOT;
  return fail(full ? ErrorCode::resource_exhausted : ErrorCode::storage_io,
              doing + ": " + error.message() + "; nothing was changed" +
                  (full ? ", free some space on the disk" : ""),
              path);
}

Status failed(const std::string& doing, const fs::path& path) {
  return io_error(doing, path.string(), std::error_code(errno, std::generic_category()));
}

/// Closes itself.
struct File {
  explicit File(int opened) : number(opened) {}
  ~File() {
    if (number >= 0) ::close(number);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number;
};

/// False = `errno` says why.
bool write_all(int file, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// Every byte written and synced by ourselves: std::filesystem copies a part and calls it good when
/// the disk fills up meanwhile.
Status copy_one(const fs::path& from, const fs::path& to) {
  const File source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.number < 0) return failed("reading the checkpoint failed", from);
  const File made(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.number < 0) return failed("copying the checkpoint failed", to);
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t got = ::read(source.number, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("reading the checkpoint failed", from);
    if (got == 0) break;
    if (!write_all(made.number, piece.data(), static_cast<std::size_t>(got))) {
      return failed("copying the checkpoint failed", to);
    }
  }
  return ::fsync(made.number) == 0 ? Status() : failed("making the copy durable failed", to);
}

Status sync_directory(const fs::path& path) {
  const File directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool synced = directory.number >= 0 && ::fsync(directory.number) == 0;
  return synced ? Status() : failed("making the copy durable failed", path);
}

Status copy_durably(const fs::path& from, const fs::path& to) {
  if (::mkdir(to.c_str(), 0700) != 0) return failed("copying the checkpoint failed", to);
  std::error_code error;
  for (const auto& item : fs::directory_iterator(from, error)) {
    if (!item.is_regular_file()) continue;
    if (Status status = copy_one(item.path(), to / item.path().filename()); !status) return status;
  }
  if (error) return io_error("reading the checkpoint failed", from.string(), error);
  return sync_directory(to);
}

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

/// The copy, and what its write-ahead log becomes when it is opened.
Status check_room(const std::string& checkpoint, const std::string& path) {
  std::error_code error;
  std::uint64_t needed = kOpeningBytes;
  for (const auto& item : fs::directory_iterator(checkpoint, error)) {
    const std::uint64_t size = item.is_regular_file(error) ? item.file_size(error) : 0;
    needed += item.path().extension() == ".log" ? 2 * size : size;
  }
  const fs::path folder = folder_of(path);
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available >= needed) return {};
  return fail(too_full("this restore", needed, space.available, folder.string()));
}

/// The copy under its working name. Gone with this object unless it was put in place.
class Staged {
 public:
  explicit Staged(std::string path) : path_(std::move(path)) { remove(); }
  ~Staged() { remove(); }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void remove() const {
    std::error_code error;
    fs::remove_all(path_, error);
    fs::remove(path_ + ".lock", error);
  }
  std::string path_;
};

/// Opens what was copied, before anything is changed: half a checkpoint must not take a store's
/// place.
Status check_copy(const std::string& staged, const std::string& checkpoint,
                  const sealing::MasterKeyPtr& key) {
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorCode::storage_corrupt,
                "the checkpoint is damaged or was copied in part, nothing was changed: " + what,
                checkpoint);
  };
  auto store = OfflineStore::open(staged, nullptr, key);
  if (!store && store.error().code == ErrorCode::storage_corrupt) {
    return damaged(store.error().message);
  }
  if (!store) return fail(std::move(store.error()));
  const auto report = (*store)->verify();
  if (!report) return fail(report.error());
  return report->good() ? Status() : damaged(report->texts.front());
}

/// The last steps, and back again. In this order: a crash between leaves a store that opens, and
/// says it was rewound, or none.
class Placing {
 public:
  explicit Placing(std::string path) : path_(std::move(path)), old_(anchor_path(path_)) {}

  Status forward(const std::string& staged, const std::optional<LineageAnchor>& anchor) {
    std::error_code error;
    fs::remove(path_, error);  // an empty directory
    fs::rename(staged, path_, error);
    if (error) return io_error("putting the copy in place failed", path_, error);
    store_there_ = true;
    if (fs::exists(old_, error)) {
      fs::rename(old_, kept(), error);
      if (error) return io_error("moving the anchor away failed", path_, error);
      anchor_kept_ = true;
    }
    anchor_ours_ = true;
    return anchor ? write_anchor(path_, *anchor, nullptr) : Status();
  }
  void back() const {
    std::error_code error;
    if (store_there_) fs::remove_all(path_, error);
    if (anchor_ours_) fs::remove(old_, error);
    if (anchor_kept_) fs::rename(kept(), old_, error);
  }

 private:
  [[nodiscard]] std::string kept() const { return old_ + ".before-restore"; }
  std::string path_;
  std::string old_;
  bool store_there_ = false;
  bool anchor_kept_ = false;
  bool anchor_ours_ = false;
};

Status check_places(const std::string& checkpoint, const std::string& path) {
  std::error_code error;
  if (!fs::exists(checkpoint + "/CURRENT", error)) {
    return fail(ErrorCode::not_found, "there is no checkpoint in this directory", checkpoint);
  }
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    return fail(ErrorCode::conflict,
                "a store is here already; stop the hub and move it away before restoring", path);
  }
  return {};
}

}  // namespace

Result<RestoreReport> restore_store(const std::string& from, const std::string& to,
                                    SealingOptions sealing) {
  const std::string checkpoint = store_path(from, nullptr), path = store_path(to, nullptr);
  if (Status status = check_places(checkpoint, path); !status) return fail(status.error());
  RestoreReport report;
  auto lock = StoreLock::take(path);  // a hub may still run on what was moved away from here
  if (!lock) return fail(std::move(lock.error()));
  auto anchor = read_anchor(path, nullptr);
  if (anchor) report.anchor_before = *anchor;  // a damaged one is moved away like any other
  const auto made = read_anchor(checkpoint, nullptr);  // of the copy itself; older ones have none
  if (!made) return fail(made.error());
  const Staged staged(path + ".restoring");
  Status status = check_room(checkpoint, path);
  if (status) status = copy_durably(checkpoint, staged.path());
  if (status) status = check_copy(staged.path(), checkpoint, sealing.key);
  if (status) status = mark_manifest(staged.path(), nullptr);
  if (!status) return fail(std::move(status.error()));
  Placing placing(path);
  status = placing.forward(staged.path(), *made);
  *lock = StoreLock();  // the log takes it
  RocksDbOptions options;
  options.sealing = std::move(sealing);
  options.restored_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  auto log = status ? RocksDbChangeLog::open(path, std::move(options))
                    : Result<std::unique_ptr<RocksDbChangeLog>>(fail(status.error()));
  if (!log) {
    if (log.error().code != ErrorCode::unavailable) placing.back();  // else a hub was faster
    return fail(std::move(log.error()));
  }
  report.warning = (*log)->report().text;
  report.state = (*log)->state();
  return report;
}

}  // namespace zonesync
