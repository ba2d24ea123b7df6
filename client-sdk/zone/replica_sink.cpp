#include "client-sdk/zone/replica_sink.hpp"

#include <utility>

#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {
namespace {

CutFailure hold(std::string reason, ErrorCode code, std::string text) {
  return CutFailure{CutFailure::Kind::hold, Error{code, std::move(text), {}}, std::move(reason)};
}

CutFailure failure_of(const Error& error) {
  if (error.code == ErrorCode::resource_exhausted) {
    return hold("disk_full", error.code, error.message);
  }
  return CutFailure{CutFailure::Kind::fatal, error, {}};
}

/// FLOW-17: whose word it takes. Shown by the zone, and by the hub that it holds against.
std::string mass_delete_text(std::size_t removed, const ReplicaSnapshot& before) {
  return "what the hub sent would remove " + std::to_string(removed) + " of the " +
         std::to_string(before.size()) +
         " resources that this zone holds; look, then approve it where the zone runs: "
         "`zonesync-agent approve --store DIR`, or approve_mass_delete() of its SDK client";
}

/// STG-08: what was staged cannot be read back. Damaged, it is asked for anew.
CutFailure failure_of_stage(const Error& error) {
  if (error.code != ErrorCode::storage_corrupt) return failure_of(error);
  return CutFailure{CutFailure::Kind::digest_mismatch, error, {}};
}

/// The application's words as the wire takes them: its mistake in a code must not end the session.
Reject presentable(Reject reject) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::erase_if(reject.code, control);
  if (reject.code.empty()) reject.code = "rejected";
  if (reject.text.size() > limits::kRejectTextMaxBytes) {
    reject.text.resize(limits::kRejectTextMaxBytes);
  }
  return reject;
}

bool is_upsert(const StagedChange& staged) { return staged.change.kind == ChangeKind::upsert; }

}  // namespace

ReplicaSink::ReplicaSink(ReplicaStore& store, Options options)
    : store_(store),
      options_(std::move(options)),
      staging_(options_.staging, store_.state().cursor) {}

void ReplicaSink::set_validator(std::string type, ResourceValidator validator) {
  validators_[std::move(type)] = std::move(validator);
}

void ReplicaSink::set_on_applied(std::function<void(AppliedCut)> callback) {
  on_applied_ = std::move(callback);
}

AppliedCut ReplicaSink::initial_cut() const {
  AppliedCut cut;
  cut.snapshot = store_.snapshot();
  cut.cursor = cut.snapshot->cursor();
  cut.digest = store_.state().digest;
  cut.initial = true;
  cut.snapshot->for_each([&](const ReplicaEntry& entry) {
    if (entry.active().empty()) return;
    const Revision revision = entry.reject ? entry.accepted_revision : entry.revision;
    cut.changes.push_back(
        AppliedChange{entry.change.key, entry.active(), revision, rank_of(entry.change.key.type)});
  });
  order_changes(cut.changes);
  return cut;
}

Result<Verdict> ReplicaSink::refuse(const ResourceKey& key, Revision revision, Reject reject) {
  reject = presentable(std::move(reject));
  if (auto status = store_.set_verdict(key, revision, reject); !status) return fail(status.error());
  return Verdict{key, revision, false, std::move(reject)};
}

std::pair<std::uint64_t, Digest> ReplicaSink::open_rejects() const {
  std::pair<std::uint64_t, Digest> open;
  if (store_.state().rejects == 0) return open;
  store_.snapshot()->for_each([&](const ReplicaEntry& entry) {
    if (!entry.reject) return;
    ++open.first;
    open.second.add(fingerprint(entry.change.key), entry.change.hash);
  });
  return open;
}

std::vector<Verdict> ReplicaSink::open_verdicts() const {
  std::vector<Verdict> open;
  if (store_.state().rejects == 0 || ZONESYNC_DEFECT(39)) return open;
  store_.snapshot()->for_each([&](const ReplicaEntry& entry) {
    if (entry.reject) {
      open.push_back(Verdict{entry.change.key, entry.revision, false, *entry.reject});
    }
  });
  return open;
}

// -- CutSink --------------------------------------------------------------------------------------

void ReplicaSink::begin(const wire::Intent& intent) {
  if (!ZONESYNC_DEFECT(38)) {
    staging_.begin(intent);
    forget_cut();
  }
  replacing_ = intent.reason == wire::IntentReason::full;
  const bool follows = intent.reason == wire::IntentReason::none ||
                       intent.reason == wire::IntentReason::changes;
  // What was held is not on offer any more: its approval must not wait for another (FLOW-17).
  if (follows) mass_delete_held_ = mass_delete_approved_ = false;
  switch (intent.reason) {
    case wire::IntentReason::none: ++counters_.intents_none; break;
    case wire::IntentReason::changes: ++counters_.intents_changes; break;
    case wire::IntentReason::repair: ++counters_.intents_repair; break;
    case wire::IntentReason::full: ++counters_.intents_full; break;
  }
}

Status ReplicaSink::list(const std::string& type) {
  if (carries_ && !carries_(type)) {
    return fail(ErrorCode::protocol, "a list of " + type + ", which does not travel to zones",
                "V1-04");
  }
  staging_.erase_type(type);
  lists_.open(type, store_.snapshot());
  return {};
}

/// V1-02: what the lists do not name leaves, as if the log had said so.
void ReplicaSink::stage_leaves(const CutEnd& end) {
  if (is_full(end) || ZONESYNC_DEFECT(80)) return;
  lists_.for_each_left([&](const ReplicaEntry& entry) {
    staging_.put({end.to.revision, wire::make_leave(entry.change.cls, entry.change.key)});
  });
}

Status ReplicaSink::stage(StagedChange change) {
  if (lists_.name(change.revision, change.change) && !replacing_) return {};
  if (is_outlived(change)) return {};
  Status status = staging_.add(std::move(change));
  if (!status && status.error().code == ErrorCode::resource_exhausted) keep_staged();
  return status;
}

SharedBytes ReplicaSink::held(const ResourceKey& key, const Hash128& hash) const {
  const auto& items = staging_.items();
  if (const auto staged = items.find(key); staged != items.end()) {
    const Change& change = staged->second.change;
    if (change.hash == hash) return change.payload;
  }
  const auto snapshot = store_.snapshot();
  const ReplicaEntry* entry = snapshot->find(key);
  return entry != nullptr && entry->change.hash == hash ? entry->change.payload : SharedBytes();
}

void ReplicaSink::commit(const CutEnd& end, CommitToken token, CommitDone done) {
  const auto refuse = [&](CutFailure failure) {
    if (failure.kind == CutFailure::Kind::hold) {
      keep_staged();
    } else {
      drop_staged();
    }
    done(token, tl::unexpected(std::move(failure)));
  };
  const auto before = store_.snapshot();
  stage_leaves(end);
  const Repaired found = repaired(end, *before);
  const Digest digest = digest_after(end, *before, found);
  if (auto failure = refuse_cut(end, digest)) return refuse(std::move(*failure));
  confirmed_ = true;
  const bool nothing = staging_.items().empty() && dropped_.empty();
  if (end.from == end.to && nothing) return done(token, CutResult{end.to, {}});
  if (const std::size_t removed = mass_delete(end, *before, found); removed > 0) {
    if (!mass_delete_approved_ && !ZONESYNC_DEFECT(37)) {
      mass_delete_held_ = true;
      return refuse(hold("mass_delete", ErrorCode::held, mass_delete_text(removed, *before)));
    }
  }
  if (auto status = staging_.load(); !status) {
    return refuse(failure_of_stage(status.error()));
  }
  Plan planned = plan(end, *before, found);
  if (auto status = store_.commit(std::move(planned.batch)); !status) {
    if (!ZONESYNC_DEFECT(33)) return refuse(failure_of(status.error()));
    drop_staged();
    return done(token, CutResult{end.to, {}});
  }
  if (!end.from) mass_delete_held_ = mass_delete_approved_ = false;
  replacing_ = false;
  ++counters_.cuts;
  AppliedCut cut = difference(end, *before, found);
  staging_.next(end.to);
  forget_cut();
  done(token, CutResult{end.to, std::move(planned.verdicts)});
  if (on_applied_) on_applied_(std::move(cut));
}

// -- steps of a commit ----------------------------------------------------------------------------

std::optional<CutFailure> ReplicaSink::refuse_cut(const CutEnd& end, const Digest& digest) {
  if (end.from && end.from != store_.state().cursor) {
    return CutFailure{CutFailure::Kind::digest_mismatch,
                      Error{ErrorCode::protocol, "the cut does not continue our cursor", {}},
                      {}};
  }
  if (end.digest && *end.digest != digest) {
    return CutFailure{CutFailure::Kind::digest_mismatch,
                      Error{ErrorCode::protocol,
                            "digest after the cut would be " + to_string(digest) +
                                ", the hub says " + to_string(*end.digest),
                            {}},
                      {}};
  }
  if (application_hold_ && end.from != end.to) {
    return hold("application", ErrorCode::held, *application_hold_);
  }
  return std::nullopt;
}

Digest ReplicaSink::digest_after(const CutEnd& end, const ReplicaSnapshot& before,
                                 const Repaired& found) const {
  Digest digest = is_full(end) ? Digest{} : store_.state().digest;
  for (const auto& [key, staged] : staging_.items()) {
    const Id128 print = fingerprint(key);
    const ReplicaEntry* old = is_full(end) ? nullptr : before.find(key);
    if (old != nullptr && !old->unconfirmed) digest.remove(print, old->change.hash);
    if (is_upsert(staged)) digest.add(print, staged.change.hash);
  }
  if (is_full(end)) return digest;
  for_each_dropped(before, [&](const ReplicaEntry& old) {
    if (!old.unconfirmed) digest.remove(fingerprint(old.change.key), old.change.hash);
  });
  for (const ReplicaEntry* entry : found.gone) {
    if (!entry->unconfirmed) digest.remove(fingerprint(entry->change.key), entry->change.hash);
  }
  for (const ReplicaEntry* entry : found.confirmed) {
    digest.add(fingerprint(entry->change.key), entry->change.hash);
  }
  return digest;
}

std::size_t ReplicaSink::mass_delete(const CutEnd& end, const ReplicaSnapshot& before,
                                     const Repaired& found) const {
  if (end.from || !end.complete) return 0;
  std::size_t kept = 0;
  for (const auto& [key, staged] : staging_.items()) {
    if (is_upsert(staged) && before.find(key) != nullptr) ++kept;
  }
  const std::size_t removed = is_repair(end) ? found.gone.size() : before.size() - kept;
  const bool guarded = removed > limits::kMassDeleteMinKeys &&
                       removed * 100 > before.size() * limits::kMassDeletePercent;
  return guarded ? removed : 0;
}

ReplicaSink::Plan ReplicaSink::plan(const CutEnd& end, const ReplicaSnapshot& before,
                                    const Repaired& found) const {
  Plan planned;
  ReplicaBatch& batch = planned.batch;
  batch.cursor = end.to;
  batch.source_log = end.log_id;
  batch.replace_all = is_full(end) && (end.complete || ZONESYNC_DEFECT(36));
  batch.mark_unmentioned_unconfirmed = is_full(end) && !batch.replace_all;
  batch.upserts.reserve(staging_.items().size());  // growing takes three times as much
  for (const auto& [key, staged] : staging_.items()) {
    const ReplicaEntry* old = before.find(key);
    if (!is_upsert(staged)) {
      if (old == nullptr) continue;
      batch.removes.push_back(key);
      // The leave may have passed the reject on its way: withdrawn in so many words.
      if (old->reject) {
        PROBE(reject_withdrawn_by_leave);
        planned.verdicts.push_back(Verdict{key, staged.revision, true, {}});
      }
      continue;
    }
    std::optional<Reject> reject = verdict_on(end, staged, old);
    if (ZONESYNC_DEFECT(34) && reject) batch.upserts.clear();
    if (ZONESYNC_DEFECT(35) && reject) continue;
    if (old != nullptr && old->change.cls != staged.change.cls) PROBE(class_moved_in_cut);
    if (reject) {
      planned.verdicts.push_back(Verdict{key, staged.revision, false, *reject});
    } else if (old != nullptr && old->reject) {
      planned.verdicts.push_back(Verdict{key, staged.revision, true, {}});
    }
    batch.upserts.push_back(ReplicaUpsert{staged.revision, staged.change, std::move(reject)});
  }
  if (!is_full(end)) {
    for_each_dropped(before, [&](const ReplicaEntry& old) {
      batch.removes.push_back(old.change.key);
      if (old.reject && !ZONESYNC_DEFECT(309)) {
        planned.verdicts.push_back(Verdict{old.change.key, old.revision, true, {}});
      }
    });
  }
  plan_repair(end, found, planned);
  // No log entry tells the sender that these are gone.
  if (batch.replace_all && !ZONESYNC_DEFECT(41)) {
    before.for_each([&](const ReplicaEntry& old) {
      if (!old.reject || staging_.items().contains(old.change.key)) return;
      PROBE(reject_gone_with_full);
      planned.verdicts.push_back(Verdict{old.change.key, old.revision, true, {}});
    });
  }
  return planned;
}

std::optional<Reject> ReplicaSink::validate(const Change& change) const {
  const auto found = validators_.find(change.key.type);
  if (found == validators_.end()) return std::nullopt;
  const auto resource = wire::resource_of(change.payload);
  if (!resource) return Reject{"malformed", resource.error().field, resource.error().message};
  std::optional<Reject> reject;
  try {
    reject = found->second(*resource);
  } catch (const std::exception& exception) {
    reject = Reject{"validator_failed", {}, exception.what(), true};
  } catch (...) {
    reject = Reject{"validator_failed", {}, "the validator threw no std::exception", true};
  }
  if (reject) reject = presentable(std::move(*reject));
  return reject;
}

/// What the application sees differently: compares accepted versions before and after.
AppliedCut ReplicaSink::difference(const CutEnd& end, const ReplicaSnapshot& before,
                                   const Repaired& found) const {
  AppliedCut cut;
  cut.snapshot = store_.snapshot();
  cut.cursor = end.to;
  cut.digest = store_.state().digest;
  cut.changes.reserve(staging_.items().size());
  const auto compare = [&](const ResourceKey& key) {
    const ReplicaEntry* old = before.find(key);
    const ReplicaEntry* now = cut.snapshot->find(key);
    const SharedBytes old_bytes = old != nullptr ? old->active() : SharedBytes();
    const SharedBytes new_bytes = now != nullptr ? now->active() : SharedBytes();
    if (old_bytes == new_bytes) return;
    Revision revision = end.to.revision;
    if (now != nullptr) revision = now->reject ? now->accepted_revision : now->revision;
    cut.changes.push_back(AppliedChange{key, new_bytes, revision, rank_of(key.type)});
  };
  for (const auto& [key, staged] : staging_.items()) compare(key);
  if (!is_full(end)) {
    for_each_dropped(before, [&](const ReplicaEntry& old) { compare(old.change.key); });
  }
  for (const ReplicaEntry* entry : found.gone) {
    if (!ZONESYNC_DEFECT(304)) compare(entry->change.key);
  }
  if (is_full(end) && end.complete) {
    before.for_each([&](const ReplicaEntry& entry) {
      if (!staging_.items().contains(entry.change.key)) compare(entry.change.key);
    });
  }
  order_changes(cut.changes);
  return cut;
}

int ReplicaSink::rank_of(const std::string& type) const {
  return options_.rank ? options_.rank(type) : 0;
}

void ReplicaSink::drop_staged() {
  staging_.drop();
  forget_cut();
}

void ReplicaSink::keep_staged() {
  staging_.keep();
  forget_cut();
}

void ReplicaSink::forget_cut() {
  dropped_.clear();
  lists_.clear();
  removed_.clear();
}

}  // namespace zonesync
