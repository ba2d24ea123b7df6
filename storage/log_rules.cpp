#include "storage/log_rules.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace zonesync::log_rules {
namespace {

Status check_change(const Change& change) {
  const std::string where = to_string(change.key);
  if (change.kind != ChangeKind::upsert && change.kind != ChangeKind::leave) {
    return fail(ErrorCode::invalid_argument, "a change is either an upsert or a leave", where);
  }
  if (change.cls.type != change.key.type || change.cls.mesh != change.key.mesh ||
      change.cls.origin != change.key.origin) {
    return fail(ErrorCode::invalid_argument,
                "class and key of a change disagree on type, mesh or origin", where);
  }
  return {};
}

Status check_transaction(const Transaction& transaction) {
  std::set<std::pair<const ResourceKey*, const std::string*>,
           decltype([](const auto& a, const auto& b) {
             return std::tie(*a.first, *a.second) < std::tie(*b.first, *b.second);
           })>
      seen;
  for (const Change& change : transaction.changes) {
    if (Status status = check_change(change); !status) return status;
    if (!seen.emplace(&change.key, &change.cls.tag).second) {
      return fail(ErrorCode::invalid_argument,
                  "a transaction may change each (class, key) only once", to_string(change.key));
    }
  }
  return {};
}

void add_to_deltas(ClassDigests& deltas, const LogEntry& entry) {
  const Change& change = entry.change;
  const bool was_live = entry.previous && entry.previous->kind == ChangeKind::upsert;
  const bool is_live = change.kind == ChangeKind::upsert;
  if (!was_live && !is_live) return;
  const Id128 key = fingerprint(change.key);
  Digest& delta = deltas[change.cls];
  if (was_live) delta.remove(key, entry.previous->hash);
  if (is_live) delta.add(key, change.hash);
}

}  // namespace

Slot slot_of(const Class& cls, const ResourceKey& key) { return Slot{key, cls.tag}; }

Class class_of_slot(const Slot& slot) {
  return Class{slot.key.type, slot.key.mesh, slot.key.origin, slot.tag};
}

Status check_segment(const Segment& segment, Revision head) {
  if (segment.transactions.empty()) {
    return fail(ErrorCode::invalid_argument, "a segment needs at least one transaction");
  }
  const Revision first = segment.transactions.front().revision;
  if (first != head.next()) {
    return fail(ErrorCode::precondition_failed,
                "segment starts at revision " + std::to_string(first.value) +
                    ", the log's head is " + std::to_string(head.value));
  }
  Revision expected = first;
  for (const Transaction& transaction : segment.transactions) {
    if (transaction.revision != expected) {
      return fail(ErrorCode::invalid_argument,
                  "revisions of a segment must be consecutive: expected " +
                      std::to_string(expected.value) + ", got " +
                      std::to_string(transaction.revision.value));
    }
    if (Status status = check_transaction(transaction); !status) return status;
    expected = expected.next();
  }
  return {};
}

Result<SegmentPlan> plan_segment(Segment segment, Revision head, const LatestLookup& lookup) {
  if (Status status = check_segment(segment, head); !status) return fail(status.error());
  SegmentPlan plan;
  plan.end = segment.transactions.back().revision;
  std::map<Slot, Previous> overlay;  // what this segment itself wrote already
  for (Transaction& transaction : segment.transactions) {
    std::uint32_t index = 0;
    for (Change& change : transaction.changes) {
      LogEntry entry{Position{transaction.revision, index++}, std::move(change), std::nullopt};
      Slot slot = slot_of(entry.change.cls, entry.change.key);
      if (const auto it = overlay.find(slot); it != overlay.end()) {
        entry.previous = it->second;
      } else {
        auto latest = lookup(entry.change.cls, entry.change.key);
        if (!latest) return fail(std::move(latest.error()));
        if (*latest) {
          entry.previous = Previous{(*latest)->position, (*latest)->kind, (*latest)->hash};
        }
      }
      overlay.insert_or_assign(std::move(slot),
                               Previous{entry.position, entry.change.kind, entry.change.hash});
      plan.entries.push_back(std::move(entry));
    }
  }
  plan.digest_deltas = deltas_of(plan.entries);
  return plan;
}

ClassDigests deltas_of(const std::vector<LogEntry>& entries) {
  ClassDigests deltas;
  for (const LogEntry& entry : entries) add_to_deltas(deltas, entry);
  return deltas;
}

LatestEntry latest_from(const LogEntry& entry) {
  return LatestEntry{entry.change.cls, entry.change.key, entry.change.kind, entry.change.hash,
                     entry.position};
}

void add_deltas(ClassDigests& digests, const ClassDigests& deltas) {
  for (const auto& [cls, delta] : deltas) {
    Digest& digest = digests[cls];
    digest += delta;
    if (digest.count == 0) digests.erase(cls);
  }
}

std::optional<LatestEntry> prefer(std::vector<LatestEntry> candidates) {
  if (candidates.empty()) return std::nullopt;
  const auto best = std::max_element(
      candidates.begin(), candidates.end(), [](const LatestEntry& a, const LatestEntry& b) {
        const bool a_live = a.kind == ChangeKind::upsert;
        const bool b_live = b.kind == ChangeKind::upsert;
        return a_live != b_live ? b_live : a.position < b.position;
      });
  return std::move(*best);
}

Result<std::vector<LogEntry>> merge_history(
    const std::vector<LatestEntry>& newest, std::size_t limit,
    const std::function<Result<LogEntry>(Position)>& read) {
  std::set<Position> chains;
  for (const LatestEntry& entry : newest) chains.insert(entry.position);
  std::vector<LogEntry> history;
  while (!chains.empty() && history.size() < limit) {
    const auto last = std::prev(chains.end());
    auto entry = read(*last);
    chains.erase(last);
    if (!entry) {
      if (entry.error().code == ErrorCode::not_found) continue;
      return fail(std::move(entry.error()));
    }
    if (entry->previous) chains.insert(entry->previous->position);
    history.push_back(std::move(*entry));
  }
  return history;
}

Result<std::optional<LogEntry>> entry_at(const std::vector<LatestEntry>& newest, Revision revision,
                                         const std::function<Result<LogEntry>(Position)>& read) {
  std::set<Position> chains;
  for (const LatestEntry& entry : newest) chains.insert(entry.position);
  const Position end = Position::end_of(revision);
  while (!chains.empty()) {
    const Position last = *std::prev(chains.end());
    auto entry = read(last);
    chains.erase(last);
    if (!entry) {
      if (entry.error().code == ErrorCode::not_found) continue;
      return fail(std::move(entry.error()));
    }
    if (last <= end) return std::move(*entry);
    if (entry->previous) chains.insert(entry->previous->position);
  }
  return std::nullopt;
}

Result<std::optional<LogEntry>> listed(const LatestEntry& newest,
                                       const std::optional<Revision>& at,
                                       const std::function<Result<LogEntry>(Position)>& read) {
  const Position end = at ? Position::end_of(*at) : newest.position;
  if (newest.position <= end && newest.kind != ChangeKind::upsert) return std::nullopt;
  auto entry = read(newest.position);
  if (!entry) return fail(std::move(entry.error()));
  while (entry->position > end) {
    const std::optional<Previous> previous = entry->previous;
    if (!previous) return std::nullopt;
    if (previous->position <= end && previous->kind != ChangeKind::upsert) return std::nullopt;
    entry = read(previous->position);
    if (!entry) {
      if (entry.error().code == ErrorCode::not_found) return std::nullopt;
      return fail(std::move(entry.error()));
    }
  }
  return std::move(*entry);
}

Status check_filter(const ListFilter& filter) {
  if (filter.type.empty() && !filter.all_types) {
    return fail(ErrorCode::invalid_argument, "a listing needs a type, or all_types", "type");
  }
  return {};
}

bool matches(const ListFilter& filter, const ResourceKey& key) {
  return (filter.all_types || key.type == filter.type) &&
         (!filter.mesh || key.mesh == *filter.mesh) &&
         (!filter.origin || key.origin == *filter.origin);
}

bool ListBuilder::take(const LatestEntry& newest) {
  if (visited_ >= filter_.max_visited && *last_ != newest.key) {
    page_.next = std::move(last_);
    return false;
  }
  ++visited_;
  if (visited_ >= filter_.max_visited) last_ = newest.key;
  if (!filter_.at && newest.kind != ChangeKind::upsert) return true;
  if (!matches(filter_, newest.key)) return true;
  if (filter_.admits && !filter_.admits(newest.cls)) return true;
  const bool full = !page_.entries.empty() && page_.entries.size() >= limit_;
  if (full && !filter_.at) {
    page_.next = page_.entries.back().change.key;
    return false;
  }
  auto entry = listed(newest, filter_.at, read_);
  if (!entry) {
    status_ = fail(std::move(entry.error()));
    return false;
  }
  if (!*entry) return true;
  const std::size_t bytes = (*entry)->change.payload.size();
  if (full || (!page_.entries.empty() && bytes_ + bytes > filter_.max_bytes)) {
    page_.next = page_.entries.back().change.key;
    return false;
  }
  bytes_ += bytes;
  page_.entries.push_back(std::move(**entry));
  return true;
}

void finish_page(ScanPage& page, Position after, std::optional<Revision> next_entry, Revision head,
                 std::optional<Revision> segment_end) {
  page.at_head = !next_entry;
  const Revision covered = next_entry ? Revision{next_entry->value - 1} : head;
  page.next = std::max(page.next, Position::end_of(covered));
  page.at_segment_end = segment_end && Position::end_of(*segment_end) == page.next;
  if (page.at_segment_end || !next_entry || !segment_end) return;
  if (Position::end_of(*segment_end) <= after) return;  // one segment larger than the page
  page.next = Position::end_of(*segment_end);
  page.at_segment_end = true;
  while (!page.entries.empty() && page.entries.back().position > page.next) {
    page.entries.pop_back();
  }
}

Status check_trim(const TrimRequest& request, const LogState& state) {
  if (request.type_floors.size() > kTrimTypesMax) {
    return fail(ErrorCode::invalid_argument,
                "at most " + std::to_string(kTrimTypesMax) + " types have floors of their own");
  }
  Revision highest = std::max(request.floor, state.trim_floor);
  for (const auto& [type, floor] : request.type_floors) highest = std::max(highest, floor);
  if (highest > state.head || request.tombstone_floor > state.head) {
    return fail(ErrorCode::invalid_argument,
                "a log cannot be trimmed beyond its head, revision " +
                    std::to_string(state.head.value));
  }
  if (request.tombstone_floor > highest) {
    return fail(ErrorCode::invalid_argument, "the tombstone floor must not be above every floor");
  }
  return {};
}

Chain::Chain(const Hash128& before, Revision end) {
  content_.id(before.id);
  content_.u64(end.value);
}

void Chain::add(Position position, std::string_view stored) {
  content_.u64(position.revision.value);
  content_.u32(position.index);
  content_.id(hash_bytes(stored).id);
}

void push_era(std::vector<EraRecord>& eras, EraRecord era) {
  eras.push_back(era);
  if (eras.size() > kErasMax) {
    eras.erase(eras.begin(), eras.end() - static_cast<std::ptrdiff_t>(kErasMax));
  }
}

}  // namespace zonesync::log_rules
