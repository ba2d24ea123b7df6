#include "client-sdk/zone/cut_staging.hpp"

#include <utility>
#include <vector>

#include "protocol/model/defect.hpp"

namespace zonesync {
namespace {

bool is_upsert(const StagedChange& staged) { return staged.change.kind == ChangeKind::upsert; }

bool is_only_stored(const CutStaging::Item& item) {
  return item.stored && is_upsert(item) && item.change.payload.empty();
}

}  // namespace

CutStaging::CutStaging(Options options, const std::optional<Cursor>& cursor) : options_(options) {
  recover(cursor);
}

void CutStaging::recover(const std::optional<Cursor>& cursor) {
  if (options_.store == nullptr || !options_.store->place()) return;
  place_ = *options_.store->place();
  const bool elsewhere = place_.from && place_.from != cursor && !ZONESYNC_DEFECT(77);
  if (!place_.resumable() || elsewhere) return drop();
  const Status status = options_.store->each([this](StagedItem item) -> Status {
    Item staged{{item.revision, std::move(item.change)}, 0, true};
    staged.bytes = staged.change.payload.size();
    staged.change.payload = SharedBytes();
    ResourceKey key = staged.change.key;
    if (const auto older = items_.find(key); older != items_.end()) {
      total_bytes_ -= older->second.bytes;
    }
    total_bytes_ += staged.bytes;
    items_.insert_or_assign(std::move(key), std::move(staged));
    return {};
  });
  if (!status) return drop();
  PROBE(stage_recovered);
}

void CutStaging::begin(const wire::Intent& intent) {
  era_ = intent.era;
  floor_ = intent.floor;
  if (intent.resumed) {
    ++counters_.resumes;
    place_.changes = intent.resumed->changes;
    place_.at.era = era_;
    place_.floor = floor_;
    return;
  }
  drop();
  place_.from = intent.from;
  place_.floor = floor_;
  place_.at.view = intent.view;
  const bool plain = intent.reason != wire::IntentReason::repair &&
                     (!intent.from || intent.from->view == intent.view);
  if (plain) place_.at.era = era_;
}

Status CutStaging::check_limit(const Item& item) const {
  const std::uint64_t others = total_bytes_ + items_.size() * kItemBytes;
  if (others + item.bytes + kItemBytes <= options_.max_bytes) return {};
  return fail(ErrorCode::too_large,
              "one cut exceeds the " + std::to_string(options_.max_bytes) +
                  " bytes that may be staged",
              to_string(item.change.key));
}

Status CutStaging::add(StagedChange change) {
  Item item{std::move(change), 0, false};
  item.bytes = item.change.payload.size();
  if (Status status = check_limit(item); !status) return status;
  // Before anything is taken: what the disk refuses now comes again behind the same place.
  if (options_.store != nullptr && memory_bytes_ >= options_.spill_bytes) {
    if (Status status = spill(); !status) return status;
  }
  if (item.revision != place_.at.revision && !ZONESYNC_DEFECT(215)) place_.changes = 0;
  place_.at.revision = item.revision;
  ++place_.changes;
  const auto found = items_.find(item.change.key);
  if (found != items_.end()) {
    const Item& older = found->second;
    // A resource that moved to another class leaves the old one and enters the new one at the same
    // revision, in either order: it is there.
    const bool moved = older.revision == item.revision && is_upsert(older) && !is_upsert(item) &&
                       older.change.cls != item.change.cls;
    if (moved) return {};
    forget_payload(older);
  }
  total_bytes_ += item.bytes;
  memory_bytes_ += item.bytes;
  ResourceKey key = item.change.key;
  items_.insert_or_assign(std::move(key), std::move(item));
  return {};
}

Status CutStaging::flush() {
  const bool may = options_.store != nullptr && options_.store->durable() && staged().has_value();
  if (!may || (options_.store->place() == place_ && !store_is_stale_)) return {};
  return spill();
}

Status CutStaging::spill() {
  if (options_.store->bytes() + memory_bytes_ > 2 * options_.max_bytes) {
    return fail(ErrorCode::too_large, "one cut changed the same resources too often to be staged");
  }
  if (store_is_stale_) clear_store();
  if (store_is_stale_) return fail(ErrorCode::resource_exhausted, "the stage could not be cleared");
  std::vector<StagedItem> batch;
  for (const auto& [key, item] : items_) {
    if (!item.stored) batch.push_back(StagedItem{item.revision, item.change});
  }
  StagePlace place = place_;
  if (ZONESYNC_DEFECT(78)) ++place.changes;
  const Status stored = options_.store->append(batch, place);
  if (!stored && !ZONESYNC_DEFECT(79)) return stored;
  for (auto& [key, item] : items_) {
    item.stored = true;
    item.change.payload = SharedBytes();
  }
  memory_bytes_ = 0;
  ++counters_.spills;
  PROBE(stage_spilled);
  return {};
}

Status CutStaging::load() {
  std::size_t missing = 0;
  for (const auto& [key, item] : items_) missing += is_only_stored(item) ? 1 : 0;
  if (missing == 0) return {};
  Status status = options_.store->each([&](StagedItem stored) -> Status {
    const auto found = items_.find(stored.change.key);
    if (found == items_.end() || !is_only_stored(found->second)) return {};
    Item& item = found->second;
    const bool same = item.revision == stored.revision && item.change.hash == stored.change.hash &&
                      item.change.kind == stored.change.kind;
    if (!same) return {};  // a later change won
    item.change.payload = std::move(stored.change.payload);
    memory_bytes_ += item.bytes;
    --missing;
    return {};
  });
  if (!status) return status;
  if (missing > 0) return fail(ErrorCode::storage_corrupt, "spilled changes are missing");
  return {};
}

void CutStaging::keep() {
  if (!place_.resumable()) return drop();
  for (auto& [key, item] : items_) {
    if (!item.stored || item.change.payload.empty()) continue;
    memory_bytes_ -= item.bytes;
    item.change.payload = SharedBytes();
  }
}

void CutStaging::drop() {
  items_.clear();
  total_bytes_ = 0;
  memory_bytes_ = 0;
  place_ = StagePlace{};
  clear_store();
}

void CutStaging::next(const Cursor& from) {
  drop();
  place_.from = from;
  place_.at = Cursor{era_, Revision{}, from.view};
  place_.floor = floor_;
}

/// A stage that cannot be cleared keeps what it had: a part of the log that was true, behind a
/// cursor that is not the replica's any more.
void CutStaging::clear_store() {
  if (options_.store == nullptr || !options_.store->place()) return;
  store_is_stale_ = !options_.store->clear();
}

void CutStaging::erase_type(const std::string& type) {
  place_.at.era = EraId{};
  std::erase_if(items_, [&](const auto& entry) {
    if (entry.first.type != type) return false;
    forget_payload(entry.second);
    return true;
  });
}

void CutStaging::drop_class(const Class& cls) {
  if (!ZONESYNC_DEFECT(214)) place_.at.era = EraId{};
  for (auto& [key, item] : items_) {
    Change& change = item.change;
    if (change.cls != cls || change.kind != ChangeKind::upsert) continue;
    forget_payload(item);
    change.kind = ChangeKind::leave;
    change.payload = SharedBytes();
    change.hash = Hash128{};
    item.bytes = 0;
    item.stored = false;
  }
}

void CutStaging::forget_payload(const Item& item) {
  if (!item.change.payload.empty()) memory_bytes_ -= item.bytes;
  total_bytes_ -= item.bytes;
}

void CutStaging::put(StagedChange change) {
  ResourceKey key = change.change.key;
  items_.insert_or_assign(std::move(key), Item{std::move(change), 0, false});
}

std::optional<wire::Staged> CutStaging::staged() const {
  if (!place_.resumable() || place_.at.revision == Revision{} || items_.empty()) {
    return std::nullopt;
  }
  return wire::Staged{place_.at, place_.changes, !place_.from.has_value(), place_.floor};
}

}  // namespace zonesync
