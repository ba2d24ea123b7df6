#include "storage/rocksdb/offline_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "storage/entry_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/store_verifier.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

namespace fs = std::filesystem;

Error unreadable(const std::string& what, const std::string& path) {
  return Error{ErrorCode::storage_corrupt, what + " is missing or unreadable", path};
}

Status io_error(const std::string& doing, const std::string& path, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device;
  return fail(full ? ErrorCode::resource_exhausted : ErrorCode::storage_io,
              doing + ": " + error.message(), path);
}

Status sync_path(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const std::error_code error(errno, std::generic_category());
  if (file >= 0) ::close(file);
  return synced ? Status() : io_error("making the copy durable", path.string(), error);
}

Status copy_durably(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::remove_all(to, error);
  fs::create_directory(to, error);
  if (!error) fs::permissions(to, fs::perms::owner_all, error);
  if (!error) fs::copy(from, to, error);
  if (error) return io_error("copying the checkpoint", to.string(), error);
  for (const auto& file : fs::directory_iterator(to, error)) {
    if (Status status = sync_path(file.path()); !status) return status;
  }
  return sync_path(to);
}

}  // namespace

OfflineStore::OfflineStore(std::unique_ptr<Database> database, rocksdb::Env* env)
    : database_(std::move(database)), env_(env) {}
OfflineStore::~OfflineStore() = default;

Result<std::unique_ptr<OfflineStore>> OfflineStore::open(const std::string& path,
                                                         rocksdb::Env* env) {
  auto database = Database::open(path, false, env);
  if (!database) return fail(std::move(database.error()));
  return std::unique_ptr<OfflineStore>(new OfflineStore(std::move(*database), env));
}

Result<StoreInfo> OfflineStore::info() const {
  StoreInfo info;
  const auto number = [&](std::string_view key) -> Result<std::uint64_t> {
    auto value = database_->get(Family::meta, key, nullptr);
    if (!value) return fail(std::move(value.error()));
    const auto parsed = *value ? parse_number_value(**value) : std::nullopt;
    if (!parsed) return fail(unreadable(std::string(key), database_->path()));
    return *parsed;
  };
  const auto format = number(kFormatKey), head = number(kHeadKey), complete = number(kCompleteKey);
  for (const auto* value : {&format, &head, &complete}) {
    if (!*value) return fail(value->error());
  }
  info.format = *format;
  info.state.head = Revision{*head};
  info.state.complete = *complete != 0;
  auto id = database_->get(Family::meta, kLogIdKey, nullptr);
  if (!id) return fail(std::move(id.error()));
  const auto log_id = *id ? parse_chain(**id) : std::nullopt;  // the same form: one id
  if (!log_id) return fail(unreadable("log_id", database_->path()));
  info.state.log_id = log_id->id;
  auto trim = database_->get(Family::meta, kTrimKey, nullptr);
  if (!trim) return fail(std::move(trim.error()));
  if (*trim) {
    const auto floors = parse_trim(**trim);
    if (!floors) return fail(unreadable("trim", database_->path()));
    info.state.trim_floor = floors->floor;
    info.state.tombstone_floor = floors->tombstone_floor;
  }
  bool readable = true;
  const auto each_meta = [&](std::string_view key, std::string_view value) {
    if (key.starts_with(kEraPrefix)) {
      const auto era = parse_era(value);
      readable = era.has_value();
      if (era) info.state.eras.push_back(*era);
    } else if (key.starts_with(kDigestPrefix)) {
      const auto digest = parse_digest(value);
      readable = digest.has_value();
      if (digest) info.live += digest->count;
    }
    return readable;
  };
  if (Status status = database_->visit(Family::meta, {}, {}, nullptr, each_meta); !status) {
    return fail(std::move(status.error()));
  }
  if (!readable || info.state.eras.empty()) return fail(unreadable("an era", database_->path()));
  auto anchor = read_anchor(database_->path(), env_);
  if (!anchor) return fail(std::move(anchor.error()));
  info.anchor = *anchor;
  return info;
}

Result<VerifyReport> OfflineStore::verify() {
  auto known = info();
  VerifyReport report;
  if (!known) {
    if (known.error().code != ErrorCode::storage_corrupt) return fail(std::move(known.error()));
    report.problems = 1;
    report.texts.push_back(describe(known.error()));
    return report;
  }
  StoreVerifier verifier(*database_, *known, report);
  if (Status status = verifier.run(); !status) return fail(std::move(status.error()));
  return report;
}

Status OfflineStore::each_entry(const std::function<bool(const LogEntry&)>& visit) const {
  std::optional<Error> error;
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto position = parse_log_key(key);
    const auto entry = decode_entry(value);
    if (!position || !entry) {
      error = unreadable("an entry of the log", database_->path());
      return false;
    }
    return visit(entry->entry(*position));
  };
  if (Status status = database_->visit(Family::log, {}, {}, nullptr, take); !status) return status;
  return error ? Status(fail(std::move(*error))) : Status();
}

Status OfflineStore::checkpoint(const std::string& directory) {
  return database_->checkpoint(directory);
}

Status OfflineStore::compact() { return database_->compact(); }

Result<RestoreReport> restore_store(const std::string& checkpoint, const std::string& path) {
  std::error_code error;
  if (!fs::exists(checkpoint + "/CURRENT", error)) {
    return fail(ErrorCode::not_found, "there is no checkpoint in this directory", checkpoint);
  }
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    return fail(ErrorCode::conflict,
                "a store is here already; stop the hub and move it away before restoring", path);
  }
  RestoreReport report;
  auto anchor = read_anchor(path, nullptr);
  if (anchor) report.anchor_before = *anchor;  // a damaged one is moved away like any other
  const std::string staged = path + ".restoring";
  if (Status status = copy_durably(checkpoint, staged); !status) {
    return fail(std::move(status.error()));
  }
  // In this order: a crash between leaves a store that opens, and says it was rewound, or none.
  fs::remove(path, error);
  fs::rename(staged, path, error);
  if (error) return fail(io_error("putting the copy in place", path, error).error());
  if (fs::exists(anchor_path(path), error)) {
    fs::rename(anchor_path(path), anchor_path(path) + ".before-restore", error);
    if (error) return fail(io_error("moving the anchor away", path, error).error());
  }
  auto log = RocksDbChangeLog::open(path, RocksDbOptions{});
  if (!log) return fail(std::move(log.error()));
  report.state = (*log)->state();
  return report;
}

}  // namespace zonesync
