// The hub's core and zones' cores, connected: what they say is carried over and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conformance/parity/history.hpp"

namespace zonesync::conform::parity {

/// What something cost. Bytes and messages are websocket payloads, both ways, as the sessions
/// encoded them; CPU time is this thread's inside the cores, without TLS and disks.
struct Cost {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  std::uint64_t hub_cpu_ns = 0;
  std::uint64_t apply_ns = 0;   // zones: from a message's arrival until it is durable and acked

  Cost& operator+=(const Cost& other);
  Cost operator-(const Cost& other) const;
};

/// One hub and its zones in one mode, in virtual time.
/// Life cycle: construct, join zones, write and publish, settle after each. Thread rule: one
/// thread. Everything throws Failed.
class Exchange {
 public:
  Exchange(Mode mode, std::uint64_t seed, std::shared_ptr<const TypeRegistry> types);

  /// A zone connects; what `published` holds is in its outbox by then.
  void join(const std::string& zone, const State& published = {});
  /// The hub trims what nobody needs any more, as a hub in service does all the time.
  void trim();
  /// A state at once, in transactions as large as the hub takes.
  void load(const State& state);
  void play(const Step& step);
  /// Carries over until nobody has anything to say.
  void settle();

  [[nodiscard]] const Cost& cost() const { return cost_; }
  /// What the application of a zone sees.
  [[nodiscard]] State zone_state(const std::string& zone);
  [[nodiscard]] State hub_state();

 private:
  struct Member {
    std::string name;
    std::shared_ptr<ZoneSubject> zone;
    std::unique_ptr<Link> at_hub;
    std::unique_ptr<Link> at_zone;
  };
  Member& member(const std::string& zone);
  bool carry(Member& each);
  void publish(ZoneSubject& zone, const State& state);

  Mode mode_;
  std::uint64_t seed_;
  std::shared_ptr<const TypeRegistry> types_;
  std::shared_ptr<HubSubject> hub_;
  std::vector<Member> members_;
  Cost cost_;
};

}  // namespace zonesync::conform::parity
