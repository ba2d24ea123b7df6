// The records of replica.journal.
#pragma once

#include <optional>
#include <string>

#include "storage/byte_codec.hpp"
#include "storage/replica_store.hpp"

namespace zonesync::journal {

enum class ReplicaRecord : std::uint8_t {
  entry = 1,    // snapshot: one ReplicaEntry
  state = 2,    // snapshot: cursor and source log
  upsert = 3,   // batch: one ReplicaUpsert
  remove = 4,   // batch: a key
  commit = 5,   // batch: ends it; cursor, source log, mode
  verdict = 6,  // set_verdict
  meta = 7,     // put_meta, also in the snapshot
  standing = 8, // batch: a key and whether it is unconfirmed
};

struct VerdictRecord {
  ResourceKey key;
  Revision revision;
  std::optional<Reject> reject;
};
struct StateRecord {
  std::optional<Cursor> cursor;
  Id128 source_log;
};
struct MetaRecord {
  std::string name;
  std::string value;
};

[[nodiscard]] std::string encode_replica_entry(const ReplicaEntry& entry);
[[nodiscard]] std::optional<ReplicaEntry> decode_replica_entry(std::string_view bytes);
[[nodiscard]] std::string encode_upsert(const ReplicaUpsert& upsert);
[[nodiscard]] std::optional<ReplicaUpsert> decode_upsert(std::string_view bytes);
[[nodiscard]] std::string encode_remove(const ResourceKey& key);
[[nodiscard]] std::optional<ResourceKey> decode_remove(std::string_view bytes);
[[nodiscard]] std::string encode_standing(const ReplicaStanding& standing);
[[nodiscard]] std::optional<ReplicaStanding> decode_standing(std::string_view bytes);
/// Everything of the batch but its upserts, removes and standings.
[[nodiscard]] std::string encode_commit(const ReplicaBatch& batch);
[[nodiscard]] bool decode_commit(std::string_view bytes, ReplicaBatch& batch);
[[nodiscard]] std::string encode_state(const StateRecord& state);
[[nodiscard]] std::optional<StateRecord> decode_state(std::string_view bytes);
[[nodiscard]] std::string encode_verdict(const VerdictRecord& verdict);
[[nodiscard]] std::optional<VerdictRecord> decode_verdict(std::string_view bytes);
[[nodiscard]] std::string encode_meta(std::string_view name, std::string_view value);
[[nodiscard]] std::optional<MetaRecord> decode_meta(std::string_view bytes);

}  // namespace zonesync::journal
