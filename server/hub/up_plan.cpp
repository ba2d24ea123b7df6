#include "server/hub/up_plan.hpp"

#include <algorithm>
#include <set>

#include "protocol/model/defect.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::hub {
namespace {

using Kind = CutFailure::Kind;

tl::unexpected<CutFailure> failure(Kind kind, ErrorCode code, std::string text,
                                   std::string hold = {}) {
  return tl::unexpected<CutFailure>(
      CutFailure{kind, Error{code, std::move(text), ""}, std::move(hold)});
}

using Step = tl::expected<void, CutFailure>;
using Live = std::optional<LatestEntry>;

/// One plan in the making; works on copies, so that a failure leaves no trace.
class Planner {
 public:
  Planner(const Group& group, const OriginState& state, const UpCommit& commit)
      : group_(group),
        commit_(commit),
        offered_(state.offered),
        live_(state.live),
        state_(state) {}

  Step apply_changes();
  Step finish_full();
  Step finish_lists();
  Step finish_repair();
  Step guard(const std::vector<LatestEntry>& going, std::uint64_t before);
  void keep_unconfirmed(const LatestEntry& entry);
  Step check_digest() const;
  void move_cursor();
  void mark_unfinished();
  UpPlan take(OriginState& state);

 private:
  tl::expected<Live, CutFailure> live(const ResourceKey& key) const;
  [[nodiscard]] const OfferRecord* offer(const ResourceKey& key) const;
  void remove_offered(const ResourceKey& key, const Live& live);
  void set_offer(OfferRecord record);
  void drop_offer(const ResourceKey& key);
  void withdraw(const ResourceKey& key);
  void reject(const UpChange& change, const Live& live, Reject why);
  void upsert(const UpChange& change, const Live& live);
  void leave(const ResourceKey& key, const Live& live);
  [[nodiscard]] std::uint64_t open_rejects() const {
    return state_.offers.size() - state_.unconfirmed;
  }
  void log(Change change) { entries_.push_back(std::move(change)); }
  [[nodiscard]] std::optional<Reject> judge(const UpChange& change, const Live& live) const;

  const Group& group_;
  const UpCommit& commit_;
  std::map<Class, Digest> offered_;
  std::uint64_t live_;
  const OriginState& state_;
  std::map<ResourceKey, std::optional<OfferRecord>> offers_;  // delta; nothing = dropped
  std::optional<UpCursorRecord> cursor_;
  std::vector<Change> entries_;
  UpPlan plan_;
};

tl::expected<Live, CutFailure> Planner::live(const ResourceKey& key) const {
  if (key.origin != commit_.zone) return Live{};  // not this zone's: never looked at
  auto entry = group_.live(key);
  if (!entry) {
    return tl::unexpected<CutFailure>(CutFailure{Kind::fatal, std::move(entry.error()), ""});
  }
  return std::move(*entry);
}

const OfferRecord* Planner::offer(const ResourceKey& key) const {
  const auto changed = offers_.find(key);
  if (changed != offers_.end()) return changed->second ? &*changed->second : nullptr;
  const auto known = state_.offers.find(key);
  return known == state_.offers.end() ? nullptr : &known->second;
}

/// Takes what the zone offered so far for `key` out of the digest.
void Planner::remove_offered(const ResourceKey& key, const Live& live) {
  if (const OfferRecord* record = offer(key)) {
    if (!record->unconfirmed) offered_[record->cls].remove(fingerprint(key), record->hash);
  } else if (live) {
    offered_[live->cls].remove(fingerprint(key), live->hash);
  }
}

void Planner::set_offer(OfferRecord record) {
  log(encode(record));
  const ResourceKey key = record.key;
  offers_[key] = std::move(record);
}

void Planner::drop_offer(const ResourceKey& key) {
  if (offer(key) == nullptr) return;
  log(system_leave(offer_key(commit_.zone, key)));
  offers_[key] = std::nullopt;
}

/// Drops the offer of a resource that goes. FLOW-26: its reject is withdrawn in so many words,
/// since an absence does not tell the zone.
void Planner::withdraw(const ResourceKey& key) {
  const OfferRecord* known = offer(key);
  if (known != nullptr && !known->unconfirmed) {
    plan_.verdicts.push_back(Verdict{key, known->revision, true, {}});
  }
  drop_offer(key);
}

std::optional<Reject> Planner::judge(const UpChange& change, const Live& live) const {
  if (change.reject) return change.reject;
  if (const Status stored = group_.admits(change.staged.change.key.type); !stored) {
    return Reject{"encryption", "", stored.error().message, true};
  }
  if (!live && live_ >= limits::kResourcesPerZoneMax) {
    return Reject{"limit", "",
                  "a zone may publish " + std::to_string(limits::kResourcesPerZoneMax) +
                      " resources; remove some or raise the limit",
                  true};
  }
  return std::nullopt;
}

void Planner::reject(const UpChange& change, const Live& live, Reject why) {
  const StagedChange& staged = change.staged;
  const ResourceKey& key = staged.change.key;
  ++plan_.rejected;
  const OfferRecord* known = offer(key);
  const bool same = known != nullptr && !known->unconfirmed && known->hash == staged.change.hash &&
                    known->revision == staged.revision && known->reject == why;
  plan_.verdicts.push_back(Verdict{key, staged.revision, false, why});
  if (same) return;
  remove_offered(key, live);
  offered_[staged.change.cls].add(fingerprint(key), staged.change.hash);
  set_offer(OfferRecord{commit_.zone, key, false, staged.change.cls, staged.change.hash,
                        staged.revision, std::move(why), commit_.now_ms});
}

void Planner::upsert(const UpChange& change, const Live& live) {
  const Change& next = change.staged.change;
  const OfferRecord* known = offer(next.key);
  // Whatever was refused: it may be of another log, and its revision one of this log (FLOW-24).
  const bool withdrawn = known != nullptr && !known->unconfirmed;
  if (withdrawn && (known->hash == next.hash || !ZONESYNC_DEFECT(71))) {
    plan_.verdicts.push_back(Verdict{next.key, change.staged.revision, true, {}});
  }
  remove_offered(next.key, live);
  offered_[next.cls].add(fingerprint(next.key), next.hash);
  drop_offer(next.key);
  if (live && live->hash == next.hash && live->cls == next.cls) return;
  if (live && live->cls != next.cls) log(wire::make_leave(live->cls, next.key));
  if (!live) ++live_;
  log(next);
  ++plan_.changes;
}

void Planner::leave(const ResourceKey& key, const Live& live) {
  remove_offered(key, live);
  if (!ZONESYNC_DEFECT(56)) withdraw(key);
  if (!live) return;
  log(wire::make_leave(live->cls, key));
  --live_;
  ++plan_.changes;
}

Step Planner::apply_changes() {
  for (const UpChange& change : commit_.changes) {
    if (open_rejects() + plan_.rejected > kOffersPerZoneMax) {
      return failure(Kind::hold, ErrorCode::held,
                     "zone '" + commit_.zone + "' has over " + std::to_string(kOffersPerZoneMax) +
                         " rejected resources; correct or remove them", "rejects_full");
    }
    auto now = live(change.staged.change.key);
    if (!now) return tl::unexpected<CutFailure>(std::move(now.error()));
    if (change.staged.change.kind == ChangeKind::leave) {
      leave(change.staged.change.key, *now);
    } else if (auto why = judge(change, *now)) {
      reject(change, *now, std::move(*why));
      if (ZONESYNC_DEFECT(57)) return {};
    } else {
      upsert(change, *now);
    }
  }
  return {};
}

/// A full answer from a complete log removes what it did not name, under the guard; one from a
/// partial log keeps it as unconfirmed (protocol.md §4.9).
Step Planner::finish_full() {
  const bool complete = commit_.end->complete || ZONESYNC_DEFECT(54);
  const NamedKeys& named = *commit_.named;
  auto all = group_.live_of(commit_.zone);
  if (!all) {
    return tl::unexpected<CutFailure>(CutFailure{Kind::fatal, std::move(all.error()), ""});
  }
  // What this very piece removes by a logged leave is judged already: once is enough.
  std::set<ResourceKey> left;
  for (const UpChange& change : commit_.changes) {
    if (change.staged.change.kind == ChangeKind::leave) left.insert(change.staged.change.key);
  }
  std::vector<LatestEntry> unnamed;
  for (auto& entry : *all) {
    if (commit_.view->admits(entry.cls) && !named.contains(fingerprint(entry.key)) &&
        !left.contains(entry.key)) {
      unnamed.push_back(std::move(entry));
    }
  }
  for (const auto& [key, record] : state_.offers) {
    if (named.contains(fingerprint(key)) || offer(key) == nullptr) continue;
    if (record.unconfirmed) continue;  // live: handled below
    auto now = live(key);
    if (!now) return tl::unexpected<CutFailure>(std::move(now.error()));
    if (*now && !complete) continue;   // becomes unconfirmed below
    remove_offered(key, *now);
    withdraw(key);
    // The accepted version is not offered either; put it back for the loop below to remove.
    if (*now) offered_[(*now)->cls].add(fingerprint(key), (*now)->hash);
  }
  if (!complete) {
    for (const auto& entry : unnamed) keep_unconfirmed(entry);
    return {};
  }
  if (auto allowed = guard(unnamed, all->size()); !allowed) return allowed;
  for (const auto& entry : unnamed) leave(entry.key, entry);
  return {};
}

/// A log that is not complete says nothing by an absence: the entry stays, outside the digest.
void Planner::keep_unconfirmed(const LatestEntry& entry) {
  if (const OfferRecord* known = offer(entry.key); known && known->unconfirmed) return;
  PROBE(up_kept_unconfirmed);
  if (!ZONESYNC_DEFECT(302)) remove_offered(entry.key, entry);
  OfferRecord record;
  record.zone = commit_.zone;
  record.key = entry.key;
  record.unconfirmed = true;
  record.at_ms = commit_.now_ms;
  set_offer(std::move(record));
}

/// The mass-delete guard: nothing that removes most of an origin passes without a person.
Step Planner::guard(const std::vector<LatestEntry>& going, std::uint64_t before) {
  const std::uint64_t removals = going.size();
  if (removals > limits::kMassDeleteMinKeys &&
      removals * 100 > before * limits::kMassDeletePercent) {
    if (!state_.mass_delete_approved && !ZONESYNC_DEFECT(55)) {
      // The digest is judged first: a wrong answer is not worth an operator's approval.
      for (const auto& entry : going) remove_offered(entry.key, entry);
      if (auto digest = check_digest(); !digest) return digest;
      return failure(Kind::hold, ErrorCode::held,
                     "a full answer or repair of zone '" + commit_.zone + "' would remove " +
                         std::to_string(removals) + " of " + std::to_string(before) +
                         " resources; approve it or repair the zone",
                     "mass_delete");
    }
    plan_.used_approval = true;
  }
  return {};
}

/// What the zone said it does not have goes, or stays unconfirmed; everything else that is live is
/// what the zone has (REP-06).
Step Planner::finish_repair() {
  const bool complete = commit_.end->complete;
  const NamedKeys& removed = *commit_.removed;
  for (const auto& [key, record] : state_.offers) {
    const OfferRecord* known = offer(key);
    const bool gone = removed.contains(fingerprint(key));
    if (known == nullptr || known->unconfirmed == gone) continue;
    auto now = live(key);
    if (!now) return tl::unexpected<CutFailure>(std::move(now.error()));
    if (gone && *now && !complete) continue;  // becomes unconfirmed below
    if (*now && !commit_.view->admits((*now)->cls)) continue;  // nobody compared it
    remove_offered(key, *now);  // of a reject; an unconfirmed one is in no digest
    withdraw(key);
    if (*now) offered_[(*now)->cls].add(fingerprint(key), (*now)->hash);
  }
  if (removed.empty()) return {};
  auto all = group_.live_of(commit_.zone);
  if (!all) {
    return tl::unexpected<CutFailure>(CutFailure{Kind::fatal, std::move(all.error()), ""});
  }
  std::set<ResourceKey> left;
  for (const UpChange& change : commit_.changes) {
    if (change.staged.change.kind == ChangeKind::leave) left.insert(change.staged.change.key);
  }
  std::vector<LatestEntry> going;
  for (auto& entry : *all) {
    if (commit_.view->admits(entry.cls) && removed.contains(fingerprint(entry.key)) &&
        !left.contains(entry.key)) {
      going.push_back(std::move(entry));
    }
  }
  if (!complete) {
    for (const auto& entry : going) keep_unconfirmed(entry);
    return {};
  }
  if (auto allowed = guard(going, all->size()); !allowed) return allowed;
  for (const auto& entry : going) leave(entry.key, entry);
  return {};
}

/// V1-02: what the lists do not name leaves, as if the zone's log had said so; what was never in
/// that log (unconfirmed) stays. The digest tells at once when nothing does.
Step Planner::finish_lists() {
  if (check_digest()) return {};
  const NamedKeys& named = *commit_.named;
  const auto unnamed = [&](const ResourceKey& key) {
    if (!commit_.listed.contains(key.type) || named.contains(fingerprint(key))) return false;
    const OfferRecord* known = offer(key);
    return known == nullptr || !known->unconfirmed;
  };
  auto all = group_.live_of(commit_.zone);
  if (!all) {
    return tl::unexpected<CutFailure>(CutFailure{Kind::fatal, std::move(all.error()), ""});
  }
  for (const auto& entry : *all) {
    if (commit_.view->admits(entry.cls) && unnamed(entry.key)) leave(entry.key, entry);
  }
  for (const auto& [key, record] : state_.offers) {  // rejected, and nothing of it live
    if (offer(key) != nullptr && unnamed(key)) leave(key, std::nullopt);
  }
  return {};
}

Step Planner::check_digest() const {
  if (!commit_.end->digest) return {};
  const Digest here = offered_digest(offered_, *commit_.view);
  if (here == *commit_.end->digest) return {};
  return failure(Kind::digest_mismatch, ErrorCode::conflict,
                 "content would differ from the zone's: " + to_string(here) + " here, " +
                     to_string(*commit_.end->digest) + " there");
}

void Planner::move_cursor() {
  UpCursorRecord next{commit_.zone, commit_.log_id, commit_.end->to};
  if (state_.cursor == next) return;
  log(encode(next));
  cursor_ = std::move(next);
}

/// FLOW-19: with a piece of a cut the content is no longer that of the cursor, and the zone may
/// never send the rest: its log may go back, or the piece be of a full answer.
void Planner::mark_unfinished() {
  if (entries_.empty() || !state_.cursor || state_.cursor->unfinished) return;
  if (ZONESYNC_DEFECT(72)) return;
  cursor_ = *state_.cursor;
  cursor_->unfinished = true;
  log(encode(*cursor_));
}

UpPlan Planner::take(OriginState& state) {
  for (std::size_t at = 0; at < entries_.size();) {
    // A class move is two neighbours of one key: never split them.
    std::size_t end = std::min(entries_.size(), at + limits::kTransactionMaxChanges);
    while (end < entries_.size() && entries_[end].key == entries_[end - 1].key) ++end;
    const auto begin = entries_.begin();
    plan_.transactions.emplace_back(
        std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(at)),
        std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(end)));
    at = end;
  }
  plan_.offers_changed = !offers_.empty();
  state.offered = std::move(offered_);
  std::erase_if(state.offered, [](const auto& item) { return item.second == Digest{}; });
  state.live = live_;
  for (auto& [key, record] : offers_) {
    if (const auto old = state.offers.find(key); old != state.offers.end()) {
      if (old->second.unconfirmed) --state.unconfirmed;
      state.offers.erase(old);
    }
    if (!record) continue;
    if (record->unconfirmed) ++state.unconfirmed;
    state.offers.emplace(key, std::move(*record));
  }
  if (cursor_) state.cursor = std::move(cursor_);
  if (plan_.used_approval) state.mass_delete_approved = false;
  if (commit_.end) state.hold.reset();
  return std::move(plan_);
}

Step check_fence(const OriginState& state, const UpCommit& commit) {
  const bool fenced = !state.fence || state.fence->generation != commit.generation;
  if (fenced) PROBE(cut_fenced);
  if (fenced && !ZONESYNC_DEFECT(51)) {
    return failure(Kind::stale, ErrorCode::conflict,
                   "another instance of zone '" + commit.zone + "' took over");
  }
  // The same process may have connected again.
  if (!ZONESYNC_DEFECT(51) && state.fence->session != commit.session) {
    return failure(Kind::stale, ErrorCode::precondition_failed,
                   "a newer session of zone '" + commit.zone + "' took over");
  }
  const bool next_piece =
      commit.piece == 0 || (state.open_cut == commit.cut && state.pieces == commit.piece);
  if (!next_piece) PROBE(piece_refused_after_gap);
  if (!next_piece && !ZONESYNC_DEFECT(53)) {
    return failure(Kind::hold, ErrorCode::resource_exhausted,
                   "an earlier piece of the cut could not be stored", "queue_full");
  }
  if (!commit.end || !commit.end->from) return {};
  const bool same = state.cursor && state.cursor->cursor == *commit.end->from &&
                    state.cursor->log_id == commit.log_id;
  if (same || ZONESYNC_DEFECT(51) || ZONESYNC_DEFECT(52)) return {};
  return failure(Kind::stale, ErrorCode::precondition_failed,
                 "the cut does not start where the hub's cursor for zone '" + commit.zone +
                     "' stands");
}

}  // namespace

tl::expected<UpPlan, CutFailure> plan_up(const Group& group, OriginState& state,
                                         const UpCommit& commit) {
  if (auto fence = check_fence(state, commit); !fence) {
    return tl::unexpected<CutFailure>(std::move(fence.error()));
  }
  Planner planner(group, state, commit);
  Step step = planner.apply_changes();
  if (step && commit.end) {
    if (commit.named) step = commit.listed.empty() ? planner.finish_full() : planner.finish_lists();
    if (commit.removed) step = planner.finish_repair();
    if (step) step = planner.check_digest();
    if (step) planner.move_cursor();
  }
  if (step && !commit.end) planner.mark_unfinished();
  if (!step) {
    if (step.error().hold_reason == "mass_delete") state.hold = step.error();
    return tl::unexpected<CutFailure>(std::move(step.error()));
  }
  state.open_cut = commit.cut;
  state.pieces = commit.piece + 1;
  return planner.take(state);
}

}  // namespace zonesync::hub
