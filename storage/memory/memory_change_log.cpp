#include "storage/memory/memory_change_log.hpp"

#include <utility>

#include "protocol/model/assert.hpp"

namespace zonesync {

MemoryChangeLog::MemoryChangeLog(MemoryChangeLogOptions options)
    : options_(std::move(options)),
      table_(options_.ids(), options_.created_complete, options_.aside) {
  reopen();
}

Revision MemoryChangeLog::pending_head() const {
  return pending_.empty() ? table_.state().head
                          : pending_.back().segment.transactions.back().revision;
}

Status MemoryChangeLog::write(Segment segment) {
  auto plan = table_.plan(std::move(segment));
  if (!plan) return fail(std::move(plan.error()));
  table_.apply(std::move(*plan));
  return {};
}

void MemoryChangeLog::append(Segment segment, AppendDone done) {
  if (stopped_) {
    done(fail(ErrorCode::storage_io, "the log stopped after an error; reopen it"));
    return;
  }
  if (failure_) {
    stopped_ = failure_->code == ErrorCode::storage_io ||
               failure_->code == ErrorCode::storage_corrupt;
    done(fail(*std::exchange(failure_, std::nullopt)));
    return;
  }
  if (!options_.manual_sync) {
    done(write(std::move(segment)));
    return;
  }
  if (Status status = log_rules::check_segment(segment, pending_head()); !status) {
    done(std::move(status));
    return;
  }
  pending_.push_back(Pending{std::move(segment), std::move(done)});
}

void MemoryChangeLog::sync() {
  while (!pending_.empty()) {
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    Status status = write(std::move(next.segment));
    ZS_ASSERT(status.has_value());  // checked when it was appended
    next.done(std::move(status));
  }
}

Status MemoryChangeLog::declare_complete() {
  if (stopped_) return fail(ErrorCode::storage_io, "the log stopped after an error; reopen it");
  table_.set_complete();
  return {};
}

Result<TrimProgress> MemoryChangeLog::trim(const TrimRequest& request) {
  if (stopped_) return fail(ErrorCode::storage_io, "the log stopped after an error; reopen it");
  return table_.trim(request);
}

void MemoryChangeLog::crash(std::size_t kept) {
  for (std::size_t i = 0; i < kept && i < pending_.size(); ++i) {
    const Status status = write(std::move(pending_[i].segment));
    ZS_ASSERT(status.has_value());
  }
  pending_.clear();
  stopped_ = true;
}

void MemoryChangeLog::reopen() {
  ZS_ASSERT(pending_.empty());
  stopped_ = false;
  failure_.reset();
  table_.add_era(EraRecord{EraId{options_.ids()}, table_.state().head});
}

void MemoryChangeLog::rewind_to(Revision revision) {
  crash();
  table_.rewind_to(revision);
}

}  // namespace zonesync
