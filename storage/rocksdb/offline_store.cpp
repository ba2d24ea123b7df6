#include "storage/rocksdb/offline_store.hpp"

#include <utility>

#include "storage/entry_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/checkpoint.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/file_marks.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/log_ranges.hpp"
#include "storage/rocksdb/reseal.hpp"
#include "storage/rocksdb/seals.hpp"
#include "storage/rocksdb/store_verifier.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

Error unreadable(const std::string& what, const std::string& path) {
  return Error{ErrorCode::storage_corrupt, what + " is missing or unreadable", path};
}

}  // namespace

OfflineStore::OfflineStore(std::unique_ptr<Database> database, rocksdb::Env* env,
                           sealing::MasterKeyPtr key)
    : database_(std::move(database)),
      env_(env),
      seals_(std::make_unique<Seals>(SealingOptions{.key = std::move(key)})) {}
OfflineStore::~OfflineStore() = default;

Result<std::unique_ptr<OfflineStore>> OfflineStore::open(const std::string& place,
                                                         rocksdb::Env* env,
                                                         sealing::MasterKeyPtr key) {
  const std::string path = store_path(place, env);
  const auto check = check_marks(path, env);  // verify would find it too, but not the file
  if (!check) return fail(check.error());
  auto database = Database::open_to_look(path, env);
  if (!database && database.error().code == ErrorCode::not_found) {
    auto anchor = read_anchor(path, env);
    if (anchor && *anchor) return fail(missing_log(**anchor, path));
  }
  if (!database) return fail(std::move(database.error()));
  if (Status status = check_missing(*check, (*database)->oldest_log(), path); !status) {
    return fail(std::move(status.error()));
  }
  return with(std::move(database), env, std::move(key));
}

Result<std::unique_ptr<OfflineStore>> OfflineStore::open_to_change(const std::string& place,
                                                                   rocksdb::Env* env,
                                                                   sealing::MasterKeyPtr key) {
  const std::string path = store_path(place, env);
  const auto vouched = vouch(path, env, key);
  if (!vouched) return fail(vouched.error());
  return with(Database::open(path, false, env), env, std::move(key));
}

Result<std::unique_ptr<OfflineStore>> OfflineStore::with(
    Result<std::unique_ptr<Database>> database, rocksdb::Env* env, sealing::MasterKeyPtr key) {
  if (!database) return fail(std::move(database.error()));
  const std::string path = (*database)->path();
  std::unique_ptr<OfflineStore> store(
      new OfflineStore(std::move(*database), env, std::move(key)));
  auto format = store->database_->get(Family::meta, kFormatKey, nullptr);
  if (!format) return fail(std::move(format.error()));
  if (const auto version = *format ? parse_number_value(**format) : std::nullopt) {
    if (Status status = check_format(*version, path); !status) return fail(status.error());
  }
  const auto id = store->log_id();
  if (!id) return store;  // info and verify say what is wrong
  if (Status status = store->seals_->load(*store->database_, *id); !status) {
    return fail(std::move(status.error()));
  }
  return store;
}

Result<Id128> OfflineStore::log_id() const {
  auto id = database_->get(Family::meta, kLogIdKey, nullptr);
  if (!id) return fail(std::move(id.error()));
  const auto parsed = *id ? parse_chain(**id) : std::nullopt;  // the same form: one id
  if (!parsed) return fail(unreadable("log_id", database_->path()));
  return parsed->id;
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
  auto id = log_id();
  if (!id) return fail(std::move(id.error()));
  info.state.log_id = *id;
  info.master_key = seals_->master_id();
  auto resealing = reseal_pending(*database_);
  if (!resealing) return fail(std::move(resealing.error()));
  info.resealing = *resealing;
  auto loss = database_->get(Family::meta, kLossKey, nullptr);
  if (!loss) return fail(std::move(loss.error()));
  if (*loss) {
    info.loss = parse_loss(**loss);
    if (!info.loss) return fail(unreadable("the record of a loss", database_->path()));
  }
  auto restored = database_->get(Family::meta, kRestoredKey, nullptr);
  if (!restored) return fail(std::move(restored.error()));
  if (*restored) {
    info.restored = parse_restored(**restored);
    if (!info.restored) return fail(unreadable("the record of a restore", database_->path()));
  }
  auto trim = database_->get(Family::meta, kTrimKey, nullptr);
  if (!trim) return fail(std::move(trim.error()));
  if (*trim) {
    const auto floors = parse_trim(**trim);
    if (!floors) return fail(unreadable("trim", database_->path()));
    info.floors = floors->floors;
    info.state.trim_floor = info.floors.highest();
    info.state.tombstone_floor = info.floors.tombstone_floor;
  }
  bool readable = true;
  const auto each_meta = [&](std::string_view key, std::string_view value) {
    if (key.starts_with(kEraPrefix)) {
      const auto era = parse_era(value);
      readable = era.has_value();
      if (era) info.state.eras.push_back(*era);
    } else if (key.starts_with(kDigestPrefix)) {
      const auto count = digest_count(value);
      readable = count.has_value();
      info.live += count.value_or(0);
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

Result<VerifyReport> OfflineStore::verify(bool with_anchor) {
  VerifyReport report;
  const auto empty = database_->empty();
  if (!empty) return fail(empty.error());
  if (*empty) return report;  // its making was interrupted, and begins again at the next open
  auto known = info();
  if (known && !with_anchor) known->anchor.reset();
  if (!known) {
    if (known.error().code != ErrorCode::storage_corrupt) return fail(std::move(known.error()));
    report.problems = 1;
    report.texts.push_back(describe(known.error()));
    return report;
  }
  StoreVerifier verifier(*database_, *seals_, *known, report);
  if (Status status = verifier.run(); !status) return fail(std::move(status.error()));
  if (known->loss) report.notes.push_back("noticed at an earlier start: " + to_text(*known->loss));
  if (with_anchor && !known->anchor) {
    report.notes.push_back("there is no lineage anchor: a lost end would not be noticed");
  }
  return report;
}

Status OfflineStore::each_entry(
    const std::function<bool(const LogEntry&, bool sealed)>& visit, bool reveal) const {
  std::optional<Error> error;
  const auto take = [&](const LogKey& key, std::string_view value) {
    const auto view = decode_stored_entry(value);
    if (!view) {
      error = unreadable("an entry of the log", database_->path());
      return false;
    }
    if (!reveal) return visit(view->entry(key.position), view->sealed);
    const auto entry = seals_->decode(*view, key.position);
    if (!entry) {
      error = entry.error();
      return false;
    }
    return visit(*entry, view->sealed);
  };
  Status status = visit_entries(*database_, Ranges::both, Position::start(), std::nullopt, nullptr,
                                take);
  if (!status) return status;
  return error ? Status(fail(std::move(*error))) : Status();
}

Status OfflineStore::checkpoint(const std::string& directory) {
  const auto known = info();
  if (!known) return fail(known.error());
  auto value =
      database_->get(Family::meta, numbered_key(kSegmentPrefix, known->state.head.value), nullptr);
  if (!value) return fail(std::move(value.error()));
  const auto chain = *value ? parse_chain(**value) : std::nullopt;
  return make_checkpoint(*database_, directory, 0,
                         {known->state.log_id, known->state.head, known->state.current_era(),
                          chain.value_or(Hash128{})});
}

Status OfflineStore::compact() { return database_->compact(); }

Status OfflineStore::rekey(const sealing::MasterKey& master) {
  if (seals_->master_id().empty()) {
    return fail(ErrorCode::precondition_failed,
                "nothing is sealed in this log yet; just name the new key file in the "
                "configuration", database_->path());
  }
  if (Status status = seals_->check_open(database_->path()); !status) return status;
  const auto id = log_id();
  if (!id) return fail(id.error());
  sealing::KeyRing ring = *seals_->keys();
  auto added = ring.generate(master);
  if (!added) return fail(std::move(added.error()));
  auto wrapped = ring.wrap_all(master);
  if (!wrapped) return fail(std::move(wrapped.error()));
  rocksdb::WriteBatch batch;
  for (const auto& key : *wrapped) {
    database_->put(batch, Family::meta, numbered_key(kSealKeyPrefix, key.id), key.value);
  }
  database_->put(batch, Family::meta, kResealKey, log_key(Position::start()));
  if (Status status = database_->write(batch, true); !status) return status;
  auto fresh = std::make_unique<Seals>(
      SealingOptions{.key = std::make_shared<const sealing::MasterKey>(master)});
  if (Status status = fresh->load(*database_, *id); !status) return status;
  seals_ = std::move(fresh);
  return database_->flush();
}

Status OfflineStore::reseal() {
  constexpr std::size_t kStep = 10'000;
  if (Status status = seals_->check_open(database_->path()); !status) return status;
  if (seals_->keys() == nullptr) return {};
  for (bool done = false; !done;) {
    auto step = reseal_some(*database_, *seals_->keys(), kStep);
    if (!step) return fail(std::move(step.error()));
    done = *step;
  }
  return database_->flush();
}

Result<std::string> vouch(const std::string& path, rocksdb::Env* env,
                          const sealing::MasterKeyPtr& key) {
  const auto check = check_marks(path, env);
  if (!check) return fail(check.error());
  if (check->vouches()) return std::string();
  auto store = OfflineStore::open(path, env, key);
  if (!store) return fail(std::move(store.error()));
  if (check->doubt.empty()) return std::string();  // nobody needs the logs that are missing
  const std::string why = "because " + check->doubt;
  const auto report = (*store)->verify(false);
  if (!report) return fail(report.error());
  if (report->good()) return why;
  return fail(ErrorCode::storage_corrupt,
              "the store was verified, " + why + ", and does not fit together: " +
                  report->texts.front() + " (" + std::to_string(report->problems) +
                  " problems; zonesync-hub store verify lists them); nothing was changed. Put the "
                  "right files back, or restore a checkpoint (zonesync-hub store restore)",
              path);
}

}  // namespace zonesync
