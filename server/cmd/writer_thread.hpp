// The thread that owns HubCore and ZoneRegistry: a mailbox of closures, run in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace zonesync {

/// Runs posted work in order; after every batch `after_batch` runs (HubCore::pump), so that what
/// arrived together is committed together. What is posted is bounded by its senders: writes by
/// HubProcess, pieces of up cuts by UpSink, admissions by the number of connections.
///
/// Life cycle: start once, stop once (runs what was posted before, drops what comes later).
/// Thread rule: post from any thread; start and stop from the owner's.
class WriterThread {
 public:
  using Work = std::function<void()>;

  ~WriterThread() { stop(); }

  void start(Work after_batch);
  /// False when stopped: the work was dropped.
  bool post(Work work);
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> mailbox_;
  bool stopping_ = false;
  Work after_batch_;
  std::thread thread_;
};

}  // namespace zonesync
