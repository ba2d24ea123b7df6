#include "storage/journal/journal_change_log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/entry_codec.hpp"

namespace zonesync::journal {
namespace {

enum class OutboxRecord : std::uint8_t {
  identity = 1,     // log id; first record of a snapshot
  era = 2,          // id, start
  complete = 3,     // no content
  entry = 4,        // position, entry
  segment_end = 5,  // revision; ends a segment
  bounds = 6,       // head, trim floor; ends the entries of a snapshot
  floors = 7,       // trim floor, tombstone floor: entries below may go
};

std::uint8_t type(OutboxRecord record) { return static_cast<std::uint8_t>(record); }

Status unreadable(const char* what) {
  return fail(ErrorCode::storage_corrupt, std::string("an unreadable ") + what);
}

void add_era(GroupWriter& group, const EraRecord& era) {
  ByteWriter out;
  out.id(era.id.id);
  out.u64(era.start.value);
  group.add(type(OutboxRecord::era), out.take());
}

void add_entry(GroupWriter& group, const LogEntry& entry) {
  ByteWriter out;
  write_position(out, entry.position);
  out.raw(encode_entry(entry));
  group.add(type(OutboxRecord::entry), out.take());
}

TrimRequest everything_below(Revision floor, Revision tombstones) {
  return TrimRequest{floor, tombstones, std::numeric_limits<std::size_t>::max(), {}};
}

void add_numbers(GroupWriter& group, OutboxRecord record, std::uint64_t first,
                 std::optional<std::uint64_t> second = std::nullopt) {
  ByteWriter out;
  out.u64(first);
  if (second) out.u64(*second);
  group.add(type(record), out.take());
}

}  // namespace

Result<std::unique_ptr<JournalChangeLog>> JournalChangeLog::open(FileSystem& files,
                                                                 JournalFileOptions options,
                                                                 bool created_complete,
                                                                 const IdSource& ids) {
  std::unique_ptr<JournalChangeLog> log(new JournalChangeLog());
  JournalChangeLog* const self = log.get();
  const LogTable fresh(ids(), created_complete);
  const auto initial = [&](GroupWriter& group) {
    ByteWriter id;
    id.id(fresh.state().log_id);
    group.add(type(OutboxRecord::identity), id.take());
    if (created_complete) group.add(type(OutboxRecord::complete), {});
    add_numbers(group, OutboxRecord::bounds, 0, 0);
  };
  auto file = JournalFile::open(
      files, std::move(options), initial,
      [self](const std::vector<Record>& group) { return self->load_group(group); });
  if (!file) return fail(std::move(file.error()));
  log->file_ = std::move(*file);

  const EraRecord era{EraId{ids()}, log->table_->state().head};
  Status status = log->file_->append([&](GroupWriter& group) { add_era(group, era); });
  if (!status) return fail(std::move(status.error()));
  log->table_->add_era(era);
  return log;
}

Status JournalChangeLog::write(Segment segment) {
  auto plan = table_->plan(std::move(segment));
  if (!plan) return fail(std::move(plan.error()));
  Status status = file_->append([&](GroupWriter& group) {
    for (const LogEntry& entry : plan->entries) add_entry(group, entry);
    add_numbers(group, OutboxRecord::segment_end, plan->end.value);
  });
  if (!status) return status;
  table_->apply(std::move(*plan));
  return {};
}

void JournalChangeLog::append(Segment segment, AppendDone done) {
  Status status = write(std::move(segment));
  if (status) compact();
  done(std::move(status));
}

Status JournalChangeLog::declare_complete() {
  if (table_->state().complete) return {};
  Status status = file_->append(
      [](GroupWriter& group) { group.add(type(OutboxRecord::complete), {}); });
  if (status) table_->set_complete();
  return status;
}

void JournalChangeLog::write_snapshot(GroupWriter& group) const {
  const LogState state = table_->state();
  ByteWriter id;
  id.id(state.log_id);
  group.add(type(OutboxRecord::identity), id.take());
  for (const EraRecord& era : state.eras) add_era(group, era);
  if (state.complete) group.add(type(OutboxRecord::complete), {});
  for (const LogEntry& entry : table_->newest()) add_entry(group, entry);
  add_numbers(group, OutboxRecord::bounds, state.head.value, state.head.value);
  if (state.tombstone_floor > Revision{0}) {
    add_numbers(group, OutboxRecord::floors, state.head.value, state.tombstone_floor.value);
  }
}

Result<TrimProgress> JournalChangeLog::trim(const TrimRequest& request) {
  if (!request.type_floors.empty()) {
    return fail(ErrorCode::unsupported, "an outbox keeps no history, so its types have no floors");
  }
  const LogState state = table_->state();
  if (Status status = log_rules::check_trim(request, state); !status) {
    return fail(std::move(status.error()));
  }
  const Revision floor = std::max(request.floor, state.trim_floor);
  const Revision tombstones = std::max(request.tombstone_floor, state.tombstone_floor);
  if (floor > state.trim_floor || tombstones > state.tombstone_floor) {
    Status status = file_->append([&](GroupWriter& group) {
      add_numbers(group, OutboxRecord::floors, floor.value, tombstones.value);
    });
    if (!status) return fail(std::move(status.error()));
  }
  auto progress = table_->trim(everything_below(floor, tombstones));
  compact();
  return progress;
}

// What was asked for is durable already: trouble here shows in the next write, or goes away.
void JournalChangeLog::compact() {
  if (!file_->wants_rewrite()) return;
  const Status status = file_->rewrite([this](GroupWriter& group) { write_snapshot(group); });
  if (status) table_->trim(table_->state().head);
}

Status JournalChangeLog::load_group(const std::vector<Record>& group) {
  std::vector<LogEntry> entries;
  for (const Record& record : group) {
    if (Status status = load_record(record, entries); !status) return status;
  }
  if (!table_) return unreadable("identity");
  return entries.empty() ? Status() : unreadable("end of a segment");
}

Status JournalChangeLog::load_record(const Record& record, std::vector<LogEntry>& entries) {
  ByteReader in(record.payload);
  const auto kind = static_cast<OutboxRecord>(record.type);
  if (kind == OutboxRecord::identity) {
    const Id128 id = in.id();
    if (!in.done() || table_) return unreadable("identity");
    table_ = std::make_unique<LogTable>(id, false);
    return {};
  }
  if (!table_) return unreadable("identity");
  switch (kind) {
    case OutboxRecord::era: {
      const EraId id{in.id()};
      const Revision start{in.u64()};
      if (!in.done()) return unreadable("era");
      table_->add_era(EraRecord{id, start});
      return {};
    }
    case OutboxRecord::complete: table_->set_complete(); return {};
    case OutboxRecord::entry: {
      const Position position = read_position(in);
      const auto entry = decode_entry(in.rest());
      if (!in.done() || !entry) return unreadable("entry");
      entries.push_back(entry->entry(position));
      return {};
    }
    case OutboxRecord::segment_end: {
      log_rules::SegmentPlan plan;
      plan.end = Revision{in.u64()};
      if (!in.done() || plan.end <= table_->state().head) return unreadable("segment end");
      plan.entries = std::exchange(entries, {});
      plan.digest_deltas = log_rules::deltas_of(plan.entries);
      table_->apply(std::move(plan));
      return {};
    }
    case OutboxRecord::bounds: {
      const Revision head{in.u64()};
      const Revision trim_floor{in.u64()};
      if (!in.done() || table_->state().head != Revision{0}) return unreadable("bounds");
      table_->restore(std::exchange(entries, {}), head, trim_floor);
      return {};
    }
    case OutboxRecord::floors: {
      const Revision floor{in.u64()};
      const Revision tombstones{in.u64()};
      if (!in.done() || !table_->trim(everything_below(floor, tombstones))) {
        return unreadable("trim floor");
      }
      return {};
    }
    default: return unreadable("record");
  }
}

}  // namespace zonesync::journal
