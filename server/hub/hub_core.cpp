#include "server/hub/hub_core.hpp"

#include "protocol/model/defect.hpp"
#include "server/hub/up_plan.hpp"
#include "server/hub/write_plan.hpp"

namespace zonesync::hub {
namespace {

constexpr std::size_t kLateWorkMax = 2'000;  // entries per step: a few milliseconds

CutFailure cut_failure(const Error& error) {
  if (error.code == ErrorCode::resource_exhausted) {
    return {CutFailure::Kind::hold, error, "disk_full"};
  }
  return {CutFailure::Kind::fatal, error, ""};
}

}  // namespace

// -- jobs -----------------------------------------------------------------------------------------

class HubCore::WriteJob final : public Job {
 public:
  WriteJob(HubCore& core, PreparedWrite write, WriteDone done)
      : core_(core), write_(std::move(write)), done_(std::move(done)) {}

  void plan(Group& group) override {
    if (answer_again()) return;
    auto plan = plan_write(group, write_);
    if (!plan) {
      result_ = fail(std::move(plan.error()));
      return;
    }
    WriteResult result;
    result.outcomes = std::move(plan->outcomes);
    result.revision = group.head();
    result.changed = !plan->changes.empty() && !write_.dry_run;
    if (result.changed) {
      result.revision = group.head().next();
      for (auto& outcome : result.outcomes) {
        const bool logged = outcome.action != WriteAction::unchanged &&
                            outcome.action != WriteAction::absent;
        if (logged) outcome.revision = result.revision;
      }
      if (!write_.idempotency_key.empty()) {
        core_.idempotency_.remember({write_.idempotency_key, write_.request_hash, result},
                                    plan->changes);
      }
      group.add(std::move(plan->changes));
    } else if (!write_.dry_run && !write_.idempotency_key.empty()) {
      core_.idempotency_.remember_unlogged(
          {write_.idempotency_key, write_.request_hash, result});
    }
    result_ = std::move(result);
  }

  void finish(const Status& durable) override {
    if (!durable) {
      done_(fail(durable.error()));
      return;
    }
    if (!result_) {
      ++core_.counters_.writes_refused;
    } else if (!result_->changed && !result_->replayed) {
      ++core_.counters_.writes_unchanged;
    }
    done_(std::move(result_));
  }

 private:
  /// The same key with the same ops gets the first answer; with other ops it is a conflict.
  bool answer_again() {
    if (write_.idempotency_key.empty() || write_.dry_run) return false;
    const IdempotencyRecord* known = core_.idempotency_.find(write_.idempotency_key);
    if (known == nullptr) return false;
    if (known->request_hash != write_.request_hash ||
        known->result.outcomes.size() != write_.ops.size()) {
      result_ = fail(ErrorCode::conflict,
                     "this idempotency key was used for another request; choose a new one",
                     "idempotency_key");
      return true;
    }
    WriteResult result = known->result;
    result.replayed = true;
    for (std::size_t at = 0; at < write_.ops.size(); ++at) {
      result.outcomes[at].key = write_.ops[at].change.key;
    }
    result_ = std::move(result);
    return true;
  }

  HubCore& core_;
  PreparedWrite write_;
  WriteDone done_;
  Result<WriteResult> result_ = fail(ErrorCode::internal, "not planned");
};

class HubCore::UpJob final : public Job {
 public:
  UpJob(HubCore& core, UpCommit commit, UpDone done)
      : core_(core), commit_(std::move(commit)), done_(std::move(done)) {}

  void plan(Group& group) override {
    plan_ = plan_up(group, core_.up_.of(commit_.zone), commit_);
    if (!plan_) return;
    for (auto& changes : plan_->transactions) group.add(std::move(changes));
  }

  void finish(const Status& durable) override {
    if (!durable) {
      // An approval that this cut used up is not spent by a full disk.
      if (plan_ && plan_->used_approval) core_.up_.of(commit_.zone).mass_delete_approved = true;
      done_(tl::unexpected<CutFailure>(cut_failure(durable.error())));
      return;
    }
    core_.table_.set_up(commit_.zone, core_.up_.of(commit_.zone),
                        plan_ && plan_->offers_changed);
    if (!plan_) {
      if (plan_.error().kind == CutFailure::Kind::stale) ++core_.counters_.up_stale;
      done_(tl::unexpected<CutFailure>(std::move(plan_.error())));
      return;
    }
    if (commit_.end && commit_.end->from != commit_.end->to) ++core_.counters_.up_cuts;
    core_.counters_.up_rejects += plan_->rejected;
    done_(UpResult{std::move(plan_->verdicts)});
  }

 private:
  HubCore& core_;
  UpCommit commit_;
  UpDone done_;
  tl::expected<UpPlan, CutFailure> plan_ = UpPlan{};
};

// -- core -----------------------------------------------------------------------------------------

HubCore::HubCore(Options options, ChangeLog& log, LogSource& source, ZoneTable& table,
                 std::shared_ptr<const TypeRegistry> registry, Events events)
    : options_(options),
      log_(log),
      source_(source),
      table_(table),
      events_(std::move(events)),
      queue_(options.queue),
      views_(registry),
      idempotency_(options.idempotency_keys_max),
      v1_(std::move(registry)) {}

HubCore::~HubCore() = default;

Status HubCore::load() {
  if (auto status = up_.load(log_); !status) return status;
  if (auto status = idempotency_.load(log_); !status) return status;
  if (auto status = views_.load(log_); !status) return status;
  v1_.begin(log_);
  if (auto more = v1_.load_some(log_, kLateWorkMax); !more) return fail(std::move(more.error()));
  return {};
}

Result<bool> HubCore::late_work() { return v1_.load_some(log_, kLateWorkMax); }

void HubCore::submit(PreparedWrite write, WriteDone done) {
  if (fatal_) return done(fail(*fatal_));
  CommitQueue::Entry entry;
  entry.bytes = write.bytes;
  entry.changes = write.ops.size();
  const std::string source = write.source;
  if (auto room = queue_.check(entry.bytes); !room) {
    ++counters_.queue_full;
    return done(fail(std::move(room.error())));
  }
  entry.job = std::make_unique<WriteJob>(*this, std::move(write), std::move(done));
  queue_.push(source, std::move(entry));
}

void HubCore::submit_up(UpCommit commit, UpDone done) {
  if (fatal_) return done(tl::unexpected<CutFailure>(cut_failure(*fatal_)));
  CommitQueue::Entry entry;
  entry.bytes = bytes_of(commit);
  entry.changes = commit.changes.size();
  const std::string source = source_of(commit.zone);
  // A cut that began may finish, bounded by its session's credit: to refuse its fifth piece would
  // make the zone send everything again, for ever where it has more pieces than the queue takes.
  // What follows a refused piece is refused too, so that it takes nobody's room.
  const std::pair<SessionId, std::uint64_t> cut{commit.session, commit.cut};
  const bool first = commit.piece == 0;
  auto room = first ? queue_.check(entry.bytes) : Status{};
  if (first && !room) refused_cuts_[commit.zone] = cut;
  const auto refused = refused_cuts_.find(commit.zone);
  if (refused != refused_cuts_.end() && refused->second == cut) {
    ++counters_.queue_full;
    const Error error = room ? Error{ErrorCode::resource_exhausted,
                                     "an earlier piece of the cut was refused; retry later", ""}
                             : room.error();
    return done(tl::unexpected<CutFailure>(
        CutFailure{CutFailure::Kind::hold, error, "queue_full"}));
  }
  entry.job = std::make_unique<UpJob>(*this, std::move(commit), std::move(done));
  queue_.push(source, std::move(entry));
}

void HubCore::submit_job(const std::string& source, std::unique_ptr<Job> job) {
  if (fatal_) return job->finish(fail(*fatal_));
  CommitQueue::Entry entry;
  entry.job = std::move(job);
  queue_.push(source, std::move(entry));
}

void HubCore::build_group(Group& group) {
  while (!queue_.empty()) {
    const auto& next = queue_.front();
    const bool fits = group.changes() + next.changes <= options_.group_max_changes &&
                      group.bytes() + next.bytes <= options_.group_max_bytes;
    if (!group_jobs_.empty() && !fits) break;
    auto entry = queue_.pop();
    entry.job->plan(group);
    group_jobs_.push_back(std::move(entry.job));
  }
}

void HubCore::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (!in_flight_ && !fatal_ && !queue_.empty()) {
    Group group(log_, source_.head());
    build_group(group);
    if (group.empty()) {
      appended({}, std::nullopt);
      continue;
    }
    counters_.changes += group.changes();
    in_flight_ = true;
    Segment segment = group.take();
    Segment published = segment;  // the log keeps the other one
    if (ZONESYNC_DEFECT(61)) {
      for (auto& job : std::exchange(group_jobs_, {})) job->finish({});
    }
    log_.append(std::move(segment),
                [this, published = std::move(published)](const Status& status) {
                  in_flight_ = false;
                  if (ZONESYNC_DEFECT(63) && !status) return;
                  appended(status, published);
                  pump();
                });
  }
  pumping_ = false;
  counters_.queue_requests = queue_.requests();
  counters_.queue_bytes = queue_.bytes();
}

void HubCore::appended(const Status& status, const std::optional<Segment>& segment) {
  if (status && segment) {
    views_.apply(*segment);  // before anyone can read what it brings (VIEW-05)
    source_.on_appended(*segment);
    v1_.on_segment(*segment);
    ++counters_.commits;
    counters_.transactions += segment->transactions.size();
    table_.committed(*segment, events_.now_ms ? events_.now_ms() : 0,
                     [this](const std::string& zone) { return v1_.cost_of(zone); });
  }
  const bool disk_full = !status && status.error().code == ErrorCode::resource_exhausted;
  if (disk_full) roll_back();
  auto jobs = std::move(group_jobs_);
  group_jobs_.clear();
  if (!status && !disk_full) fatal_ = status.error();  // before answering: nobody gets in again
  for (auto& job : jobs) job->finish(status);
  if (!status && !disk_full) {
    stop(status.error());
  } else if (status && segment && events_.committed) {
    events_.committed(*segment);
  }
}

/// Nothing of the group was written: forget what planning changed in memory.
void HubCore::roll_back() {
  PROBE(group_rolled_back);
  if (ZONESYNC_DEFECT(59)) return;
  if (auto status = up_.load(log_); !status) return stop(status.error());
  if (auto status = idempotency_.load(log_); !status) return stop(status.error());
  views_.forget_plans();
  for (const auto& reload : rollback_) reload();
}

void HubCore::stop(const Error& error) {
  fatal_ = error;
  while (!queue_.empty()) queue_.pop().job->finish(fail(error));
  if (events_.fatal) events_.fatal(error);
}

Status HubCore::approve_mass_delete(const std::string& zone) {
  const OriginState* state = up_.find(zone);
  if (state == nullptr || !state->hold || state->hold->hold_reason != "mass_delete") {
    return fail(ErrorCode::not_found,
                "nothing that zone '" + zone + "' publishes is held as a mass delete");
  }
  up_.of(zone).mass_delete_approved = true;
  return {};
}

}  // namespace zonesync::hub
