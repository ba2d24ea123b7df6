// A zone that comes back to much that it missed, and is cut off in the middle of it: what it staged
// must be of use only where it is still true (docs/protocol.md STG-*).
#include "conformance/simulator/content.hpp"
#include "conformance/simulator/world.hpp"

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAway = 3s;         // longer than a write takes on the slowest disk
constexpr std::uint64_t kMissed = 4;   // transactions

}  // namespace

void World::interrupt_cut(const Item& item) {
  Rng draws = Rng(item.value).stream(to_string(item.act));
  ZoneNode& node = *zones_[item.zone % zones_.size()];
  node.refuse_until(env_.scheduler.now() + kAway);
  const auto& connection = node.connection();
  if (connection && !connection->ended()) connection->reset(draws, {});
  for (std::uint64_t i = 0; i < kMissed; ++i) hub_.write(invent_write(env_, draws.next()));
  node.on_staged(draws.between(1, 4), [this, &node, draws] {
    if (phase_ == "chaos" && node.up()) change_meanwhile(node, draws);
  });
}

/// Before it is back: nothing; what it may see; what the log remembers; what its disk remembers.
void World::change_meanwhile(ZoneNode& node, Rng draws) {
  const auto& connection = node.connection();
  if (!connection || connection->ended()) return;
  env_.probe(Probe::cut_interrupted);
  env_.note("cut interrupted", node.options().node);
  connection->reset(draws, {});
  node.refuse_until(env_.scheduler.now() + kAway);
  switch (draws.below(5)) {
    case 0: return hub_.set_scope(node.options().zone, invent_scope(draws.next()));
    case 1:
      for (std::uint64_t i = 0; i < kMissed; ++i) hub_.write(invent_write(env_, draws.next()));
      env_.scheduler.after(kAway - 500ms, [this, tombstones = draws.chance(60)] {
        if (phase_ == "chaos") hub_.trim(hub_.log().state().head, tombstones);
      });
      return;
    case 2:
      node.crash(false, draws.chance(40));
      node.rewind(draws.below(5), 0);
      return start_zone_later(node, draws.next());
    case 3:
      node.crash(false, draws.chance(40));
      return start_zone_later(node, draws.next());
    default: return;
  }
}

}  // namespace zonesync::sim
