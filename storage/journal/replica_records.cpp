#include "storage/journal/replica_records.hpp"

#include "storage/entry_codec.hpp"
#include "storage/journal/record_fields.hpp"

namespace zonesync::journal {
namespace {

constexpr std::uint8_t kReplaceAll = 1;
constexpr std::uint8_t kMarkUnconfirmed = 2;

void write_reject(ByteWriter& out, const std::optional<Reject>& reject) {
  out.u8(reject ? 1 : 0);
  if (!reject) return;
  out.text(reject->code);
  out.text(reject->field);
  out.text(reject->text);
  out.u8(reject->retryable ? 1 : 0);
}

std::optional<Reject> read_reject(ByteReader& in) {
  if (in.u8() == 0) return std::nullopt;
  Reject reject;
  reject.code = in.text();
  reject.field = in.text();
  reject.text = in.text();
  reject.retryable = in.u8() != 0;
  return reject;
}

template <class T>
std::optional<T> when_done(const ByteReader& in, T value) {
  if (!in.done()) return std::nullopt;
  return value;
}

}  // namespace

std::string encode_replica_entry(const ReplicaEntry& entry) {
  ByteWriter out;
  out.u64(entry.revision.value);
  write_change(out, entry.change);
  write_reject(out, entry.reject);
  out.text(entry.accepted.view());
  out.u64(entry.accepted_revision.value);
  out.u8(entry.unconfirmed ? 1 : 0);
  return out.take();
}

std::optional<ReplicaEntry> decode_replica_entry(std::string_view bytes) {
  ByteReader in(bytes);
  ReplicaEntry entry;
  entry.revision.value = in.u64();
  entry.change = read_change(in);
  entry.reject = read_reject(in);
  entry.accepted = shared(in.text());
  entry.accepted_revision.value = in.u64();
  entry.unconfirmed = in.u8() != 0;
  return when_done(in, std::move(entry));
}

std::string encode_upsert(const ReplicaUpsert& upsert) {
  ByteWriter out;
  out.u64(upsert.revision.value);
  write_change(out, upsert.change);
  write_reject(out, upsert.reject);
  return out.take();
}

std::optional<ReplicaUpsert> decode_upsert(std::string_view bytes) {
  ByteReader in(bytes);
  ReplicaUpsert upsert;
  upsert.revision.value = in.u64();
  upsert.change = read_change(in);
  upsert.reject = read_reject(in);
  return when_done(in, std::move(upsert));
}

std::string encode_remove(const ResourceKey& key) {
  ByteWriter out;
  write_key(out, key);
  return out.take();
}

std::optional<ResourceKey> decode_remove(std::string_view bytes) {
  ByteReader in(bytes);
  ResourceKey key = read_key(in);
  return when_done(in, std::move(key));
}

std::string encode_standing(const ReplicaStanding& standing) {
  ByteWriter out;
  write_key(out, standing.key);
  out.u8(standing.unconfirmed ? 1 : 0);
  return out.take();
}

std::optional<ReplicaStanding> decode_standing(std::string_view bytes) {
  ByteReader in(bytes);
  ReplicaStanding standing;
  standing.key = read_key(in);
  standing.unconfirmed = in.u8() != 0;
  return when_done(in, std::move(standing));
}

std::string encode_commit(const ReplicaBatch& batch) {
  ByteWriter out;
  out.u8((batch.replace_all ? kReplaceAll : 0) |
         (batch.mark_unmentioned_unconfirmed ? kMarkUnconfirmed : 0));
  write_cursor(out, batch.cursor);
  out.id(batch.source_log);
  return out.take();
}

bool decode_commit(std::string_view bytes, ReplicaBatch& batch) {
  ByteReader in(bytes);
  const std::uint8_t mode = in.u8();
  batch.replace_all = (mode & kReplaceAll) != 0;
  batch.mark_unmentioned_unconfirmed = (mode & kMarkUnconfirmed) != 0;
  batch.cursor = read_cursor(in);
  batch.source_log = in.id();
  return in.done();
}

std::string encode_state(const StateRecord& state) {
  ByteWriter out;
  out.id(state.source_log);
  out.u8(state.cursor ? 1 : 0);
  if (state.cursor) write_cursor(out, *state.cursor);
  return out.take();
}

std::optional<StateRecord> decode_state(std::string_view bytes) {
  ByteReader in(bytes);
  StateRecord state;
  state.source_log = in.id();
  if (in.u8() != 0) state.cursor = read_cursor(in);
  return when_done(in, std::move(state));
}

std::string encode_verdict(const VerdictRecord& verdict) {
  ByteWriter out;
  write_key(out, verdict.key);
  out.u64(verdict.revision.value);
  write_reject(out, verdict.reject);
  return out.take();
}

std::optional<VerdictRecord> decode_verdict(std::string_view bytes) {
  ByteReader in(bytes);
  VerdictRecord verdict;
  verdict.key = read_key(in);
  verdict.revision.value = in.u64();
  verdict.reject = read_reject(in);
  return when_done(in, std::move(verdict));
}

std::string encode_meta(std::string_view name, std::string_view value) {
  ByteWriter out;
  out.text(name);
  out.text(value);
  return out.take();
}

std::optional<MetaRecord> decode_meta(std::string_view bytes) {
  ByteReader in(bytes);
  MetaRecord meta;
  meta.name = in.text();
  meta.value = in.text();
  return when_done(in, std::move(meta));
}

}  // namespace zonesync::journal
