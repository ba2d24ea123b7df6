#include "storage/journal/journal_replica.hpp"

#include <utility>

namespace zonesync::journal {
namespace {

std::uint8_t type(ReplicaRecord record) { return static_cast<std::uint8_t>(record); }

Status unreadable(const char* what) {
  return fail(ErrorCode::storage_corrupt, std::string("an unreadable ") + what);
}

}  // namespace

Result<std::unique_ptr<JournalReplica>> JournalReplica::open(FileSystem& files,
                                                             JournalFileOptions options) {
  std::unique_ptr<JournalReplica> replica(new JournalReplica());
  JournalReplica* const self = replica.get();
  auto file = JournalFile::open(
      files, std::move(options), [self](GroupWriter& group) { self->write_snapshot(group); },
      [self](const std::vector<Record>& group) { return self->load_group(group); });
  if (!file) return fail(std::move(file.error()));
  replica->file_ = std::move(*file);
  return replica;
}

Status JournalReplica::commit(ReplicaBatch batch) {
  auto next = table_.prepare(batch);
  if (!next) return fail(std::move(next.error()));
  Status status = file_->append([&](GroupWriter& group) {
    for (const ResourceKey& key : batch.removes) {
      group.add(type(ReplicaRecord::remove), encode_remove(key));
    }
    for (const ReplicaUpsert& upsert : batch.upserts) {
      group.add(type(ReplicaRecord::upsert), encode_upsert(upsert));
    }
    for (const ReplicaStanding& standing : batch.standings) {
      group.add(type(ReplicaRecord::standing), encode_standing(standing));
    }
    group.add(type(ReplicaRecord::commit), encode_commit(batch));
  });
  if (!status) return status;
  table_.publish(std::move(*next));
  compact();
  return {};
}

Status JournalReplica::set_verdict(const ResourceKey& key, Revision revision,
                                   std::optional<Reject> reject) {
  auto next = table_.prepare_verdict(key, revision, reject);
  if (!next) return fail(std::move(next.error()));
  const VerdictRecord record{key, revision, std::move(reject)};
  Status status = file_->append([&](GroupWriter& group) {
    group.add(type(ReplicaRecord::verdict), encode_verdict(record));
  });
  if (!status) return status;
  table_.publish(std::move(*next));
  compact();
  return {};
}

Status JournalReplica::put_meta(std::string_view name, std::string value) {
  if (Status status = table_.check_meta(name, value); !status) return status;
  Status status = file_->append([&](GroupWriter& group) {
    group.add(type(ReplicaRecord::meta), encode_meta(name, value));
  });
  if (!status) return status;
  table_.set_meta(name, std::move(value));
  compact();
  return {};
}

void JournalReplica::write_snapshot(GroupWriter& group) const {
  for (const auto& [name, value] : table_.all_meta()) {
    group.add(type(ReplicaRecord::meta), encode_meta(name, value));
  }
  table_.snapshot()->for_each([&](const ReplicaEntry& entry) {
    group.add(type(ReplicaRecord::entry), encode_replica_entry(entry));
  });
  const ReplicaState state = table_.state();
  group.add(type(ReplicaRecord::state),
            encode_state(StateRecord{state.cursor, state.source_log}));
}

// What was asked for is durable already: trouble here shows in the next write, or goes away.
void JournalReplica::compact() {
  if (!file_->wants_rewrite()) return;
  const Status status = file_->rewrite([this](GroupWriter& group) { write_snapshot(group); });
  static_cast<void>(status);
}

Status JournalReplica::load_group(const std::vector<Record>& group) {
  if (group.empty()) return unreadable("group");
  switch (static_cast<ReplicaRecord>(group.back().type)) {
    case ReplicaRecord::state: return load_snapshot(group);
    case ReplicaRecord::commit: return load_batch(group);
    default: return group.size() == 1 ? load_single(group.front()) : unreadable("group");
  }
}

Status JournalReplica::load_snapshot(const std::vector<Record>& group) {
  std::vector<ReplicaEntry> entries;
  for (const Record& record : group) {
    if (record.type == type(ReplicaRecord::entry)) {
      auto entry = decode_replica_entry(record.payload);
      if (!entry) return unreadable("entry");
      entries.push_back(std::move(*entry));
    } else if (record.type == type(ReplicaRecord::meta)) {
      if (Status status = load_meta(record); !status) return status;
    }
  }
  const auto state = decode_state(group.back().payload);
  if (!state) return unreadable("state");
  table_.publish(ReplicaTable::content_of(std::move(entries), state->cursor, state->source_log));
  return {};
}

Status JournalReplica::load_batch(const std::vector<Record>& group) {
  ReplicaBatch batch;
  for (const Record& record : group) {
    if (record.type == type(ReplicaRecord::upsert)) {
      auto upsert = decode_upsert(record.payload);
      if (!upsert) return unreadable("upsert");
      batch.upserts.push_back(std::move(*upsert));
    } else if (record.type == type(ReplicaRecord::remove)) {
      auto key = decode_remove(record.payload);
      if (!key) return unreadable("remove");
      batch.removes.push_back(std::move(*key));
    } else if (record.type == type(ReplicaRecord::standing)) {
      auto standing = decode_standing(record.payload);
      if (!standing) return unreadable("standing");
      batch.standings.push_back(std::move(*standing));
    } else if (record.type != type(ReplicaRecord::commit)) {
      return unreadable("record of a batch");
    }
  }
  if (!decode_commit(group.back().payload, batch)) return unreadable("commit");
  auto next = table_.prepare(batch);
  if (!next) return fail(std::move(next.error()));
  table_.publish(std::move(*next));
  return {};
}

Status JournalReplica::load_single(const Record& record) {
  if (record.type == type(ReplicaRecord::meta)) return load_meta(record);
  if (record.type != type(ReplicaRecord::verdict)) return unreadable("record");
  auto verdict = decode_verdict(record.payload);
  if (!verdict) return unreadable("verdict");
  auto next = table_.prepare_verdict(verdict->key, verdict->revision, std::move(verdict->reject));
  if (!next) return fail(std::move(next.error()));
  table_.publish(std::move(*next));
  return {};
}

Status JournalReplica::load_meta(const Record& record) {
  auto meta = decode_meta(record.payload);
  if (!meta) return unreadable("named value");
  table_.set_meta(meta->name, std::move(meta->value));
  return {};
}

}  // namespace zonesync::journal
