// When a run is over, and whether everything is then as it must be.
#include "conformance/simulator/world.hpp"

namespace zonesync::sim {

std::optional<std::string> World::unsettled() const {
  if (!hub_.idle()) return "the hub is not idle";
  if (hub_.unanswered() > 0) return "a write was not answered";
  for (const auto& node : zones_) {
    if (auto missing = unsettled(*node)) return node->options().node + ": " + *missing;
  }
  return std::nullopt;
}

std::optional<std::string> World::unsettled(ZoneNode& node) const {
  auto& hub = const_cast<HubNode&>(hub_);
  const auto status = node.status();
  if (!status) return "is down";
  if (node.unanswered() > 0) return "a publication was not answered";
  if (!status->held.empty()) return "holds " + status->held;
  if (!status->peer_held.empty()) return "is held by the hub: " + status->peer_held;
  if (status->state != ZoneState::synced) return "is not synced";
  if (!status->cursor || status->cursor->revision != hub.log().state().head) {
    return "is not at the hub's head";
  }
  const auto up = hub.watch().cursor(node.options().zone);
  const LogState outbox = node.outbox_log().state();
  if (!up || up->log_id != outbox.log_id || up->cursor.revision != outbox.head) {
    return "its log is not at the hub";
  }
  if (status->outbox_acked != outbox.head) return "does not know that its log is at the hub";
  if (node.replica().state().unconfirmed > 0) return "keeps unconfirmed resources";
  if (hub.watch().unconfirmed(node.options().zone) > 0) return "the hub keeps unconfirmed of it";
  const auto row = hub.status(node.options().zone);
  if (!row || !row->connected) return "the hub does not know that it is connected";
  if (row->acked != hub.log().state().head) return "the hub does not know how far it is";
  if (row->converged != hub::Convergence::yes) return "the hub does not know that it converged";
  return std::nullopt;
}

void World::audit() {
  phase_ = "audit";
  hub_.log().check();
  for (const auto& node : zones_) audit_zone(*node);
  check_rogues();
}

void World::audit_zone(ZoneNode& node) {
  const std::string& zone = node.options().zone;
  node.outbox_log().check();
  node.check_application();
  oracle::Content held;
  node.replica().snapshot()->for_each([&](const ReplicaEntry& entry) {
    held[entry.change.key] = oracle::Item{entry.change.cls, entry.change.payload, {}};
  });
  if (!oracle::same(held, env_.oracle.visible_now(hub_.log().id(), {true, zone}))) {
    env_.broken("P1: in the end the replica is not the hub's log in its view", zone);
  }
  auto mine = env_.oracle.visible_now(node.outbox_log().id(), {false, zone});
  auto stored = hub_.watch().live(zone);
  const std::size_t refused = std::erase_if(mine, [&](const auto& item) {
    const bool is_refused = env_.refused.contains(item.second.payload.view());
    if (is_refused) stored.erase(item.first);  // an older version may be accepted
    return is_refused;
  });
  if (!oracle::same(stored, mine)) {
    env_.broken("P1: in the end the hub does not hold what the zone published", zone);
  }
  Digest digest;
  for (const auto& [cls, part] : hub_.log().digests().digests) {
    if (env_.oracle.visible_now(hub_.log().id(), {true, zone}, cls)) digest += part;
  }
  if (digest != node.replica().state().digest) {
    env_.broken("P9: in the end the digests differ", zone);
  }
  const auto row = hub_.status(zone);
  const std::uint64_t rejects = node.replica().state().rejects + refused;
  if (row->rejects_total != rejects) {
    env_.broken("P4: the hub shows " + std::to_string(row->rejects_total) + " rejects, there are " +
                    std::to_string(rejects),
                zone);
  }
  if (node.refused() != refused) {
    env_.broken("P4: the zone knows of " + std::to_string(node.refused()) + " refused of its " +
                    std::to_string(refused),
                zone);
  }
}

/// A credential of one zone never gets what belongs to another.
void World::check_rogues() {
  for (const auto& node : rogues_) {
    if (node->replica().state().cursor) {
      env_.broken("P7: content for a Hello that its credential does not prove",
                  node->options().node);
    }
  }
}

}  // namespace zonesync::sim
