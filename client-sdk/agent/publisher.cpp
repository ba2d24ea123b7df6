#include "client-sdk/agent/publisher.hpp"

#include <algorithm>
#include <utility>

#include "client-sdk/agent/file_io.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::agent {
namespace {

constexpr std::size_t kBatchSteps = 500;
constexpr std::size_t kBatchBytes = limits::kUpPieceMaxBytes / 2;

/// Whether the same step may succeed later.
bool is_passing(ErrorCode code) {
  switch (code) {
    case ErrorCode::storage_io:
    case ErrorCode::storage_corrupt:
    case ErrorCode::resource_exhausted:
    case ErrorCode::unavailable:
    case ErrorCode::timeout:
    case ErrorCode::canceled:
    case ErrorCode::held:
    case ErrorCode::internal: return true;
    default: return false;
  }
}

std::size_t bytes_of(const PublishStep& step) {
  return step.resource ? step.resource->spec.size() + step.resource->status.size() + 512 : 512;
}

}  // namespace

bool operator==(const PublisherStatus& a, const PublisherStatus& b) {
  return a.documents == b.documents && a.totals.published == b.totals.published &&
         a.totals.unchanged == b.totals.unchanged && a.totals.removed == b.totals.removed &&
         a.refused == b.refused && a.refused_count == b.refused_count &&
         a.rejected == b.rejected && a.held == b.held && a.error == b.error;
}

Publisher::Publisher(Options options, PublishMemory memory, PublishPort& port,
                     std::shared_ptr<Logger> logger)
    : options_(std::move(options)),
      memory_(std::move(memory)),
      directory_(options_.zone, memory_),
      port_(port),
      logger_(std::move(logger)) {
  if (memory_.moved_aside().empty()) return;
  logger_->log({LogLevel::warn, "agent.publish.state_reset",
                "the record of what was published did not read; it begins anew and nothing is "
                "removed because of that", {{"moved_to", memory_.moved_aside()}}});
}

void Publisher::scan(bool release) {
  failed_ = false;
  registry_ = port_.registry();
  const Id128 fingerprint = registry_->fingerprint();
  if (fingerprint != registry_fingerprint_) directory_.reconsider();
  registry_fingerprint_ = fingerprint;
  const PublishScan seen = scan_publish_directory(options_.dir);
  const auto read = [this](const std::string& path) {
    return read_file_within(options_.dir, path, limits::kFileMaxBytes);
  };
  const bool used = directory_.observe(seen, *registry_, read, release);
  if (release) {
    logger_->log({LogLevel::info, used ? "agent.publish.released" : "agent.publish.nothing_held",
                  used ? "an operator let the held removals go ahead"
                       : "a release was given, but no mass removal is held"});
  }
  error_ = seen.problem;
  log_changes();
}

void Publisher::work(TimePoint now) {
  while (!failed_) {
    if (port_.acked() >= unacked_revision_) {
      unacked_.clear();
      waiting_since_.reset();
    }
    std::vector<PublishStep> round = ready(directory_.next_round(), now);
    if (round.empty()) break;
    std::vector<PublishStep> batch;
    std::size_t bytes = 0;
    for (PublishStep& step : round) {
      const std::size_t more = bytes_of(step);
      if (!batch.empty() && (batch.size() >= kBatchSteps || bytes + more > kBatchBytes)) {
        if (!publish(batch)) break;
        batch.clear();
        bytes = 0;
      }
      bytes += more;
      batch.push_back(std::move(step));
    }
    if (!failed_ && !batch.empty()) publish(batch);
  }
  flush();
  log_changes();
}

/// Steps that need not wait for the hub. A key's next version waits until the hub has the one
/// before, so that its history shows both; not for ever, because a hub may be away for long.
std::vector<PublishStep> Publisher::ready(std::vector<PublishStep> round, TimePoint now) {
  const auto waits = [this](const PublishStep& step) { return unacked_.contains(step.key); };
  if (std::none_of(round.begin(), round.end(), waits)) {
    waiting_since_.reset();
    return round;
  }
  if (!waiting_since_) waiting_since_ = now;
  if (now - *waiting_since_ >= options_.patience) {
    waiting_since_.reset();
    unacked_.clear();
    return round;
  }
  std::erase_if(round, waits);
  return round;
}

/// True when the next batch may follow.
bool Publisher::publish(const std::vector<PublishStep>& steps) {
  auto result = port_.publish(steps);
  if (result) {
    published(steps, *result);
    return flush();
  }
  if (is_passing(result.error().code)) {
    error_ = describe(result.error());
    failed_ = true;
    return false;
  }
  // Somebody in the batch is refused: find out who.
  for (const PublishStep& step : steps) {
    if (!failed_) publish_one(step);
  }
  return flush();
}

void Publisher::publish_one(const PublishStep& step) {
  auto result = port_.publish({step});
  if (result) {
    published({step}, *result);
  } else if (is_passing(result.error().code)) {
    error_ = describe(result.error());
    failed_ = true;
  } else {
    directory_.refuse(step, result.error().message);
  }
}

void Publisher::published(const std::vector<PublishStep>& steps,
                          const PublishPort::Published& result) {
  std::size_t unchanged = result.unchanged;
  for (const PublishStep& step : steps) {
    // Which of a batch were unchanged is not known; the totals are right.
    const bool same = step.resource && unchanged != 0;
    if (same) --unchanged;
    directory_.done(step, same);
    unacked_.insert(step.key);
    if (step.resource) continue;
    logger_->log({LogLevel::info, "agent.publish.removed",
                  "absent from the publish directory in two scans",
                  {{"key", to_string(step.key)}}});
  }
  unacked_revision_ = std::max(unacked_revision_, result.revision);
}

bool Publisher::flush() {
  auto status = memory_.flush();
  if (status) return !failed_;
  error_ = describe(status.error());
  failed_ = true;
  return false;
}

void Publisher::log_changes() {
  const PublishHold& held = directory_.held();
  if (held != logged_hold_ && held.reason != "second_scan") {
    logged_hold_ = held;
    if (!held.reason.empty()) {
      logger_->log({LogLevel::warn, "agent.publish.held",
                    "documents are absent, but nothing is removed",
                    {{"reason", held.reason}, {"count", std::to_string(held.count)}}});
    }
  }
  std::set<std::string> now;
  std::size_t shown = 0;
  for (const PublishRefusal& refusal : directory_.refused()) {
    if (++shown > kRefusalsShownMax) break;
    const std::string place = refusal.file + ':' + std::to_string(refusal.line);
    now.insert(place + refusal.key + refusal.reason);
    if (logged_refusals_.contains(place + refusal.key + refusal.reason)) continue;
    logger_->log({LogLevel::warn, "agent.publish.refused", refusal.reason,
                  {{"place", place}, {"key", refusal.key}}});
  }
  logged_refusals_ = std::move(now);
}

PublisherStatus Publisher::status() const {
  PublisherStatus status;
  status.documents = directory_.documents();
  status.totals = memory_.totals();
  status.refused = directory_.refused();
  status.refused_count = status.refused.size();
  if (status.refused.size() > kRefusalsShownMax) status.refused.resize(kRefusalsShownMax);
  for (const Verdict& verdict : port_.rejects()) {
    if (status.rejected.size() == kRefusalsShownMax) break;
    const auto place = directory_.place_of(verdict.key);
    status.rejected.push_back({place ? place->first : std::string(), place ? place->second : 0,
                               to_string(verdict.key), verdict.reject.text});
  }
  status.held = directory_.held();
  status.error = error_;
  return status;
}

}  // namespace zonesync::agent
