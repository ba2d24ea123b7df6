// Listeners and waits of the running hub.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "protocol/core/time.hpp"
#include "server/hub/hub_api.hpp"

namespace zonesync {

/// Thread rule: any thread; a listener must not listen or unlisten.
class EventHub {
 public:
  using AckedOf = std::function<std::optional<Revision>(const std::string& zone)>;

  hub::ListenerId listen(hub::Listener listener);
  void unlisten(hub::ListenerId id);
  void notify(const hub::HubEvent& event);

  /// Answered by `check`, on its caller's thread.
  void wait(std::vector<std::string> zones, Revision revision, TimePoint deadline,
            hub::WaitDone done);
  /// Ends the waits that are fulfilled or whose time is over.
  void check(const AckedOf& acked_of, TimePoint now);
  /// Ends every wait as if its time were over.
  void end_waits(const AckedOf& acked_of);

 private:
  struct Wait {
    std::vector<std::string> zones;
    Revision revision;
    TimePoint deadline;
    hub::WaitDone done;
  };

  std::shared_mutex listeners_mutex_;
  std::map<hub::ListenerId, hub::Listener> listeners_;
  hub::ListenerId next_id_ = 1;
  std::mutex waits_mutex_;
  std::vector<Wait> waits_;
};

}  // namespace zonesync
