#include "storage/rocksdb/reseal.hpp"

#include <optional>

#include "storage/rocksdb/digest_total.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/seals.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

constexpr std::size_t kResealVisitedPerStep = 2'000;

Error unreadable(const Database& database) {
  return Error{ErrorCode::storage_corrupt,
               "re-encryption met something unreadable; verify the store", database.path()};
}

/// Entries after `from` under the newest key. Answers how far it came; nothing = the end.
Result<std::optional<LogKey>> reseal_entries(Database& database, const sealing::KeyRing& keys,
                                               const LogKey& from, std::size_t max_visited,
                                               rocksdb::WriteBatch& batch) {
  std::optional<LogKey> stopped;
  std::optional<Error> error;
  std::size_t visited = 0;
  const std::string start = log_key(from.position, from.range);
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto parsed = parse_log_key(key);
    const auto view = decode_stored_entry(value);
    if (!parsed || !view) {
      error = unreadable(database);
      return false;
    }
    if (key <= start) return true;
    auto stored = sealing::reseal_entry(*view, parsed->position, keys);
    if (!stored) {
      error = std::move(stored.error());
      return false;
    }
    if (*stored) database.put(batch, Family::log, key, **stored);
    if (++visited < max_visited) return true;
    stopped = *parsed;
    return false;
  };
  Status status = database.visit(Family::log, start, {}, nullptr, take);
  if (!status) return fail(std::move(status.error()));
  if (error) return fail(std::move(*error));
  return stopped;
}

/// What is left when all entries are done: digests, then the keys that nothing needs any more.
Status finish(Database& database, const sealing::KeyRing& keys, rocksdb::WriteBatch& batch) {
  std::optional<Error> error;
  DigestTotal total;
  const auto digest = [&](std::string_view key, std::string_view value) {
    const auto cls = parse_digest_key(key);
    if (!cls || !is_sealed_digest(value)) {
      total.add(key, value);
      return true;
    }
    auto opened = sealing::open_digest(*cls, value, keys);
    auto sealed = opened ? sealing::seal_digest(*cls, *opened, keys)
                         : Result<std::string>(fail(opened.error()));
    if (!sealed) {
      error = std::move(sealed.error());
      return false;
    }
    database.put(batch, Family::meta, key, *sealed);
    total.add(key, *sealed);
    return true;
  };
  const auto old_key = [&](std::string_view key, std::string_view) {
    const auto number = parse_number(key, kSealKeyPrefix);
    if (number && *number != keys.active()) database.erase(batch, Family::meta, key);
    return true;
  };
  const std::string digests(kDigestPrefix), sealkeys(kSealKeyPrefix);
  Status status = database.visit(Family::meta, digests, prefix_end(digests), nullptr, digest);
  if (status && error) status = fail(std::move(*error));
  if (status) {
    status = database.visit(Family::meta, sealkeys, prefix_end(sealkeys), nullptr, old_key);
  }
  database.put(batch, Family::meta, kDigestTotalKey, total.value());
  database.erase(batch, Family::meta, kResealKey);
  return status;
}

}  // namespace

namespace rocksdb_store {

Result<bool> reseal_pending(const Database& database) {
  auto value = database.get(Family::meta, kResealKey, nullptr);
  if (!value) return fail(std::move(value.error()));
  return value->has_value();
}

Result<bool> reseal_some(Database& database, const sealing::KeyRing& keys,
                         std::size_t max_visited, const WriteResealed& write) {
  auto value = database.get(Family::meta, kResealKey, nullptr);
  if (!value) return fail(std::move(value.error()));
  if (!*value) return true;
  const auto from = parse_log_key(**value);
  if (!from) return fail(unreadable(database));
  rocksdb::WriteBatch batch;
  auto stopped = reseal_entries(database, keys, *from, max_visited, batch);
  if (!stopped) return fail(std::move(stopped.error()));
  const bool done = !stopped->has_value();
  if (done) {
    if (Status status = finish(database, keys, batch); !status) return fail(status.error());
  } else {
    database.put(batch, Family::meta, kResealKey, log_key((*stopped)->position, (*stopped)->range));
  }
  // The old keys go in the batch that leaves no use of them: synced with everything before it.
  const Status status = write ? write(batch, done) : database.write(batch, done);
  if (!status) return fail(status.error());
  return done;
}

}  // namespace rocksdb_store

Status RocksDbChangeLog::reseal_step() {
  const auto write = [this](rocksdb::WriteBatch& batch, bool sync) {
    const Status room = check_space(batch.GetDataSize(), Writer::hub);
    return room ? write_batch(batch, sync) : room;
  };
  auto done = reseal_some(*database_, *seals_->keys(), kResealVisitedPerStep, write);
  if (!done) return fail(std::move(done.error()));
  if (!*done) return {};
  resealing_ = false;
  auto total = DigestTotal();
  const auto take = [&](std::string_view key, std::string_view value) {
    total.add(key, value);
    return true;
  };
  const std::string digests(kDigestPrefix);
  Status status = database_->visit(Family::meta, digests, prefix_end(digests), nullptr, take);
  if (status) *total_ = std::move(total);
  return status;
}

}  // namespace zonesync
