#include "storage/rocksdb/seals.hpp"

#include "storage/rocksdb/key_codec.hpp"

namespace zonesync::rocksdb_store {
namespace {

constexpr std::size_t kPlainDigestBytes = 24;
constexpr const char* kRemedy =
    "make a key file (zonesync-hub store new-key FILE) and name it in storage.encryption.key_file, "
    "or set storage.encryption.mode to off to store them readable";

}  // namespace

Status Seals::load(const Database& database, const Id128& log_id) {
  Status status;
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto number = parse_number(key, kSealKeyPrefix);
    const auto master = sealing::master_of(value);
    if (!number || !master) {
      status = fail(ErrorCode::storage_corrupt, "a data key of the log is unreadable",
                    database.path());
      return false;
    }
    master_id_ = *master;
    if (!options_.key) return true;
    if (!ring_) ring_ = std::make_unique<sealing::KeyRing>(log_id);
    status = ring_->unwrap({static_cast<std::uint32_t>(*number), std::string(value)},
                           *options_.key);
    if (!status) status.error().field = database.path();
    return status.has_value();
  };
  const std::string prefix(kSealKeyPrefix);
  Status read = database.visit(Family::meta, prefix, prefix_end(prefix), nullptr, take);
  return read ? status : read;
}

Status Seals::create_key(Database& database, const Id128& log_id) {
  if (ring_ || !options_.key || !options_.seal) return {};
  auto ring = std::make_unique<sealing::KeyRing>(log_id);
  auto wrapped = ring->generate(*options_.key);
  if (!wrapped) return fail(std::move(wrapped.error()));
  rocksdb::WriteBatch batch;
  database.put(batch, Family::meta, numbered_key(kSealKeyPrefix, wrapped->id), wrapped->value);
  if (Status status = database.write(batch, true); !status) return status;
  if (Status status = database.flush(); !status) return status;  // outlives a lost WAL
  ring_ = std::move(ring);
  master_id_ = options_.key->id;
  return {};
}

Status Seals::check_open(const std::string& path) const {
  if (master_id_.empty() || keys() != nullptr) return {};
  return fail(ErrorCode::forbidden,
              "the log holds sealed values; give the file of master key " + master_id_ +
                  " in storage.encryption.key_file",
              path);
}

const sealing::KeyRing* Seals::keys() const {
  return ring_ && !ring_->empty() ? ring_.get() : nullptr;
}

bool Seals::seals(std::string_view type) const {
  if (!options_.seal || keys() == nullptr) return false;
  return (options_.sensitive && options_.sensitive(type)) ||
         (options_.guarded && options_.guarded(type));
}

Status Seals::admits(std::string_view type) const {
  const bool refused = options_.required && options_.seal && !options_.key &&
                       options_.sensitive && options_.sensitive(type);
  if (!refused) return {};
  return fail(ErrorCode::forbidden,
              "type " + std::string(type) +
                  " is sensitive and this hub has no encryption key: " + kRemedy,
              "storage.encryption.key_file");
}

Result<sealing::StoredEntry> Seals::encode(const LogEntry& entry,
                                           const std::optional<Shown>& previous) const {
  // What replaces a sealed entry names its hash: it is sealed too, whatever the options say now.
  if (!seals(entry.change.key.type) && !(previous && previous->sealed)) {
    return sealing::StoredEntry{encode_entry(entry), entry.change.hash, false};
  }
  const auto shown = previous ? std::optional<Hash128>(previous->hash) : std::nullopt;
  return sealing::seal_entry(entry, shown, *keys());
}

Result<std::string> Seals::encode_digest(const Class& cls, const Digest& digest) const {
  if (seals(cls.type)) return sealing::seal_digest(cls, digest, *keys());
  return digest_value(digest);
}

bool is_sealed_digest(std::string_view stored) { return stored.size() > kPlainDigestBytes; }

std::optional<std::uint64_t> digest_count(std::string_view stored) {
  if (is_sealed_digest(stored)) return ByteReader(stored).u64();
  const auto digest = parse_digest(stored);
  return digest ? std::optional<std::uint64_t>(digest->count) : std::nullopt;
}

Result<Digest> Seals::decode_digest(const Class& cls, std::string_view stored) const {
  if (is_sealed_digest(stored)) {
    if (keys() == nullptr) return fail(ErrorCode::forbidden, "a class digest is sealed");
    return sealing::open_digest(cls, stored, *keys());
  }
  const auto digest = parse_digest(stored);
  if (!digest) return fail(ErrorCode::storage_corrupt, "a class digest is unreadable");
  return *digest;
}

}  // namespace zonesync::rocksdb_store
