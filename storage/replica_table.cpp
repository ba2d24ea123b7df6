#include "storage/replica_table.hpp"

#include <unordered_set>
#include <utility>

#include "protocol/model/defect.hpp"

namespace zonesync {
namespace {

// Counters and digest follow every entry that comes or goes.
void count_in(ReplicaState& state, const ReplicaEntry& entry) {
  ++state.entries;
  if (entry.reject) ++state.rejects;
  if (entry.unconfirmed) {
    ++state.unconfirmed;
  } else if (!entry.reject || !ZONESYNC_DEFECT(202)) {
    state.digest.add(fingerprint(entry.change.key), entry.change.hash);
  }
}

void count_out(ReplicaState& state, const ReplicaEntry& entry) {
  --state.entries;
  if (entry.reject) --state.rejects;
  if (entry.unconfirmed) {
    --state.unconfirmed;
  } else if (!entry.reject || !ZONESYNC_DEFECT(202)) {
    state.digest.remove(fingerprint(entry.change.key), entry.change.hash);
  }
}

ReplicaEntry offered(const ReplicaUpsert& upsert, const ReplicaEntry* before) {
  ReplicaEntry entry;
  entry.revision = upsert.revision;
  entry.change = upsert.change;
  entry.reject = upsert.reject;
  if (!upsert.reject) {
    entry.accepted_revision = upsert.revision;
  } else if (before != nullptr) {
    PROBE(accepted_version_kept);
    if (ZONESYNC_DEFECT(31)) return entry;
    entry.accepted = ZONESYNC_DEFECT(303) ? before->change.payload : before->active();
    entry.accepted_revision = before->accepted_revision;
  }
  return entry;
}

Status check(const ReplicaBatch& batch) {
  if (batch.replace_all && batch.mark_unmentioned_unconfirmed) {
    return fail(ErrorCode::invalid_argument,
                "a full is either from a complete log or from a partial one, not both");
  }
  for (const ReplicaUpsert& upsert : batch.upserts) {
    if (upsert.change.kind != ChangeKind::upsert) {
      return fail(ErrorCode::invalid_argument, "a leave among the upserts of a batch",
                  to_string(upsert.change.key));
    }
  }
  return {};
}

}  // namespace

ReplicaTable::ReplicaTable() { content_.snapshot = std::make_shared<const ReplicaSnapshot>(); }

ReplicaTable::Content ReplicaTable::content() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

ReplicaState ReplicaTable::state() const {
  const std::lock_guard lock(mutex_);
  return content_.state;
}

std::shared_ptr<const ReplicaSnapshot> ReplicaTable::snapshot() const {
  const std::lock_guard lock(mutex_);
  return content_.snapshot;
}

std::optional<std::string> ReplicaTable::meta(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = meta_.find(name);
  if (it == meta_.end()) return std::nullopt;
  return it->second;
}

std::map<std::string, std::string, std::less<>> ReplicaTable::all_meta() const {
  const std::lock_guard lock(mutex_);
  return meta_;
}

Result<ReplicaTable::Content> ReplicaTable::prepare(const ReplicaBatch& batch) const {
  if (Status status = check(batch); !status) return fail(status.error());
  const Content base = content();
  Content next = base;
  ReplicaSnapshot::Builder builder(base.snapshot);
  std::unordered_set<ResourceKey> named;
  const bool asked = !batch.removes.empty() || !batch.standings.empty() ||
                     batch.mark_unmentioned_unconfirmed;  // else as large as the batch, for nobody
  if (asked) {
    for (const ReplicaUpsert& upsert : batch.upserts) named.insert(upsert.change.key);
  }

  if (batch.replace_all) {
    builder.clear();
    next.state = ReplicaState{};
  }
  for (const ResourceKey& key : batch.removes) {
    const ReplicaEntry* before = builder.find(key);
    if (before == nullptr || named.count(key) != 0) continue;
    if (ZONESYNC_DEFECT(32) && before->reject) continue;
    count_out(next.state, *before);
    builder.erase(key);
  }
  for (const ReplicaUpsert& upsert : batch.upserts) {
    const ReplicaEntry* present = builder.find(upsert.change.key);
    const ReplicaEntry* before = present ? present : base.snapshot->find(upsert.change.key);
    ReplicaEntry entry = offered(upsert, before);
    if (present != nullptr) count_out(next.state, *present);
    count_in(next.state, entry);
    builder.put(std::move(entry));
  }
  for (const ReplicaStanding& standing : batch.standings) {
    const ReplicaEntry* present = builder.find(standing.key);
    if (present == nullptr || named.count(standing.key) != 0) continue;
    ReplicaEntry entry = *present;
    entry.unconfirmed = standing.unconfirmed;
    count_out(next.state, *present);
    count_in(next.state, entry);
    builder.put(std::move(entry));
  }
  if (batch.mark_unmentioned_unconfirmed) {
    base.snapshot->for_each([&](const ReplicaEntry& entry) {
      const ResourceKey& key = entry.change.key;
      if (entry.unconfirmed || named.count(key) != 0 || builder.find(key) == nullptr) return;
      ReplicaEntry kept = entry;
      kept.unconfirmed = true;
      count_out(next.state, entry);
      count_in(next.state, kept);
      builder.put(std::move(kept));
    });
  }
  next.state.cursor = batch.cursor;
  next.state.source_log = batch.source_log;
  next.snapshot = builder.finish(batch.cursor);
  return next;
}

Result<ReplicaTable::Content> ReplicaTable::prepare_verdict(const ResourceKey& key,
                                                            Revision revision,
                                                            std::optional<Reject> reject) const {
  Content next = content();
  const ReplicaEntry* before = next.snapshot->find(key);
  if (before == nullptr || before->revision != revision) {
    return fail(ErrorCode::not_found,
                "revision " + std::to_string(revision.value) + " is no longer the offered one",
                to_string(key));
  }
  ReplicaEntry entry = *before;
  if (!reject) {
    entry.accepted = SharedBytes();
    entry.accepted_revision = revision;
  } else if (!before->reject) {
    entry.accepted = before->change.payload;  // what the application sees stays as it is
  }
  entry.reject = std::move(reject);
  count_out(next.state, *before);
  count_in(next.state, entry);
  ReplicaSnapshot::Builder builder(next.snapshot);
  builder.put(std::move(entry));
  next.snapshot = builder.finish(next.state.cursor);
  return next;
}

ReplicaTable::Content ReplicaTable::content_of(std::vector<ReplicaEntry> entries,
                                               std::optional<Cursor> cursor, Id128 source_log) {
  Content content;
  ReplicaSnapshot::Builder builder(nullptr);
  for (ReplicaEntry& entry : entries) {
    count_in(content.state, entry);
    builder.put(std::move(entry));
  }
  content.state.cursor = cursor;
  content.state.source_log = source_log;
  content.snapshot = builder.finish(std::move(cursor));
  return content;
}

void ReplicaTable::publish(Content content) {
  const std::lock_guard lock(mutex_);
  std::swap(content_, content);  // the old content is released after the lock
}

Status ReplicaTable::check_meta(std::string_view name, const std::string& value) const {
  if (name.empty() || name.size() > kMetaNameMaxBytes) {
    return fail(ErrorCode::too_large, "a meta name has 1 to 128 bytes",
                std::string(name.substr(0, 32)));
  }
  if (value.size() > kMetaValueMaxBytes) {
    return fail(ErrorCode::too_large, "a meta value has at most 64 KiB", std::string(name));
  }
  const std::lock_guard lock(mutex_);
  if (meta_.size() >= kMetaNamesMax && meta_.find(name) == meta_.end()) {
    return fail(ErrorCode::resource_exhausted, "more than 1024 meta names", std::string(name));
  }
  return {};
}

void ReplicaTable::set_meta(std::string_view name, std::string value) {
  const std::lock_guard lock(mutex_);
  meta_.insert_or_assign(std::string(name), std::move(value));
}

}  // namespace zonesync
