#include "storage/rocksdb/database.hpp"

#include <algorithm>

#include <sys/stat.h>

#include <limits>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/utilities/checkpoint.h>

#include "protocol/model/assert.hpp"
#include "storage/rocksdb/file_logger.hpp"
#include "storage/rocksdb/file_marks.hpp"
#include "storage/rocksdb/options.hpp"

namespace zonesync::rocksdb_store {
namespace {

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

/// RocksDB looks for a table under its old name too, and complains about that one.
std::string text_of(const rocksdb::Status& status) {
  constexpr std::string_view kOldName = ".ldb";
  std::string text = status.ToString();
  for (auto at = text.find(kOldName); at != std::string::npos; at = text.find(kOldName, at)) {
    text.replace(at, kOldName.size(), ".sst");
  }
  return text;
}

/// RocksDB blames the MANIFEST for a table whose end is damaged: " (NAME: why)" of the first such.
std::string damaged_table(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (!env.GetChildren(path, &names).ok()) return {};
  rocksdb::Options options;
  options.env = &env;
  for (const std::string& name : names) {
    if (!name.ends_with(".sst")) continue;
    rocksdb::SstFileReader table(options);
    const auto status = table.Open(path + "/" + name);
    if (!status.ok()) return " (" + name + ": " + status.ToString() + ")";
  }
  return {};
}

Error open_error(const rocksdb::Status& status, const std::string& path, rocksdb::Env& env,
                 const std::string& dropped) {
  const std::string text = text_of(status);
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (status.IsIOError() && says("lock hold by current process")) {
    return Error{ErrorCode::unavailable, "this process has this log open already", path};
  }
  if (status.IsIOError() && says("LOCK") && says("temporarily unavailable")) {
    return Error{ErrorCode::unavailable,
                 "another process has this log open; stop it, or use another directory", path};
  }
  if (status.IsInvalidArgument()) {
    return Error{ErrorCode::unsupported,
                 "this is not a log of this version of zonesync: " + text, path};
  }
  const bool lost = status.IsCorruption() || status.IsPathNotFound() || says("No such file");
  if (!lost) return to_error(status, "opening the log", path);
  return Error{ErrorCode::storage_corrupt,
               "opening the log failed: " + text +
                   (dropped.empty() ? damaged_table(env, path) : " (" + dropped + ")") +
                   "; put the right file back, or restore a checkpoint (zonesync-hub store "
                   "restore)",
               path};
}

/// A directory without CURRENT is no store, unless it holds what only a store has: then RocksDB
/// must not make a new one over it.
Status check_absent(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (!env.GetChildren(path, &names).ok()) return {};
  const auto found = std::find_if(names.begin(), names.end(), [](std::string_view name) {
    return name.ends_with(".sst") || name.ends_with(".log");
  });
  if (found == names.end()) return {};
  return fail(ErrorCode::storage_corrupt,
              "CURRENT, which names the log's MANIFEST, is gone, but " + *found +
                  " is here; put it back, or restore a checkpoint (zonesync-hub store restore)",
              path);
}

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing, const std::string& path) {
  ErrorCode code = ErrorCode::storage_io;
  if (status.IsCorruption()) code = ErrorCode::storage_corrupt;
  if (status.IsNoSpace()) code = ErrorCode::resource_exhausted;
  return Error{code, std::string(doing) + " failed: " + text_of(status), path};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, bool create,
                                                 rocksdb::Env* env) {
  rocksdb::Env* const used = env != nullptr ? env : rocksdb::Env::Default();
  const bool exists = used->FileExists(path + "/CURRENT").ok();
  if (!exists) {
    if (Status status = check_absent(*used, path); !status) return fail(status.error());
  }
  if (!exists && !create) {
    return fail(ErrorCode::not_found, "there is no log in this directory; create it first", path);
  }
  if (env == nullptr && !exists) {
    ::mkdir(path.c_str(), 0700);  // a failure shows when RocksDB writes there
    ::chmod(path.c_str(), 0700);  // one that was made before: what comes into it is private
  }
  std::unique_ptr<Database> database(new Database(path));
  if (env == nullptr) {
    auto lock = StoreLock::take(path);
    if (!lock) return fail(std::move(lock.error()));
    database->lock_ = std::move(*lock);
  }
  const auto logger = std::make_shared<FileLogger>(path + "/warnings.txt");
  rocksdb::DBOptions options = database_options(!exists, env, logger);
  database->marker_ = std::make_shared<FileMarker>(path, env);
  options.listeners.push_back(database->marker_);
  options.listeners.push_back(database->space_);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(options, path, families(), &database->handles_, &db);
  if (!status.ok()) return fail(open_error(status, path, *used, logger->last_drop()));
  database->db_.reset(db);
  database->marker_->forget_logs(*db);
  if (env == nullptr) database->place_ = directory_identity(path);
  return database;
}

Result<std::unique_ptr<Database>> Database::open_to_look(const std::string& path,
                                                         rocksdb::Env* env) {
  rocksdb::Env* const used = env != nullptr ? env : rocksdb::Env::Default();
  if (!used->FileExists(path + "/CURRENT").ok()) {
    if (Status status = check_absent(*used, path); !status) return fail(status.error());
    return fail(ErrorCode::not_found, "there is no log in this directory", path);
  }
  std::unique_ptr<Database> database(new Database(path));
  if (env == nullptr) {
    auto lock = StoreLock::take_to_look(path);
    if (!lock) return fail(std::move(lock.error()));
    database->lock_ = std::move(*lock);
  }
  const auto logger = std::make_shared<FileLogger>(std::string());
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(database_options(false, env, logger), path, families(),
                                   &database->handles_, &db);
  if (!status.ok()) return fail(open_error(status, path, *used, logger->last_drop()));
  database->db_.reset(db);
  return database;
}

bool Database::in_place() const { return !place_ || directory_identity(path_) == *place_; }

Database::~Database() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status ignored = db_->DestroyColumnFamilyHandle(handle);
    static_cast<void>(ignored.ok());
  }
}

Result<std::optional<std::string>> Database::get(Family family, std::string_view key,
                                                 const rocksdb::Snapshot* snapshot) const {
  std::string value;
  const rocksdb::Status status =
      db_->Get(read_options(snapshot), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return fail(to_error(status, "reading the log", path_));
  return value;
}

Status Database::visit(
    Family family, std::string_view from, std::string_view end, const rocksdb::Snapshot* snapshot,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  rocksdb::ReadOptions options = read_options(snapshot);
  // A zone's first sync reads the whole log once: it must not push everything else out.
  options.fill_cache = family != Family::log;
  const rocksdb::Slice bound = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(family)));
  for (it->Seek(slice(from)); it->Valid(); it->Next()) {
    if (!visit(view(it->key()), view(it->value()))) break;
  }
  if (!it->status().ok()) return fail(to_error(it->status(), "reading the log", path_));
  return {};
}

std::uint64_t Database::oldest_log() const {
  std::uint64_t oldest = 0;
  const bool known = db_->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &oldest);
  return known ? oldest : 0;
}

Result<bool> Database::empty() const {
  bool empty = true;
  for (const Family family : {Family::meta, Family::log, Family::latest}) {
    const Status status = visit(family, {}, {}, nullptr, [&](auto, auto) {
      empty = false;
      return false;
    });
    if (!status) return fail(status.error());
  }
  return empty;
}

std::unique_ptr<rocksdb::Iterator> Database::iterator(Family family,
                                                      const rocksdb::ReadOptions& options) const {
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, handle(family)));
}

Result<std::optional<std::string>> Database::last_before(Family family, std::string_view from,
                                                         std::string_view end,
                                                         const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options = read_options(snapshot);
  const rocksdb::Slice bound = slice(end);
  const rocksdb::Slice start = slice(from);
  options.iterate_upper_bound = &bound;
  options.iterate_lower_bound = &start;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(family)));
  it->SeekForPrev(bound);
  if (!it->status().ok()) return fail(to_error(it->status(), "reading the log", path_));
  if (!it->Valid() || view(it->key()) < from) return std::nullopt;
  return it->key().ToString();
}

void Database::put(rocksdb::WriteBatch& batch, Family family, std::string_view key,
                   std::string_view value) const {
  const rocksdb::Status status = batch.Put(handle(family), slice(key), slice(value));
  ZS_ASSERT(status.ok());
}

void Database::erase(rocksdb::WriteBatch& batch, Family family, std::string_view key) const {
  const rocksdb::Status status = batch.Delete(handle(family), slice(key));
  ZS_ASSERT(status.ok());
}

Status Database::write(rocksdb::WriteBatch& batch, bool sync) {
  const rocksdb::Status status = db_->Write(write_options(sync), &batch);
  // An error with a severity is one from before, for which the write was refused whole.
  if (!status.ok() && status.severity() < rocksdb::Status::kHardError) space_->write_failed();
  if (!status.ok()) return fail(to_error(status, "writing the log", path_));
  return {};
}

Status Database::flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = true;  // else it waits for compactions, on a full disk for ever
  const rocksdb::Status status = db_->Flush(options, handles_);
  if (!status.ok()) return fail(to_error(status, "flushing the log", path_));
  return {};
}

Status Database::compact() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status status = db_->CompactRange(options, handle, nullptr, nullptr);
    if (!status.ok()) return fail(to_error(status, "compacting the log", path_));
  }
  return {};
}

Status Database::copy_to(const std::string& directory) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  constexpr auto kNoFlush = std::numeric_limits<std::uint64_t>::max();
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory, kNoFlush);
  if (status.ok()) return mark_manifest(directory, db_->GetEnv());
  return fail(to_error(status, "copying the log", directory));
}

Result<Database::CopySizes> Database::copy_sizes() const {
  rocksdb::LiveFilesStorageInfoOptions options;
  options.wal_size_for_flush = std::numeric_limits<std::uint64_t>::max();  // only look
  std::vector<rocksdb::LiveFileStorageInfo> files;
  const rocksdb::Status status = db_->GetLiveFilesStorageInfo(options, &files);
  if (!status.ok()) return fail(to_error(status, "listing the log's files", path_));
  CopySizes sizes;
  sizes.unflushed = unflushed_bytes();
  for (const rocksdb::LiveFileStorageInfo& file : files) {
    std::uint64_t& sum = file.file_type == rocksdb::kTableFile ? sizes.tables
                         : file.file_type == rocksdb::kWalFile ? sizes.logs
                                                               : sizes.copied;
    sum += file.size;
  }
  return sizes;
}

Status Database::verify_checksums() {
  const rocksdb::Status status = db_->VerifyChecksum(read_options(nullptr));
  if (!status.ok()) return fail(to_error(status, "verifying the table files", path_));
  return {};
}

Database::Snapshot Database::snapshot() const {
  std::shared_ptr<rocksdb::DB> db = db_;
  return Snapshot(db->GetSnapshot(),
                  [db](const rocksdb::Snapshot* snapshot) { db->ReleaseSnapshot(snapshot); });
}

std::optional<std::uint64_t> Database::free_bytes_in(const std::string& directory) const {
  std::uint64_t free = 0;
  const auto status =
      db_->GetFileSystem()->GetFreeSpace(directory, rocksdb::IOOptions(), &free, nullptr);
  if (!status.ok()) return std::nullopt;
  return free;
}

std::uint64_t Database::unflushed_bytes() const {
  std::uint64_t bytes = 0;
  const bool known =
      db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
  return known ? bytes : 0;
}

Status Database::resume() {
  const rocksdb::Status status = db_->Resume();
  if (status.IsBusy()) return {};  // RocksDB is at it after a compaction without space
  if (!status.ok()) return fail(to_error(status, "flushing what waited for space", path_));
  space_->resumed();
  return {};
}

bool Database::blocked() const {
  std::uint64_t stopped = 0;
  return space_->compaction_waits() &&
         db_->GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &stopped) && stopped != 0;
}

}  // namespace zonesync::rocksdb_store
