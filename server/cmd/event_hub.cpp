#include "server/cmd/event_hub.hpp"

#include <utility>

namespace zonesync {

hub::ListenerId EventHub::listen(hub::Listener listener) {
  const std::unique_lock lock(listeners_mutex_);
  listeners_.emplace(next_id_, std::move(listener));
  return next_id_++;
}

void EventHub::unlisten(hub::ListenerId id) {
  const std::unique_lock lock(listeners_mutex_);
  listeners_.erase(id);
}

void EventHub::notify(const hub::HubEvent& event) {
  const std::shared_lock lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener(event);
}

void EventHub::wait(std::vector<std::string> zones, Revision revision, TimePoint deadline,
                    hub::WaitDone done) {
  const std::lock_guard lock(waits_mutex_);
  waits_.push_back({std::move(zones), revision, deadline, std::move(done)});
}

void EventHub::check(const AckedOf& acked_of, TimePoint now) {
  std::vector<std::pair<hub::WaitDone, hub::WaitResult>> ended;
  {
    const std::lock_guard lock(waits_mutex_);
    std::erase_if(waits_, [&](Wait& wait) {
      hub::WaitResult result;
      for (const auto& zone : wait.zones) {
        const auto acked = acked_of(zone);
        auto& list = acked && *acked >= wait.revision ? result.reached_zones
                                                      : result.missing_zones;
        list.push_back(zone);
      }
      result.reached = result.missing_zones.empty();
      if (!result.reached && now < wait.deadline) return false;
      ended.emplace_back(std::move(wait.done), std::move(result));
      return true;
    });
  }
  for (auto& [done, result] : ended) done(std::move(result));
}

void EventHub::end_waits(const AckedOf& acked_of) { check(acked_of, TimePoint::max()); }

}  // namespace zonesync
