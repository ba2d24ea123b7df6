#include "conformance/simulator/up_watch.hpp"

#include <algorithm>
#include <utility>

namespace zonesync::sim {
namespace {

constexpr std::size_t kEndsMax = 64;

std::string receiver_of(const std::string& zone) { return "up/" + zone; }

}  // namespace

UpWatch::UpWatch(Environment& env, const SimLog& log) : env_(env), log_(log) {}

void UpWatch::submitted(const hub::UpCommit& commit) {
  for (const hub::UpChange& change : commit.changes) {
    if (!change.reject) continue;
    const Change& refused = change.staged.change;
    offered_[refused.hash] = refused.payload;
  }
  if (!commit.end) {
    env_.probe(Probe::up_piece);
    for (const hub::UpChange& change : commit.changes) {
      origins_[commit.zone].ahead.insert(change.staged.change.key);
    }
    return;
  }
  auto& ends = origins_[commit.zone].ends;
  ends.push_back(*commit.end);
  if (ends.size() > kEndsMax) ends.pop_front();
}

void UpWatch::durable(const Transaction& transaction) {
  std::set<std::string> moved;
  judge_guard(transaction);
  for (auto& [zone, origin] : origins_) origin.forgotten.clear();
  for (const Change& change : transaction.changes) take(change, moved);
  find_ends(transaction, moved);
  for (const std::string& zone : moved) judge(zone, transaction.revision);
}

/// Nothing over 100 resources and half of a zone's goes in one step without a person.
void UpWatch::judge_guard(const Transaction& transaction) {
  std::map<std::string, std::set<ResourceKey>> gone;
  for (const Change& change : transaction.changes) {
    if (change.key.origin == kGlobalOrigin) continue;
    if (change.kind == ChangeKind::leave) {
      gone[change.key.origin].insert(change.key);
    } else {
      gone[change.key.origin].erase(change.key);
    }
  }
  for (const auto& [zone, keys] : gone) {
    Origin& origin = origins_[zone];
    if (keys.size() <= 100 || keys.size() * 2 <= origin.live.size()) continue;
    if (!std::exchange(origin.mass_delete_allowed, false)) {
      env_.broken("P5: " + std::to_string(keys.size()) + " resources went without approval", zone);
    }
  }
}

/// A full answer that ends where the cursor stands already does not log it again: it shows by
/// what only a last piece does.
void UpWatch::find_ends(const Transaction& transaction, std::set<std::string>& ended) const {
  std::set<ResourceKey> upserts;
  for (const Change& change : transaction.changes) {
    if (change.kind == ChangeKind::upsert) upserts.insert(change.key);
  }
  for (const Change& change : transaction.changes) {
    const ResourceKey& key = change.key;
    if (key.type == hub::kOfferType && change.kind == ChangeKind::upsert) {
      const auto record = hub::decode_offer(change);
      if (record && record->unconfirmed) ended.insert(record->zone);
    } else if (!hub::is_system_type(key.type) && key.origin != kGlobalOrigin &&
               !upserts.contains(key)) {
      ended.insert(key.origin);
    }
  }
}

void UpWatch::take(const Change& change, std::set<std::string>& moved) {
  const ResourceKey& key = change.key;
  if (hub::is_system_type(key.type)) return take_system(change, moved);
  if (key.origin == kGlobalOrigin) return;
  Origin& origin = origins_[key.origin];
  if (change.kind == ChangeKind::upsert) {
    origin.live[key] = oracle::Item{change.cls, change.payload, {}};
    return;
  }
  const auto found = origin.live.find(key);
  if (found != origin.live.end() && found->second.cls == change.cls) origin.live.erase(found);
}

void UpWatch::take_system(const Change& change, std::set<std::string>& moved) {
  const bool upsert = change.kind == ChangeKind::upsert;
  if (change.key.type == hub::kOfferType) {
    const std::string& name = change.key.name;
    for (auto& [zone, origin] : origins_) {
      origin.unconfirmed.erase(name);
      const auto old = origin.refused.find(name);
      if (old == origin.refused.end()) continue;
      origin.forgotten.insert(old->second.key);
      origin.refused.erase(old);
    }
    if (!upsert) return;
    const auto record = hub::decode_offer(change);
    if (!record) return;
    Origin& origin = origins_[record->zone];
    if (record->unconfirmed) {
      origin.unconfirmed[name] = record->key;
    } else {
      env_.probe(Probe::up_refused);
      origin.refused[name] = *record;
    }
    return;
  }
  if (change.key.type != hub::kUpCursorType || !upsert) return;
  if (auto record = hub::decode_up_cursor(change)) {
    origins_[record->zone].cursor = *record;
    if (record->unfinished) return env_.probe(Probe::up_cursor_taken_back);  // by a piece
    Revision& best = best_[record->log_id];
    best = std::max(best, record->cursor.revision);
    Revision& furthest = env_.up_best[record->zone];
    furthest = std::max(furthest, record->cursor.revision);
    moved.insert(record->zone);
  }
}

/// What was offered last: a refused version stands before the accepted one.
std::vector<oracle::Held> UpWatch::held_of(const Origin& origin) const {
  std::set<ResourceKey> unconfirmed;
  for (const auto& [name, key] : origin.unconfirmed) unconfirmed.insert(key);
  if (!unconfirmed.empty()) env_.probe(Probe::up_unconfirmed);
  std::map<ResourceKey, const SharedBytes*> refused;
  for (const auto& [name, record] : origin.refused) {
    const auto payload = offered_.find(record.hash);
    if (payload != offered_.end()) refused[record.key] = &payload->second;
  }
  std::vector<oracle::Held> held;
  for (const auto& [key, item] : origin.live) {
    if (refused.contains(key)) continue;
    held.push_back({&key, &item.payload, unconfirmed.contains(key)});
  }
  for (const auto& [name, record] : origin.refused) {
    const auto payload = refused.find(record.key);
    if (payload != refused.end()) held.push_back({&record.key, payload->second, false});
  }
  return held;
}

/// A cut that goes in pieces shows before its end. When its end never comes, its keys may differ
/// until the next end that carries a digest.
void UpWatch::judge(const std::string& zone, Revision revision) {
  Origin& origin = origins_[zone];
  if (!origin.cursor) return env_.broken("P1: resources left without a cursor", zone);
  const std::vector<oracle::Held> held = held_of(origin);
  oracle::Step step;
  step.log = origin.cursor->log_id;
  step.cursor = origin.cursor->cursor;
  bool checked = false;
  oracle::Broken broken = "P1: the hub's cursor moved to where no cut ended";
  // The cut may have been offered more than once; it is right if one of the offers explains it.
  std::vector<const CutEnd*> explanations;
  for (auto end = origin.ends.rbegin(); end != origin.ends.rend(); ++end) {
    if (end->to == step.cursor && end->log_id == step.log) explanations.push_back(&*end);
  }
  for (std::size_t at = 0; at < explanations.size() && broken; ++at) {
    const CutEnd* end = explanations[at];
    const bool try_only = at + 1 < explanations.size();
    step.full = !end->from;
    step.removes_unnamed = step.full && end->complete;
    step.unfinished = origin.ahead;
    if (step.full) {
      std::erase_if(step.unfinished, [&](const auto& key) { return !origin.live.contains(key); });
    }
    if (step.full && !end->complete) forget_refused(zone, origin);
    checked = end->digest.has_value();
    broken = env_.oracle.applied(receiver_of(zone), {false, zone}, step, held, try_only);
  }
  if (checked) origin.ahead.clear();
  env_.note("up-cursor", zone, step.cursor.revision.value, held.size());
  env_.broken(broken, receiver_of(zone));
  if (step.full) env_.probe(step.removes_unnamed ? Probe::up_full_removed : Probe::up_full_partial);
  env_.oracle.note_place(receiver_of(zone), revision);
}

void UpWatch::rewound(Revision revision) {
  for (auto& [zone, origin] : origins_) {
    origin = Origin{};
    env_.oracle.receiver_rewound(receiver_of(zone), revision);
  }
  std::set<std::string> moved;
  for (const auto& [key, item] : log_.live()) {
    Change change;
    change.cls = item.cls;
    change.key = key;
    change.payload = item.payload;
    take(change, moved);
    // The disk may have stopped between two pieces.
    if (key.origin != kGlobalOrigin) origins_[key.origin].ahead.insert(key);
  }
}

/// Of a resource that was never accepted only the verdict was kept: a partial answer that does not
/// name it ends that.
void UpWatch::forget_refused(const std::string& zone, const Origin& origin) {
  for (const ResourceKey& key : origin.forgotten) {
    if (origin.live.contains(key)) continue;
    env_.probe(Probe::up_refused_forgotten);
    env_.oracle.forget(receiver_of(zone), key);
  }
}

std::optional<hub::UpCursorRecord> UpWatch::cursor(const std::string& zone) const {
  const auto origin = origins_.find(zone);
  return origin == origins_.end() ? std::nullopt : origin->second.cursor;
}

Revision UpWatch::best(Id128 log) const {
  const auto found = best_.find(log);
  return found == best_.end() ? Revision{} : found->second;
}

std::size_t UpWatch::unconfirmed(const std::string& zone) const {
  const auto origin = origins_.find(zone);
  return origin == origins_.end() ? 0 : origin->second.unconfirmed.size();
}

oracle::Content UpWatch::live(const std::string& zone) const {
  const auto origin = origins_.find(zone);
  return origin == origins_.end() ? oracle::Content{} : origin->second.live;
}

}  // namespace zonesync::sim
