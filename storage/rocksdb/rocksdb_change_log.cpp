// Opening and writing; reading is in rocksdb_reader.cpp.
#include "storage/rocksdb/rocksdb_change_log.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "protocol/model/assert.hpp"
#include "protocol/model/scope.hpp"
#include "storage/entry_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/digest_total.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/log_ranges.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/reseal.hpp"
#include "storage/rocksdb/seals.hpp"
#include "storage/rocksdb/store_lock.hpp"

namespace zonesync {

using namespace rocksdb_store;

RocksDbChangeLog::RocksDbChangeLog(std::unique_ptr<Database> database, OpenOptions options)
    : options_(std::move(options)),
      database_(std::move(database)),
      seals_(std::make_unique<Seals>(options_.sealing)),
      total_(std::make_unique<DigestTotal>()),
      trim_(std::make_unique<TrimState>()),
      marks_(std::make_shared<AsideMarks>()) {}

RocksDbChangeLog::~RocksDbChangeLog() {
  if (opened_ && !stopped_ && anchored_head_ != state_.head) {
    const Status ignored = write_anchor();  // the old anchor is still true
    static_cast<void>(ignored);
  }
}

Result<std::unique_ptr<RocksDbChangeLog>> RocksDbChangeLog::open(const std::string& place,
                                                                 OpenOptions options) {
  const std::string path = store_path(place, options.env);
  adopt_anchor(place, path, options.env);
  auto log = open_once(path, options);
  const bool full = !log && log.error().code == ErrorCode::resource_exhausted;
  if (!full || !drop_ballast(path, options.env)) return log;
  log = open_once(path, std::move(options));
  if (!log) return log;
  OpenReport& report = (*log)->report_;
  report.ballast_used = true;
  report.add("the disk is full: the ballast was given up to start; free some space");
  return log;
}

Result<std::unique_ptr<RocksDbChangeLog>> RocksDbChangeLog::open_once(const std::string& path,
                                                                      OpenOptions options) {
  auto anchor = read_anchor(path, options.env);
  if (!anchor) return fail(std::move(anchor.error()));
  auto doubt = vouch(path, options.env, options.sealing.key);
  if (!doubt) return fail(std::move(doubt.error()));
  auto database = Database::open(path, options.create && !*anchor, options.env);
  if (!database) {
    Error error = std::move(database.error());
    if (*anchor && error.code == ErrorCode::not_found) error = missing_log(**anchor, path);
    return fail(std::move(error));
  }
  std::unique_ptr<RocksDbChangeLog> log(
      new RocksDbChangeLog(std::move(*database), std::move(options)));
  if (Status status = log->start(*anchor); !status) return fail(std::move(status.error()));
  if (!doubt->empty()) log->report_.add("every entry was verified, " + *doubt + "; it is sound");
  return log;
}

Error RocksDbChangeLog::corrupt(const std::string& what) const {
  return Error{ErrorCode::storage_corrupt,
               what + "; do not write to this store, restore a backup", database_->path()};
}

Status RocksDbChangeLog::start(const std::optional<LineageAnchor>& anchor) {
  auto format = database_->get(Family::meta, kFormatKey, nullptr);
  if (!format) return fail(std::move(format.error()));
  if (!*format) {
    if (Status status = create_log(anchor); !status) return status;
  } else {
    const auto version = parse_number_value(**format);
    if (!version) return fail(corrupt("the format version is unreadable"));
    if (Status status = check_format(*version, database_->path()); !status) return status;
  }
  if (Status status = load(); !status) return status;
  if (Status status = check_sealing(); !status) return status;
  if (Status status = check_lineage(anchor); !status) return status;
  if (Status status = recall_loss(); !status) return status;
  if (Status status = recall_restore(); !status) return status;
  if (Status status = add_era(); !status) return status;
  if (Status status = seals_->create_key(*database_, state_.log_id); !status) return status;
  opened_ = true;
  const Status ignored = write_anchor();  // a full disk must not prevent the start
  static_cast<void>(ignored);
  return {};
}

// A store without format version is one whose creation was interrupted: nothing else may be there.
Status RocksDbChangeLog::create_log(const std::optional<LineageAnchor>& anchor) {
  const auto empty = database_->empty();
  if (!empty) return fail(empty.error());
  if (!*empty) return fail(corrupt("the store holds data but no format version"));
  if (anchor) return fail(missing_log(*anchor, database_->path()));
  if (!options_.create) {
    return fail(ErrorCode::not_found, "there is no log in this directory; create it first",
                database_->path());
  }
  rocksdb::WriteBatch batch;
  const Id128 log_id = options_.ids();
  ByteWriter id;
  id.id(log_id);
  database_->put(batch, Family::meta, kFormatKey, number_value(kFormatVersion));
  database_->put(batch, Family::meta, kLogIdKey, id.bytes());
  database_->put(batch, Family::meta, kCompleteKey, number_value(options_.created_complete));
  database_->put(batch, Family::meta, kHeadKey, number_value(0));
  if (Status status = database_->write(batch, true); !status) return status;
  report_.created = true;
  return database_->flush();  // the identity outlives a lost write-ahead log
}

Status RocksDbChangeLog::load() {
  auto id = database_->get(Family::meta, kLogIdKey, nullptr);
  auto complete = database_->get(Family::meta, kCompleteKey, nullptr);
  auto head = database_->get(Family::meta, kHeadKey, nullptr);
  for (const auto* value : {&id, &complete, &head}) {
    if (!*value) return fail(value->error());
    if (!**value) return fail(corrupt("the log's identity or head is missing"));
  }
  ByteReader reader(**id);
  state_.log_id = reader.id();
  const auto complete_value = parse_number_value(**complete);
  const auto head_value = parse_number_value(**head);
  if (!reader.done() || !complete_value || !head_value) {
    return fail(corrupt("the log's identity or head is unreadable"));
  }
  state_.complete = *complete_value != 0;
  state_.head = Revision{*head_value};
  if (Status status = seals_->load(*database_, state_.log_id); !status) return status;
  if (Status status = seals_->check_open(database_->path()); !status) return status;
  auto pending = reseal_pending(*database_);
  if (!pending) return fail(std::move(pending.error()));
  resealing_ = *pending && seals_->keys() != nullptr;
  if (Status status = load_eras(); !status) return status;
  if (Status status = load_digests(); !status) return status;
  auto trim = database_->get(Family::meta, kTrimKey, nullptr);
  if (!trim) return fail(std::move(trim.error()));
  if (*trim) {
    const auto floors = parse_trim(**trim);
    if (!floors) return fail(corrupt("the trim floors are unreadable"));
    *trim_ = *floors;
    publish_floors(floors->floors);
  }
  auto marks = AsideMarks::load(*database_);
  if (!marks) return fail(std::move(marks.error()));
  marks_ = std::make_shared<AsideMarks>(std::move(*marks));
  return check_bounds();
}

Status RocksDbChangeLog::load_eras() {
  bool readable = true;
  const std::string end = prefix_end(std::string(kEraPrefix));
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto number = parse_number(key, kEraPrefix);
    const auto era = parse_era(value);
    readable = number && era;
    if (!readable) return false;
    state_.eras.push_back(*era);
    next_era_ = *number + 1;
    return true;
  };
  if (Status status = database_->visit(Family::meta, kEraPrefix, end, nullptr, take); !status) {
    return status;
  }
  if (!readable) return fail(corrupt("an era is unreadable"));
  return {};
}

Status RocksDbChangeLog::load_digests() {
  Status failed;
  const std::string end = prefix_end(std::string(kDigestPrefix));
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto cls = parse_digest_key(key);
    if (!cls) {
      failed = fail(corrupt("a class digest is unreadable"));
      return false;
    }
    total_->add(key, value);
    auto digest = seals_->decode_digest(*cls, value);
    if (digest) {
      digests_[*cls] = *digest;
    } else {
      failed = fail(corrupt(digest.error().message));
    }
    return failed.has_value();
  };
  Status status = database_->visit(Family::meta, kDigestPrefix, end, nullptr, take);
  if (status) status = failed;
  return status ? check_total() : status;
}

Status RocksDbChangeLog::check_total() const {
  const auto total = database_->get(Family::meta, kDigestTotalKey, nullptr);
  if (!total) return fail(total.error());
  if (!*total || **total == total_->value()) return {};  // format 4 had none
  return fail(corrupt("the digests of some classes are older than the log's head: a part of the "
                      "log is lost"));
}

/// Values of sensitive types that are there already need a key as much as new ones.
Status RocksDbChangeLog::check_sealing() const {
  for (const auto& [cls, digest] : digests_) {
    if (digest.count == 0) continue;
    if (Status status = seals_->admits(cls.type); !status) return status;
  }
  return {};
}

Status RocksDbChangeLog::admits(std::string_view type) const { return seals_->admits(type); }

// One batch wrote entries, segment end and head: they must agree.
Status RocksDbChangeLog::check_bounds() const {
  const Published now = published();
  auto segment = segment_end_before(now, state_.trim_floor, state_.head.next());
  if (!segment) return fail(std::move(segment.error()));
  if (segment->value_or(Revision{0}) != state_.head) {
    return fail(corrupt("the log's head is not a segment end"));
  }
  bool beyond = false;
  const Status status =
      visit_entries(*database_, Ranges::both, Position::end_of(state_.head), std::nullopt, nullptr,
                    [&](const LogKey&, std::string_view) {
                      beyond = true;
                      return false;
                    });
  if (!status) return status;
  if (beyond) return fail(corrupt("there are entries beyond the log's head"));
  return {};
}

Status RocksDbChangeLog::add_era() {
  const EraRecord era{EraId{options_.ids()}, state_.head};
  rocksdb::WriteBatch batch;
  database_->put(batch, Family::meta, kFormatKey, number_value(kFormatVersion));
  database_->put(batch, Family::meta, kDigestTotalKey, total_->value());
  // Receivers must not take what was lost for deleted.
  if (report_.lineage != Lineage::follows) {
    database_->put(batch, Family::meta, kCompleteKey, number_value(0));
    database_->put(batch, Family::meta, kLossKey,
                   loss_value({report_.lineage, report_.found_head, report_.anchor_head}));
  }
  if (options_.restored_ms) {
    report_.restored = RestoreRecord{state_.head, *options_.restored_ms};
    database_->put(batch, Family::meta, kRestoredKey, restored_value(*report_.restored));
  }
  database_->put(batch, Family::meta, numbered_key(kEraPrefix, next_era_), era_value(era));
  if (next_era_ >= log_rules::kErasMax) {
    database_->erase(batch, Family::meta,
                     numbered_key(kEraPrefix, next_era_ - log_rules::kErasMax));
  }
  if (Status status = database_->write(batch, true); !status) return status;
  ++next_era_;
  const std::lock_guard lock(mutex_);
  log_rules::push_era(state_.eras, era);
  if (report_.lineage != Lineage::follows) state_.complete = false;
  snapshot_ = database_->snapshot();
  return {};
}

/// A segment on its way into one write batch.
struct RocksDbChangeLog::SegmentBatch {
  SegmentBatch(const Hash128& before, Revision end) : chain(before, end) {}
  rocksdb::WriteBatch writes;
  log_rules::Chain chain;
  std::map<Position, Seals::Shown> shown;  // of predecessors
  std::shared_ptr<AsideMarks> marks;       // with what this segment adds
  DigestTotal::Changes prints;
};

Result<std::optional<LatestEntry>> RocksDbChangeLog::newest_for(const Class& cls,
                                                                const ResourceKey& key,
                                                                SegmentBatch& batch) const {
  const std::string stored_key = latest_key(log_rules::slot_of(cls, key));
  auto value = database_->get(Family::latest, stored_key, nullptr);
  if (!value) return fail(std::move(value.error()));
  if (!*value) return std::nullopt;
  auto entry = parse_latest(stored_key, **value);
  if (!entry) return fail(corrupt("the newest entry of " + to_string(key) + " is unreadable"));
  const bool sealed = is_sealed_latest(**value);
  batch.shown[entry->position] = Seals::Shown{entry->hash, sealed};
  if (!sealed) return entry;
  auto whole = read_at(Published{}, entry->position);
  if (!whole) return fail(std::move(whole.error()));
  entry->hash = whole->change.hash;
  return entry;
}

Status RocksDbChangeLog::add_entries(const log_rules::SegmentPlan& plan,
                                     SegmentBatch& batch) const {
  for (const LogEntry& entry : plan.entries) {
    std::optional<Seals::Shown> previous;
    if (entry.previous) previous = batch.shown[entry.previous->position];
    auto stored = seals_->encode(entry, previous);
    if (!stored) return fail(std::move(stored.error()));
    const auto view = decode_stored_entry(stored->bytes);
    ZS_ASSERT(view);
    batch.chain.add(entry.position, chained_part(stored->bytes, *view));
    batch.shown[entry.position] = Seals::Shown{stored->shown, stored->sealed};
    LatestEntry latest = log_rules::latest_from(entry);
    latest.hash = stored->shown;
    const LogRange range = batch.marks->range_for(entry.change.cls, options_.aside, state_.head,
                                                  *database_, batch.writes);
    database_->put(batch.writes, Family::log, log_key(entry.position, range), stored->bytes);
    database_->put(batch.writes, Family::latest,
                   latest_key(log_rules::slot_of(latest.cls, latest.key)),
                   latest_value(latest, stored->sealed));
  }
  return {};
}

Status RocksDbChangeLog::add_digests(const ClassDigests& deltas, SegmentBatch& batch) const {
  for (const auto& [cls, delta] : deltas) {
    const auto before = digests_.find(cls);
    Digest digest = before == digests_.end() ? Digest{} : before->second;
    digest += delta;
    const std::string key = digest_key(cls);
    if (digest.count == 0) {
      database_->erase(batch.writes, Family::meta, key);
      batch.prints[key] = std::nullopt;
      continue;
    }
    auto stored = seals_->encode_digest(cls, digest);
    if (!stored) return fail(std::move(stored.error()));
    database_->put(batch.writes, Family::meta, key, *stored);
    batch.prints[key] = DigestTotal::print_of(key, *stored);
  }
  database_->put(batch.writes, Family::meta, kDigestTotalKey, total_->value_with(batch.prints));
  return {};
}

Status RocksDbChangeLog::write_segment(Segment segment) {
  if (!database_->in_place()) {
    return fail(ErrorCode::storage_io,
                "the store's directory was moved away or replaced under the running hub; put it "
                "back and start the hub again",
                database_->path());
  }
  for (const Transaction& transaction : segment.transactions) {
    for (const Change& change : transaction.changes) {
      if (change.kind == ChangeKind::leave) continue;
      if (Status status = seals_->admits(change.key.type); !status) return status;
    }
  }
  const Revision last = segment.transactions.empty() ? state_.head
                                                     : segment.transactions.back().revision;
  SegmentBatch batch(chain_, last);
  batch.marks = std::make_shared<AsideMarks>(*marks_);
  const auto lookup = [&](const Class& cls, const ResourceKey& key) {
    return newest_for(cls, key, batch);
  };
  auto plan = log_rules::plan_segment(std::move(segment), state_.head, lookup);
  if (!plan) return fail(std::move(plan.error()));
  if (Status status = add_entries(*plan, batch); !status) return status;
  if (Status status = add_digests(plan->digest_deltas, batch); !status) return status;
  const Hash128 after = batch.chain.end();
  database_->put(batch.writes, Family::meta, numbered_key(kSegmentPrefix, plan->end.value),
                 chain_value(after));
  database_->put(batch.writes, Family::meta, kHeadKey, number_value(plan->end.value));

  const bool hubs_own =
      std::all_of(plan->entries.begin(), plan->entries.end(), [](const LogEntry& entry) {
        return entry.change.cls.type.starts_with(kSystemTypePrefix);
      });
  const Writer writer = hubs_own ? Writer::hub : Writer::user;
  if (Status status = check_space(batch.writes.GetDataSize(), writer); !status) return status;
  if (Status status = write_batch(batch.writes, options_.sync); !status) return status;
  chain_ = after;
  total_->apply(batch.prints);
  ++segments_since_anchor_;
  publish(plan->end, batch, plan->digest_deltas);
  write_anchor_if_due();
  return {};
}

void RocksDbChangeLog::publish(Revision head, const SegmentBatch& batch,
                               const ClassDigests& deltas) {
  auto snapshot = database_->snapshot();
  std::shared_ptr<const AsideMarks> marks = *batch.marks == *marks_ ? marks_ : batch.marks;
  const std::lock_guard lock(mutex_);
  state_.head = head;
  log_rules::add_deltas(digests_, deltas);
  std::swap(marks_, marks);
  std::swap(snapshot_, snapshot);  // the old one is released after the lock
}

void RocksDbChangeLog::append(Segment segment, AppendDone done) {
  if (stopped_) {
    done(fail(stopped_error()));
    return;
  }
  Status status = write_segment(std::move(segment));
  if (!status && (status.error().code == ErrorCode::storage_io ||
                  status.error().code == ErrorCode::storage_corrupt)) {
    stopped_ = true;
  }
  done(std::move(status));
}

Status RocksDbChangeLog::declare_complete() {
  if (stopped_) return fail(stopped_error());
  rocksdb::WriteBatch batch;
  database_->put(batch, Family::meta, kCompleteKey, number_value(1));
  database_->erase(batch, Family::meta, kLossKey);
  if (Status status = check_space(batch.GetDataSize(), Writer::hub); !status) return status;
  if (Status status = write_batch(batch, true); !status) return status;
  const std::lock_guard lock(mutex_);
  state_.complete = true;
  return {};
}

}  // namespace zonesync
