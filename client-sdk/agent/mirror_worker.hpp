// The thread that keeps the mirror up with the store.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "client-sdk/agent/mirror.hpp"
#include "client-sdk/include/zonesync/cut.hpp"
#include "protocol/runtime/logger.hpp"

namespace zonesync::agent {

struct MirrorStatus {
  std::optional<Revision> revision;  // what `current` shows
  std::string error;                 // why it is not further; empty = none
  friend bool operator==(const MirrorStatus&, const MirrorStatus&) = default;
};

/// Takes cuts and mirrors the newest; those in between are merged. A write error is shown, and
/// tried again with growing pauses. Life cycle: the constructor starts the thread, stop() or the
/// destructor ends it without waiting for cuts that are not mirrored. Thread rule: any thread.
class MirrorWorker {
 public:
  struct Options {
    MirrorOptions mirror;
    bool log_cuts = false;
  };
  /// `changed` runs on the worker's thread when status() changed.
  MirrorWorker(Options options, const Clock& clock, std::shared_ptr<Logger> logger,
               std::function<void()> changed);
  ~MirrorWorker();

  void push(const client::Cut& cut);
  [[nodiscard]] MirrorStatus status() const;
  void stop();

 private:
  struct Work {
    client::Snapshot snapshot;
    MirrorPoint point;
    bool everything = false;  // `keys` does not name all that may differ
    std::set<ResourceKey> keys;
  };

  void run();
  [[nodiscard]] std::optional<Work> next();
  void put_back(Work work);
  [[nodiscard]] std::string mirror(const Work& work);
  void set_status(MirrorStatus status);

  const Options options_;
  std::shared_ptr<Logger> logger_;
  const std::function<void()> changed_callback_;
  Mirror mirror_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Work> waiting_;
  std::optional<TimePoint> quiet_until_;  // what waits changes nothing but the revision
  std::optional<TimePoint> not_before_;
  MirrorStatus status_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace zonesync::agent
