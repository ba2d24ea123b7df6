#include "conformance/simulator/sim_replica.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/assert.hpp"

namespace zonesync::sim {
namespace {

std::unique_ptr<MemoryReplica> empty_replica() {
  return std::make_unique<MemoryReplica>(MemoryReplicaOptions{.durable = true});
}

bool plan_has(const Plan& plan, Act act) {
  return std::any_of(plan.items.begin(), plan.items.end(),
                     [act](const Item& item) { return item.act == act; });
}

}  // namespace

SimReplica::SimReplica(Environment& env, std::string receiver, std::string zone, bool durable)
    : env_(env),
      receiver_(std::move(receiver)),
      sight_{true, std::move(zone)},
      keeps_places_(plan_has(env.plan, Act::zone_rewound) ||
                    plan_has(env.plan, Act::cut_interrupted)),
      remembers_(keeps_places_ || env.has(Defect::replica_acks_early)),
      is_durable_(durable),
      replica_(empty_replica()) {}

Status SimReplica::commit(ReplicaBatch batch) {
  const std::uint64_t before = replica_->state().entries;
  const auto from = replica_->state().cursor;
  if (from && from->view != batch.cursor.view) env_.probe(Probe::down_view_moved);
  std::optional<ReplicaBatch> wrong;
  if (env_.defect != Defect::none) put_in_defects(wrong.emplace(batch));
  if (auto status = replica_->commit(wrong ? *wrong : batch); !status) return status;
  ++commits_;
  if (remembers_) journal_.push_back(wrong ? std::move(*wrong) : batch);
  judge(batch, before);
  return {};
}

void SimReplica::put_in_defects(ReplicaBatch& batch) {
  if (env_.has(Defect::replica_drops_leave)) batch.removes.clear();
  if (env_.has(Defect::replica_half_cut) && batch.upserts.size() > 2) {
    batch.upserts.resize(batch.upserts.size() / 2);
  }
  if (env_.has(Defect::replica_partial_removes) && batch.mark_unmentioned_unconfirmed) {
    batch.mark_unmentioned_unconfirmed = false;
    batch.replace_all = true;
  }
  const auto before = replica_->state().cursor;
  if (env_.has(Defect::replica_old_cursor) && before && batch.upserts.size() > 1) {
    batch.cursor = *before;
  }
}

/// The oracle hears what the sink asked for and sees what the store made of it.
void SimReplica::judge(const ReplicaBatch& batch, std::uint64_t before) {
  oracle::Step step;
  step.log = batch.source_log;
  step.cursor = replica_->state().cursor.value();
  const bool repair = batch.repair != ReplicaBatch::Repair::none;
  step.full = batch.replace_all || batch.mark_unmentioned_unconfirmed || repair;
  step.removes_unnamed = batch.replace_all || batch.repair == ReplicaBatch::Repair::complete;
  const auto snapshot = replica_->snapshot();
  std::vector<oracle::Held> held;
  held.reserve(snapshot->size());
  snapshot->for_each([&](const ReplicaEntry& entry) {
    held.push_back({&entry.change.key, &entry.change.payload, entry.unconfirmed});
  });
  if (batch.removes.size() + batch.upserts.size() > 1) env_.probe(Probe::down_cut_of_many);
  if (batch.mark_unmentioned_unconfirmed) env_.probe(Probe::down_full_partial);
  if (batch.replace_all && commits_ > 1) env_.probe(Probe::down_full_removed);
  if (replica_->state().unconfirmed > 0) env_.probe(Probe::down_unconfirmed_left);
  env_.reached[sight_.zone].emplace(step.cursor.era, step.cursor.revision);
  take_accepted(batch);
  const bool empty = batch.upserts.empty() && batch.removes.empty() && !step.full;
  if (!empty) check_accepted(*snapshot);
  env_.note("applied", receiver_, step.cursor.revision.value, held.size());
  env_.broken(env_.oracle.applied(receiver_, sight_, step, held), receiver_);
  judge_guard(batch, before);
  if (keeps_places_) env_.oracle.note_place(receiver_, Revision{journal_.size()});
}

/// What must be refused, and which version the application must see: the last that was not poison.
void SimReplica::take_accepted(const ReplicaBatch& batch) {
  if (batch.replace_all) {
    std::set<ResourceKey> named;
    for (const ReplicaUpsert& upsert : batch.upserts) named.insert(upsert.change.key);
    std::erase_if(known_, [&](const auto& item) { return !named.contains(item.first); });
  }
  for (const ResourceKey& key : batch.removes) known_.erase(key);
  for (const ReplicaUpsert& upsert : batch.upserts) {
    const SharedBytes& payload = upsert.change.payload;
    Known& known = known_[upsert.change.key];
    known.poison = env_.poison.contains(payload.view());
    if (!known.poison) known.accepted = payload;
  }
}

void SimReplica::check_accepted(const ReplicaSnapshot& snapshot) const {
  snapshot.for_each([&](const ReplicaEntry& entry) {
    const auto known = known_.find(entry.change.key);
    if (known == known_.end()) return;  // the oracle says what is wrong with it
    const auto& [poison, accepted] = known->second;
    if (poison) env_.probe(accepted.empty() ? Probe::poison_refused : Probe::poison_keeps_accepted);
    if (poison != entry.reject.has_value()) {
      env_.broken("P4: the verdict is wrong for " + to_string(entry.change.key), receiver_);
    } else if (!(entry.active() == accepted)) {
      env_.broken("P4: another version than the last accepted one is active of " +
                      to_string(entry.change.key),
                  receiver_);
    }
  });
}

/// Nothing over 100 resources and half of them goes in one replacement without a person.
void SimReplica::judge_guard(const ReplicaBatch& batch, std::uint64_t before) {
  if (!batch.replace_all && batch.repair != ReplicaBatch::Repair::complete) return;
  const std::uint64_t now = replica_->state().entries;
  const bool mass = before > now + 100 && (before - now) * 2 > before;
  if (mass && !mass_delete_allowed_) {
    env_.broken("P5: " + std::to_string(before - now) + " resources went without approval",
                receiver_);
  }
  if (mass) mass_delete_allowed_ = false;
}

void SimReplica::crash() {
  if (env_.has(Defect::replica_acks_early) && !journal_.empty()) rewind(1);
}

void SimReplica::rewind(std::size_t steps) {
  journal_.resize(journal_.size() - std::min(steps, journal_.size()));
  replica_ = empty_replica();
  known_.clear();
  for (const ReplicaBatch& batch : journal_) {
    ZS_ASSERT(replica_->commit(batch).has_value());
    take_accepted(batch);
  }
  // A disk that loses what was acked is a bug; one that is put back on purpose is told.
  if (!env_.has(Defect::replica_acks_early)) {
    env_.oracle.receiver_rewound(receiver_, Revision{journal_.size()});
  }
}

}  // namespace zonesync::sim
