#include "client-sdk/agent/mirror_worker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKeysMax = 50'000;  // beyond, comparing everything is not dearer
constexpr Duration kRetryFirst = 500ms;
constexpr Duration kRetryMax = 30s;
constexpr auto kCollectInterval = 5s;
constexpr Duration kQuiet = 1s;  // before a cut without changes is shown

class SnapshotContent final : public MirrorContent {
 public:
  SnapshotContent(const client::Snapshot& snapshot, const MirrorPoint& point)
      : snapshot_(snapshot), point_(point) {}
  [[nodiscard]] MirrorPoint point() const override { return point_; }
  [[nodiscard]] std::optional<Resource> get(const ResourceKey& key) const override {
    return snapshot_.get(key);
  }
  void for_each(const std::function<void(const Resource&)>& visit) const override {
    snapshot_.for_each("", visit);
  }

 private:
  const client::Snapshot& snapshot_;
  MirrorPoint point_;
};

}  // namespace

MirrorWorker::MirrorWorker(Options options, const Clock& clock, std::shared_ptr<Logger> logger,
                           std::function<void()> changed)
    : options_(std::move(options)),
      logger_(std::move(logger)),
      changed_callback_(std::move(changed)),
      mirror_(options_.mirror, clock),
      thread_([this] { run(); }) {}

MirrorWorker::~MirrorWorker() { stop(); }

void MirrorWorker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MirrorWorker::push(const client::Cut& cut) {
  {
    const std::lock_guard lock(mutex_);
    const MirrorPoint point{cut.revision, cut.era, cut.digest};
    // Nothing of this zone changed: that alone is no reason to switch at once, only to show, once
    // it is quiet, how far the mirror is good.
    const bool nothing = !cut.initial && cut.changes.empty();
    if (!nothing) {
      quiet_until_.reset();
    } else if (!waiting_) {
      quiet_until_ = std::chrono::steady_clock::now() + kQuiet;
    }
    if (!waiting_) waiting_.emplace(Work{cut.snapshot, point, false, {}});
    waiting_->snapshot = cut.snapshot;
    waiting_->point = point;
    waiting_->everything = waiting_->everything || cut.initial;
    if (!waiting_->everything) {
      for (const client::CutChange& change : cut.changes) waiting_->keys.insert(change.key);
    }
    if (waiting_->everything || waiting_->keys.size() > kKeysMax) {
      waiting_->everything = true;
      waiting_->keys.clear();
    }
  }
  changed_.notify_all();
}

MirrorStatus MirrorWorker::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void MirrorWorker::set_status(MirrorStatus status) {
  {
    const std::lock_guard lock(mutex_);
    if (status_ == status) return;
    status_ = std::move(status);
  }
  changed_callback_();
}

/// Blocks until there is work that may begin; nothing = look for old cuts, or stop.
std::optional<MirrorWorker::Work> MirrorWorker::next() {
  std::unique_lock lock(mutex_);
  const TimePoint idle_until = std::chrono::steady_clock::now() + kCollectInterval;
  for (;;) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (stopping_ || now >= idle_until) return std::nullopt;
    const TimePoint due = std::max(not_before_.value_or(now), quiet_until_.value_or(now));
    if (waiting_ && now >= due) return std::exchange(waiting_, std::nullopt);
    const TimePoint until = waiting_ ? std::min(due, idle_until) : idle_until;
    changed_.wait_until(lock, until);
  }
}

void MirrorWorker::put_back(Work work) {
  const std::lock_guard lock(mutex_);
  if (!waiting_) {
    waiting_.emplace(std::move(work));
    return;
  }
  waiting_->everything = waiting_->everything || work.everything;
  waiting_->keys.merge(work.keys);
}

void MirrorWorker::run() {
  Duration pause = kRetryFirst;
  for (;;) {
    auto work = next();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (!work) {
      mirror_.collect();
      continue;
    }
    const std::string error = mirror(*work);
    TimePoint not_before = mirror_.next_switch();
    if (error.empty()) {
      pause = kRetryFirst;
    } else {
      put_back(std::move(*work));
      not_before = std::chrono::steady_clock::now() + pause;
      pause = std::min(pause * 2, kRetryMax);
    }
    {
      const std::lock_guard lock(mutex_);
      not_before_ = not_before;
    }
    set_status({mirror_.shown(), error});
  }
}

/// The error, or empty.
std::string MirrorWorker::mirror(const Work& work) {
  const SnapshotContent content(work.snapshot, work.point);
  auto result = work.everything ? mirror_.reconcile(content) : mirror_.apply(content, work.keys);
  if (!result) {
    const std::string error = describe(result.error());
    if (status().error != error) {
      logger_->log({LogLevel::error, "agent.mirror.failed", error,
                    {{"revision", std::to_string(work.point.revision.value)}}});
    }
    return error;
  }
  if (result->switched && options_.log_cuts) {
    logger_->log({LogLevel::info, "agent.mirror.switched", "the mirror shows a new cut",
                  {{"revision", std::to_string(work.point.revision.value)},
                   {"written", std::to_string(result->files_written)}}});
  }
  return {};
}

}  // namespace zonesync::agent
