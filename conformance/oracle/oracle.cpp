#include "conformance/oracle/oracle.hpp"

#include <algorithm>

namespace zonesync::oracle {
namespace {

std::string text(const Cursor& cursor) {
  return std::to_string(cursor.revision.value) + "@" + to_hex(cursor.era.id).substr(0, 6);
}

}  // namespace

bool same(const Content& a, const Content& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& item) {
           const auto other = b.find(item.first);
           return other != b.end() && other->second.payload == item.second.payload;
         });
}

// -- logs -----------------------------------------------------------------------------------------

void Oracle::opened(Id128 log, EraId era, Revision start, bool complete) {
  Log& known = logs_[log];
  Era next{start, std::nullopt, {}, {}};
  if (!known.line.empty()) next.parent = known.line.back();
  known.eras.emplace(era, std::move(next));
  known.line.push_back(era);
  known.complete = known.complete || complete;
}

Broken Oracle::committed(Id128 log, Revision revision, const std::vector<Change>& changes) {
  Log& known = logs_.at(log);
  known.eras.at(known.line.back()).transactions[revision] = changes;
  known.head = revision;
  Broken broken;
  for (const Change& change : changes) {
    apply(known.now, change);
    if (change.cls.tag == "home" || !home_.contains(change.payload.view())) continue;
    broken = "P7: " + to_string(change.key) + " must stay home and got another class";
  }
  return broken;
}

/// A leave of one class does not end the resource in another class that it entered before.
void Oracle::apply(Content& content, const Change& change) {
  if (change.kind == ChangeKind::upsert) {
    content[change.key] = Item{change.cls, change.payload, {}};
    return;
  }
  const auto found = content.find(change.key);
  if (found != content.end() && found->second.cls == change.cls) content.erase(found);
}

void Oracle::rewound(Id128 log, Revision revision) {
  Log& known = logs_.at(log);
  if (revision >= known.head) return;
  while (known.line.size() > 1 && known.eras.at(known.line.back()).start > revision) {
    known.line.pop_back();
  }
  known.head = revision;
  known.now.clear();
  const auto line = line_to(known, Cursor{known.line.back(), revision, {}}, Revision{});
  for (const auto* changes : *line) {
    for (const Change& change : *changes) apply(known.now, change);
  }
}

Broken Oracle::acked(Id128 log, Revision revision) const {
  const auto known = logs_.find(log);
  if (known != logs_.end() && revision <= known->second.head) return std::nullopt;
  return "P2: revision " + std::to_string(revision.value) + " was acked before it was durable";
}

Broken Oracle::holds(Id128 log, Revision head, const Content& live) const {
  const Log& known = logs_.at(log);
  if (head != known.head) {
    return "P2: the log was durable up to " + std::to_string(known.head.value) +
           " and now ends at " + std::to_string(head.value);
  }
  if (same(live, known.now)) return std::nullopt;
  return "P2: the log does not hold what was durable";
}

// -- places in history ----------------------------------------------------------------------------

std::optional<Oracle::Line> Oracle::line_to(const Log& log, const Cursor& cursor,
                                            Revision after) const {
  std::vector<std::pair<const Era*, Revision>> path;  // newest first, with its last revision
  std::optional<EraId> era_id = cursor.era;
  Revision until = cursor.revision;
  while (era_id) {
    const auto era = log.eras.find(*era_id);
    if (era == log.eras.end()) return std::nullopt;
    path.emplace_back(&era->second, until);
    until = std::min(until, era->second.start);
    era_id = era->second.parent;
  }
  Line line;
  Revision next = after;
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    const auto& all = step->first->transactions;
    for (auto at = all.upper_bound(next); at != all.end() && at->first <= step->second; ++at) {
      if (at->first != next.next()) return std::nullopt;
      next = at->first;
      line.push_back(&at->second);
    }
  }
  if (next < cursor.revision) return std::nullopt;
  return line;
}

/// Whether history up to `older` is part of history up to `newer`.
bool Oracle::is_prefix(const Log& log, const Cursor& older, const Cursor& newer) const {
  if (older.revision == Revision{}) return true;
  std::optional<EraId> at = newer.era;
  Revision until = newer.revision;
  while (at) {
    const auto era = log.eras.find(*at);
    if (era == log.eras.end()) return false;
    if (*at == older.era) return older.revision <= until;
    until = std::min(until, era->second.start);
    at = era->second.parent;
  }
  return false;
}

bool Oracle::on_line(const Log& log, const Cursor& cursor) const {
  return is_prefix(log, cursor, Cursor{log.line.back(), log.head, {}});
}

bool Oracle::continues(Id128 log, const Cursor& cursor) const {
  const auto known = logs_.find(log);
  return known != logs_.end() && on_line(known->second, cursor);
}

// -- visibility -----------------------------------------------------------------------------------

void Oracle::decided(Id128 log, Revision revision, const std::string& zone, Rule rule) {
  Log& known = logs_.at(log);
  known.eras.at(known.line.back()).decisions[revision][zone] = std::move(rule);
}

/// Newest first: what an earlier revision said of a zone is older news.
Rules Oracle::rules_at(const Log& log, const Cursor& cursor) {
  Rules rules;
  std::optional<EraId> era_id = cursor.era;
  Revision until = cursor.revision;
  while (era_id) {
    const auto era = log.eras.find(*era_id);
    if (era == log.eras.end()) break;
    const auto& all = era->second.decisions;
    for (auto at = all.upper_bound(until); at != all.begin();) {
      --at;
      for (const auto& [zone, rule] : at->second) rules.emplace(zone, rule);
    }
    until = std::min(until, era->second.start);
    era_id = era->second.parent;
  }
  std::erase_if(rules, [](const auto& item) { return item.second == Rule{}; });
  return rules;
}

/// What of all decisions makes the view of this zone.
Rules Oracle::seen_by(const std::string& zone, Rules rules) {
  for (auto& [name, rule] : rules) {
    rule = name == zone ? Rule{true, rule.types, rule.tags} : Rule{rule.enabled, {}, {}};
  }
  std::erase_if(rules, [](const auto& item) { return item.second == Rule{}; });
  return rules;
}

/// At the step's cursor, or by a decision since: a view that changed and changed back is not left.
bool Oracle::in_force(const Log& log, const Step& step, const std::string& zone,
                      const Rules& rules) {
  if (seen_by(zone, rules_at(log, step.cursor)) == rules) return true;
  const Cursor head{log.line.back(), log.head, {}};
  for (const EraId& era : log.line) {
    for (const auto& [revision, decided] : log.eras.at(era).decisions) {
      if (revision <= step.cursor.revision || revision > head.revision) continue;
      if (seen_by(zone, rules_at(log, {head.era, revision, {}})) == rules) return true;
    }
  }
  return false;
}

bool Oracle::visible(const Rules& rules, const Sight& sight, const Class& cls) const {
  const TypeInfo* type = types_.find(cls.type);
  if (type == nullptr || cls.tag == "home") return false;  // system entries have no type
  const bool own = cls.origin == sight.zone;
  if (!sight.down) return own && type->zone_to_global;
  if (const auto mine = rules.find(sight.zone); mine != rules.end()) {
    const auto& [enabled, types, tags] = mine->second;
    if (!types.empty() && !types.contains(cls.type)) return false;
    if (!type->scope_labels.empty() && !tags.empty() && !tags.contains(cls.tag)) return false;
  }
  if (cls.origin == "global") return type->global_to_zones;
  const auto theirs = rules.find(cls.origin);
  return !own && type->synced_across_zones && (theirs == rules.end() || theirs->second.enabled);
}

Content Oracle::visible_now(Id128 log, const Sight& sight) const {
  Content content;
  const auto known = logs_.find(log);
  if (known == logs_.end()) return content;
  const Rules rules = rules_at(known->second, {known->second.line.back(), known->second.head, {}});
  for (const auto& [key, item] : known->second.now) {
    if (visible(rules, sight, item.cls)) content.emplace(key, item);
  }
  return content;
}

bool Oracle::visible_now(Id128 log, const Sight& sight, const Class& cls) const {
  const Log& known = logs_.at(log);
  return visible(rules_at(known, {known.line.back(), known.head, {}}), sight, cls);
}

// -- receivers ------------------------------------------------------------------------------------

Broken Oracle::applied(const std::string& name, const Sight& sight, const Step& step,
                       const std::vector<Held>& held, bool try_only) {
  std::optional<Receiver> before;
  Receiver& receiver = receivers_[name];
  if (try_only) before = receiver;
  auto broken = advance(receiver, sight, step);
  if (!broken) broken = compare(receiver, held);
  if (!broken) return std::nullopt;
  if (before) receiver = std::move(*before);
  return *broken + " at " + text(step.cursor);
}

Broken Oracle::advance(Receiver& receiver, const Sight& sight, const Step& step) const {
  const auto known = logs_.find(step.log);
  if (known == logs_.end()) return "P1: content of a log that does not exist";
  const Log& log = known->second;
  const bool same_log = receiver.last && receiver.last->log == step.log;
  if (step.removes_unnamed && !log.complete) {
    return "P5: a partial log removed what it did not name";
  }
  if (same_log && on_line(log, receiver.last->cursor) &&
      step.cursor.revision < receiver.last->cursor.revision) {
    return "P1: went back from " + text(receiver.last->cursor) + " to " + text(step.cursor);
  }
  if (!step.full && !(same_log && is_prefix(log, receiver.last->cursor, step.cursor))) {
    return "P1: continued to " + text(step.cursor) + " from what is no prefix of it";
  }
  Rules rules = sight.down ? seen_by(sight.zone, rules_at(log, step.cursor)) : Rules{};
  const bool stays = !step.full && step.cursor.view == receiver.last->cursor.view;
  if (stays && sight.down) {
    if (!in_force(log, step, sight.zone, receiver.rules)) {
      return "P7: goes on in a view that is not in force";
    }
    rules = receiver.rules;
  }
  // Where the view is another one all of it is reckoned anew.
  const bool moved = !step.full && !stays;
  const Revision after = step.full || moved ? Revision{} : receiver.last->cursor.revision;
  const auto line = line_to(log, step.cursor, after);
  if (!line) return "P2: applied " + text(step.cursor) + ", which was never durable";
  std::set<ResourceKey> kept = std::move(receiver.unconfirmed);
  receiver.doubtful.clear();
  if (step.full) {
    for (const auto& [key, item] : receiver.expected) kept.insert(key);
    kept.insert(step.unfinished.begin(), step.unfinished.end());
    receiver.expected.clear();
    if (step.removes_unnamed) kept.clear();
  }
  receiver.rules = std::move(rules);
  receiver.last = step;
  if (moved) receiver.expected.clear();
  replay(receiver, sight, *line, moved ? std::set<ResourceKey>{} : kept);
  // What was kept on suspicion may have been in a class that left.
  if (moved) receiver.doubtful.merge(kept);
  return std::nullopt;
}

/// `kept`: what stays as unconfirmed unless the line names it.
void Oracle::replay(Receiver& receiver, const Sight& sight, const Line& line,
                    std::set<ResourceKey> kept) const {
  const std::set<ResourceKey> before = kept;
  for (const auto* changes : line) {
    for (const Change& change : *changes) {
      if (!visible(receiver.rules, sight, change.cls)) continue;
      kept.erase(change.key);  // named: confirmed, or gone by a logged leave
      const bool untold = change.kind == ChangeKind::leave && before.contains(change.key);
      if (untold) receiver.doubtful.insert(change.key);
      if (!untold) receiver.doubtful.erase(change.key);
      apply(receiver.expected, change);
    }
  }
  receiver.unconfirmed = std::move(kept);
}

Broken Oracle::compare(Receiver& receiver, const std::vector<Held>& held) {
  const auto free = [&](const ResourceKey& key) {
    return !receiver.last->full && receiver.last->unfinished.contains(key);
  };
  std::set<ResourceKey> unconfirmed = receiver.unconfirmed;
  std::size_t found = 0;
  for (const Held& item : held) {
    if (item.unconfirmed) {
      if (receiver.doubtful.contains(*item.key)) {
        receiver.unconfirmed.insert(*item.key);
      } else if (unconfirmed.erase(*item.key) == 0 && !free(*item.key)) {
        return "P1: holds " + to_string(*item.key) + " as unconfirmed without a reason";
      }
      continue;
    }
    if (free(*item.key)) continue;
    const auto expected = receiver.expected.find(*item.key);
    if (expected == receiver.expected.end()) {
      return "P1: holds " + to_string(*item.key) + ", which the log does not have";
    }
    Item& known = expected->second;
    if (known.seen.view().data() != item.payload->view().data()) {
      if (!(known.payload == *item.payload)) {
        return "P1: holds another version of " + to_string(*item.key);
      }
      known.seen = *item.payload;
    }
    ++found;
  }
  for (const auto& [key, item] : receiver.expected) found += free(key) ? 1 : 0;
  if (found < receiver.expected.size()) {
    return "P1: lacks " + std::to_string(receiver.expected.size() - found) +
           " resources of the log";
  }
  std::erase_if(unconfirmed, free);
  if (!unconfirmed.empty()) {
    return "P5: " + std::to_string(unconfirmed.size()) +
           " resources disappeared without evidence";
  }
  return std::nullopt;
}

void Oracle::forget(const std::string& receiver, const ResourceKey& key) {
  receivers_[receiver].expected.erase(key);
  receivers_[receiver].unconfirmed.erase(key);
}

void Oracle::note_place(const std::string& receiver, Revision revision) {
  places_[receiver][revision] = receivers_[receiver];
}

void Oracle::receiver_rewound(const std::string& receiver, Revision revision) {
  auto& places = places_[receiver];
  places.erase(places.upper_bound(revision), places.end());
  receivers_[receiver] = places.empty() ? Receiver{} : places.rbegin()->second;
}

}  // namespace zonesync::oracle
