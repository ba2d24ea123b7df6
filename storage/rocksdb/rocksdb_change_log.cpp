// Opening and writing; reading is in rocksdb_reader.cpp.
#include "storage/rocksdb/rocksdb_change_log.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/scope.hpp"
#include "storage/entry_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

constexpr std::uint64_t kFormatVersion = 2;
constexpr std::uint64_t kOldestFormat = 1;  // no floors, no running hash: taken over at open

/// The hub's own records (an admission, a job's progress) may use all but this part of the reserve:
/// a zone that restarts must get in while users' writes are refused.
constexpr std::uint64_t kOwnReservePart = 16;

Error missing_log(const LineageAnchor& anchor, const std::string& path) {
  return Error{ErrorCode::storage_corrupt,
               "the log that " + anchor_path(path) + " remembers, up to revision " +
                   std::to_string(anchor.head.value) +
                   ", is gone; put it back or restore a backup, or, to start with an empty log, "
                   "move that file away",
               path};
}

}  // namespace

RocksDbChangeLog::RocksDbChangeLog(std::unique_ptr<Database> database, OpenOptions options)
    : options_(std::move(options)),
      database_(std::move(database)),
      trim_(std::make_unique<TrimState>()) {}

RocksDbChangeLog::~RocksDbChangeLog() {
  if (opened_ && !stopped_ && anchored_head_ != state_.head) {
    const Status ignored = write_anchor();  // the old anchor is still true
    static_cast<void>(ignored);
  }
}

Result<std::unique_ptr<RocksDbChangeLog>> RocksDbChangeLog::open(const std::string& path,
                                                                 OpenOptions options) {
  auto log = open_once(path, options);
  const bool full = !log && log.error().code == ErrorCode::resource_exhausted;
  if (!full || !drop_ballast(path, options.env)) return log;
  log = open_once(path, std::move(options));
  if (!log) return log;
  OpenReport& report = (*log)->report_;
  report.ballast_used = true;
  if (!report.text.empty()) report.text += "; ";
  report.text += "the disk is full: the ballast was given up to start; free some space";
  return log;
}

Result<std::unique_ptr<RocksDbChangeLog>> RocksDbChangeLog::open_once(const std::string& path,
                                                                      OpenOptions options) {
  auto anchor = read_anchor(path, options.env);
  if (!anchor) return fail(std::move(anchor.error()));
  auto database = Database::open(path, options.create && !*anchor, options.env);
  if (!database) {
    Error error = std::move(database.error());
    if (*anchor && error.code == ErrorCode::not_found) error = missing_log(**anchor, path);
    return fail(std::move(error));
  }
  std::unique_ptr<RocksDbChangeLog> log(
      new RocksDbChangeLog(std::move(*database), std::move(options)));
  if (Status status = log->start(*anchor); !status) return fail(std::move(status.error()));
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
    if (*version < kOldestFormat || *version > kFormatVersion) {
      return fail(ErrorCode::unsupported,
                  "the log has format " + std::to_string(*version) +
                      ", this version of zonesync reads format " +
                      std::to_string(kFormatVersion) + "; use the version that wrote it",
                  database_->path());
    }
  }
  if (Status status = load(); !status) return status;
  if (Status status = check_lineage(anchor); !status) return status;
  if (Status status = add_era(); !status) return status;
  opened_ = true;
  const Status ignored = write_anchor();  // a full disk must not prevent the start
  static_cast<void>(ignored);
  return {};
}

// A store without format version is one whose creation was interrupted: nothing else may be there.
Status RocksDbChangeLog::create_log(const std::optional<LineageAnchor>& anchor) {
  bool empty = true;
  for (const Family family : {Family::meta, Family::log, Family::latest}) {
    const Status status = database_->visit(family, {}, {}, nullptr, [&](auto, auto) {
      empty = false;
      return false;
    });
    if (!status) return status;
  }
  if (!empty) return fail(corrupt("the store holds data but no format version"));
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
  if (Status status = load_eras(); !status) return status;
  if (Status status = load_digests(); !status) return status;
  auto trim = database_->get(Family::meta, kTrimKey, nullptr);
  if (!trim) return fail(std::move(trim.error()));
  if (*trim) {
    const auto floors = parse_trim(**trim);
    if (!floors) return fail(corrupt("the trim floors are unreadable"));
    *trim_ = *floors;
    state_.trim_floor = floors->floor;
    state_.tombstone_floor = floors->tombstone_floor;
  }
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
  bool readable = true;
  const std::string end = prefix_end(std::string(kDigestPrefix));
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto cls = parse_digest_key(key);
    const auto digest = parse_digest(value);
    readable = cls && digest;
    if (readable) digests_[*cls] = *digest;
    return readable;
  };
  if (Status status = database_->visit(Family::meta, kDigestPrefix, end, nullptr, take); !status) {
    return status;
  }
  if (!readable) return fail(corrupt("a class digest is unreadable"));
  return {};
}

// One batch wrote entries, segment end and head: they must agree.
Status RocksDbChangeLog::check_bounds() const {
  const Published now{state_.head, state_.trim_floor, state_.tombstone_floor, nullptr};
  auto segment = segment_end_before(now, state_.head.next());
  if (!segment) return fail(std::move(segment.error()));
  if (segment->value_or(Revision{0}) != state_.head) {
    return fail(corrupt("the log's head is not a segment end"));
  }
  bool beyond = false;
  const std::string from = log_key(Position::end_of(state_.head));
  const Status status = database_->visit(Family::log, from, {}, nullptr, [&](auto, auto) {
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
  // Receivers must not take what was lost for deleted.
  if (report_.lineage != Lineage::follows) {
    database_->put(batch, Family::meta, kCompleteKey, number_value(0));
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

Status RocksDbChangeLog::check_space(std::size_t bytes, bool hubs_own) const {
  const auto free = database_->free_bytes();
  const std::uint64_t reserve = options_.reserve_bytes / (hubs_own ? kOwnReservePart : 1);
  if (!free || *free >= reserve + bytes) return {};
  return fail(ErrorCode::resource_exhausted,
              "the disk is almost full (" + std::to_string(*free >> 20) +
                  " MiB free); nothing was written, free some space",
              database_->path());
}

Status RocksDbChangeLog::write_segment(Segment segment) {
  const auto lookup = [this](const Class& cls,
                             const ResourceKey& key) -> Result<std::optional<LatestEntry>> {
    const std::string stored_key = latest_key(log_rules::slot_of(cls, key));
    auto value = database_->get(Family::latest, stored_key, nullptr);
    if (!value) return fail(std::move(value.error()));
    if (!*value) return std::nullopt;
    auto entry = parse_latest(stored_key, **value);
    if (!entry) return fail(corrupt("the newest entry of " + to_string(key) + " is unreadable"));
    return entry;
  };
  auto plan = log_rules::plan_segment(std::move(segment), state_.head, lookup);
  if (!plan) return fail(std::move(plan.error()));

  rocksdb::WriteBatch batch;
  log_rules::Chain chain(chain_, plan->end);
  for (const LogEntry& entry : plan->entries) {
    const LatestEntry latest = log_rules::latest_from(entry);
    const std::string stored = encode_entry(entry);
    chain.add(entry.position, stored);
    database_->put(batch, Family::log, log_key(entry.position), stored);
    database_->put(batch, Family::latest, latest_key(log_rules::slot_of(latest.cls, latest.key)),
                   latest_value(latest));
  }
  for (const auto& [cls, delta] : plan->digest_deltas) {
    const auto before = digests_.find(cls);
    Digest digest = before == digests_.end() ? Digest{} : before->second;
    digest += delta;
    if (digest.count == 0) {
      database_->erase(batch, Family::meta, digest_key(cls));
    } else {
      database_->put(batch, Family::meta, digest_key(cls), digest_value(digest));
    }
  }
  const Hash128 after = chain.end();
  database_->put(batch, Family::meta, numbered_key(kSegmentPrefix, plan->end.value),
                 chain_value(after));
  database_->put(batch, Family::meta, kHeadKey, number_value(plan->end.value));

  const bool hubs_own =
      std::all_of(plan->entries.begin(), plan->entries.end(), [](const LogEntry& entry) {
        return entry.change.cls.type.starts_with(kSystemTypePrefix);
      });
  if (Status status = check_space(batch.GetDataSize(), hubs_own); !status) return status;
  if (Status status = database_->write(batch, options_.sync); !status) {
    // Part of it may be in the WAL: only a restart can tell, also when the disk was full.
    status.error().code = ErrorCode::storage_io;
    return status;
  }
  chain_ = after;
  ++segments_since_anchor_;
  publish(plan->end, plan->digest_deltas);
  write_anchor_if_due();
  return {};
}

void RocksDbChangeLog::publish(Revision head, const ClassDigests& deltas) {
  auto snapshot = database_->snapshot();
  const std::lock_guard lock(mutex_);
  state_.head = head;
  log_rules::add_deltas(digests_, deltas);
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
  if (Status status = database_->write(batch, true); !status) {
    stopped_ = true;
    status.error().code = ErrorCode::storage_io;
    return status;
  }
  const std::lock_guard lock(mutex_);
  state_.complete = true;
  return {};
}

}  // namespace zonesync
