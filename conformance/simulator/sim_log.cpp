#include "conformance/simulator/sim_log.hpp"

#include <utility>

#include "protocol/model/assert.hpp"

namespace zonesync::sim {
namespace {

MemoryChangeLogOptions log_options(Rng ids, const SimLog::Options& options) {
  MemoryChangeLogOptions result;
  result.manual_sync = !options.fsync_lies;
  result.created_complete = options.complete;
  result.aside = options.aside;
  auto source = std::make_shared<Rng>(ids);
  result.ids = [source] { return source->id(); };
  return result;
}

}  // namespace

SimLog::SimLog(Environment& env, Options options)
    : env_(env),
      options_(std::move(options)),
      rng_(env.stream("disk/" + options_.node)),
      log_(log_options(env.stream("ids/" + options_.node), options_)) {
  tell_opened();
}

void SimLog::tell_opened() {
  const LogState state = log_.state();
  const EraRecord& era = state.eras.back();
  env_.oracle.opened(state.log_id, era.id, era.start, state.complete);
}

LogState SimLog::state() const {
  LogState state = log_.state();
  if (hidden_era_) {
    std::erase_if(state.eras, [this](const EraRecord& era) { return era.id == *hidden_era_; });
  }
  return state;
}

Result<ScanPage> SimLog::scan(Position after, const ScanOptions& options) const {
  env_.probe(Probe::scan_from_disk);
  return log_.scan(after, options);
}

void SimLog::append(Segment segment, AppendDone done) {
  if (options_.fsync_lies) return append_lying(std::move(segment), std::move(done));
  Segment copy = segment;
  const auto answered = std::make_shared<bool>(false);
  log_.append(std::move(segment), [this, answered, copy, done](const Status& status) {
    *answered = true;
    if (status) durable(copy);
    // Answered after sync() returned, so that what the answer appends waits for the next one.
    if (!status) return done(status);
    answers_.push_back([done, status] { done(status); });
  });
  if (*answered) return;
  waiting_.push_back(std::move(copy));
  schedule_sync();
}

void SimLog::schedule_sync() {
  if (sync_due_) return;
  sync_due_ = true;
  const Duration delay = rng_.up_to(env_.plan.sync_delay);
  env_.scheduler.after(delay, [this, epoch = epoch_, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired() || epoch != epoch_) return;
    sync_due_ = false;
    log_.sync();
    auto answers = std::exchange(answers_, {});
    for (const auto& answer : answers) answer();
  });
}

void SimLog::append_lying(Segment segment, AppendDone done) {
  Segment copy = segment;
  log_.append(std::move(segment), [this, copy, done](const Status& status) {
    if (status) durable(copy);
    done(status);
  });
  env_.scheduler.after(env_.plan.sync_delay + std::chrono::seconds(2),
                       [this, epoch = epoch_, head = log_.state().head,
                        alive = std::weak_ptr<bool>(alive_)] {
                         if (alive.expired() || epoch != epoch_) return;
                         really_synced_ = std::max(really_synced_, head);
                       });
}

void SimLog::durable(const Segment& segment) {
  if (!waiting_.empty()) waiting_.erase(waiting_.begin());
  const Id128 log = log_.state().log_id;
  for (const Transaction& transaction : segment.transactions) {
    env_.broken(env_.oracle.committed(log, transaction.revision, transaction.changes),
                options_.node);
  }
  env_.note("durable", options_.node, segment.transactions.back().revision.value,
            segment.transactions.size());
  if (segment.transactions.size() > 1) env_.probe(Probe::hub_group_of_many);
  if (!on_durable_) return;
  for (const Transaction& transaction : segment.transactions) on_durable_(transaction);
}

Status SimLog::declare_complete() {
  auto status = log_.declare_complete();
  if (status) env_.oracle.completed(log_.state().log_id);
  return status;
}

void SimLog::crash(bool keep) {
  ++epoch_;
  sync_due_ = false;
  answers_.clear();
  if (options_.fsync_lies) {
    log_.rewind_to(really_synced_);
    return;
  }
  const auto waiting = std::exchange(waiting_, {});
  const std::size_t kept = keep && !waiting.empty() ? 1 : 0;
  log_.crash(kept);
  if (kept == 1) durable(waiting.front());
}

void SimLog::reopen() {
  if (std::exchange(fresh_, false)) return;
  log_.reopen();
  tell_opened();
  if (std::exchange(hide_next_era_, false)) hidden_era_ = log_.state().current_era();
  check();
}

void SimLog::rewind_to(Revision revision) {
  fresh_ = false;
  ++epoch_;
  sync_due_ = false;
  waiting_.clear();
  const Revision head = log_.state().head;
  answers_.clear();
  log_.rewind_to(std::min(revision, head));
  env_.oracle.rewound(log_.state().log_id, revision);
  really_synced_ = std::min(really_synced_, revision);
  hide_next_era_ = options_.no_new_era_after_rewind;
}

oracle::Content SimLog::live() const {
  oracle::Content content;
  ListFilter filter;
  filter.all_types = true;
  std::optional<ResourceKey> after;
  do {
    auto page = log_.list(filter, after, 1'000);
    ZS_ASSERT(page.has_value());
    for (const LogEntry& entry : page->entries) {
      content[entry.change.key] = oracle::Item{entry.change.cls, entry.change.payload, {}};
    }
    after = page->next;
  } while (after);
  return content;
}

void SimLog::check() const {
  env_.broken(env_.oracle.holds(log_.state().log_id, log_.state().head, live()), options_.node);
}

}  // namespace zonesync::sim
