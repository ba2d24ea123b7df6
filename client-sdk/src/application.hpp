// The application's side of a client: one thread that delivers cuts, changes and status.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client-sdk/include/zonesync/client.hpp"
#include "client-sdk/src/cut_queue.hpp"
#include "protocol/runtime/logger.hpp"

namespace zonesync::client {

/// Life cycle: set callbacks → start → stop → destroy. A cut that the application wants again later
/// is offered again with growing pauses (0.2 s to 10 s); newer cuts wait in the queue meanwhile.
/// Thread rule: start, stop, join by the client; callbacks run on the own thread.
class Application {
 public:
  /// What the client does with answers; called on the application's thread.
  struct Hooks {
    std::function<bool()> from_cache;
    std::function<ClientStatus()> status;
    std::function<void(std::optional<std::string>)> hold;  // why it waits; none = goes on
    std::function<void(ResourceKey, Revision, Reject)> refuse;
  };
  Application(std::shared_ptr<Logger> logger, Hooks hooks);
  ~Application();

  CutCallback on_cut;
  StatusCallback on_status;
  struct Subscription {
    std::vector<std::string> types;
    ChangeCallback callback;
  };
  std::vector<Subscription> subscriptions;

  void start();
  void stop() { queue_.close(); }
  /// Not on the own thread.
  void join();
  [[nodiscard]] bool on_own_thread() const;
  [[nodiscard]] CutQueue& queue() { return queue_; }

 private:
  void run();
  void deliver(const AppliedCut& applied);
  [[nodiscard]] Cut cut_from(const AppliedCut& applied) const;
  [[nodiscard]] CutAnswer ask(const Cut& cut);
  void tell_subscribers(const Cut& cut);
  void tell_status();

  std::shared_ptr<Logger> logger_;
  Hooks hooks_;
  CutQueue queue_;
  std::thread thread_;
  std::atomic<std::thread::id> id_{};
};

}  // namespace zonesync::client
