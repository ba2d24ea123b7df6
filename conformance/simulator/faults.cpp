// What the items of a plan do to the world.
#include <algorithm>
#include <utility>

#include "conformance/simulator/content.hpp"
#include "conformance/simulator/world.hpp"

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

/// The bits of an item's value, taken apart in an order that stays.
Rng draws_of(const Item& item) { return Rng(item.value).stream(to_string(item.act)); }

}  // namespace

void World::happen(const Item& item) {
  if (phase_ != "chaos") return;
  if (is_fault(item.act)) env_.note(to_string(item.act), "world", item.zone, item.value);
  env_.count(item.act);
  switch (item.act) {
    case Act::hub_write:
    case Act::hub_crash:
    case Act::hub_rewound:
    case Act::hub_reinstalled:
    case Act::hub_disk_full:
    case Act::hub_disk_error:
    case Act::hub_trim:
    case Act::mass_change: return happen_to_hub(item);
    case Act::reset:
    case Act::stall:
    case Act::half_open:
    case Act::refuse: return happen_to_network(item);
    case Act::approve: return approve_all();
    case Act::cut_interrupted: return interrupt_cut(item);
    case Act::scope_change:
    case Act::zone_disable:
    case Act::zone_pause: return operate(item);
    case Act::mode_switch: {
      const std::string& zone = zones_[item.zone % zones_.size()]->options().zone;
      env_.switch_mode(zone);
      return hub_.close_session_of(zone);
    }
    case Act::duplicate_start: return start_duplicate(item.zone);
    case Act::rogue_start: return start_rogue(item.zone, item.value % 2 == 0);
    case Act::duplicate_stop:
      for (const auto& node : duplicates_) node->crash(false, false);
      return;
    default: return happen_to_zone(item);
  }
}

// -- hub ------------------------------------------------------------------------------------------

void World::stop_hub(bool keep, bool silent) {
  hub_.crash(keep);
  for (const auto& connection : connections_) connection->process_died(Side::hub, rng_, silent);
}

void World::start_hub_later(std::uint64_t value) {
  env_.scheduler.after(std::chrono::milliseconds(value % 4'000), [this] { hub_.start(); });
}

void World::happen_to_hub(const Item& item) {
  Rng draws = draws_of(item);
  const Revision head = hub_.log().state().head;
  switch (item.act) {
    case Act::hub_write: return hub_.write(invent_write(env_, item.value));
    case Act::mass_change: return mass_change(item);
    case Act::hub_crash: return crash_hub(item);
    case Act::hub_disk_full:
      return hub_.fail_next(Error{ErrorCode::resource_exhausted, "no space left on device", ""});
    case Act::hub_disk_error:
      return hub_.fail_next(Error{ErrorCode::storage_io, "fsync failed", ""});
    case Act::hub_trim:
      for (const auto& node : zones_) {
        const auto cursor = node->replica().state().cursor;
        if (cursor && cursor->revision < head) env_.probe(Probe::hub_trimmed_past_zone);
      }
      return hub_.trim(Revision{head.value - std::min(head.value, draws.below(4))},
                       draws.chance(40));
    default: break;
  }
  stop_hub(false, draws.chance(40));
  if (item.act == Act::hub_rewound) {
    const std::uint64_t now_head = hub_.log().state().head.value;
    const std::uint64_t back = draws.chance(70) ? draws.between(1, 4) : draws.below(now_head + 1);
    const std::uint64_t floor = hub_.log().state().trim_floor.value;
    hub_.rewind_to(Revision{std::max(floor, now_head - std::min(back, now_head))});
  } else if (item.act == Act::hub_reinstalled) {
    hub_.reinstall();
  }
  start_hub_later(draws.next());
}

/// A write is under way when it happens.
void World::crash_hub(const Item& item) {
  hub_.write(invent_write(env_, item.value));
  Rng draws = draws_of(item);
  const Duration soon = draws.up_to(2 * plan_.mailbox_delay + plan_.sync_delay);
  env_.scheduler.after(soon, [this, draws]() mutable {
    if (phase_ != "chaos") return;
    stop_hub(draws.chance(40), draws.chance(40));
    start_hub_later(draws.next());
  });
}

/// Many resources arrive, reach the others, and then the disk they came from is another one: the
/// hub's goes back to before them, or a zone's is empty and soon declared complete.
void World::mass_change(const Item& item) {
  if (item.value % 2 == 0) {
    ZoneNode& node = *zones_[item.zone % zones_.size()];
    node.publish(invent_mass_publication(node.options().zone, item.value));
    env_.scheduler.after(6s, [this, &node] {
      if (phase_ != "chaos") return;
      node.crash(false, false);
      node.reinstall();
      node.start();
      node.publish_complete();
    });
    return;
  }
  const Revision before = hub_.log().state().head;
  const Id128 log = hub_.log().id();
  hub_.write(invent_mass_write(item.value));
  env_.scheduler.after(6s, [this, before, log, value = item.value] {
    if (phase_ != "chaos" || hub_.log().id() != log) return;
    stop_hub(false, false);
    hub_.rewind_to(std::max(before, hub_.log().state().trim_floor));
    start_hub_later(value);
  });
}

void World::approve_all() {
  hub_.approve_mass_deletes();
  for (const auto& node : zones_) node->approve();
}

/// What an operator decides of a zone, while it works.
void World::operate(const Item& item) {
  Rng draws = draws_of(item);
  const std::string zone = zones_[item.zone % zones_.size()]->options().zone;
  if (item.act == Act::scope_change) return hub_.set_scope(zone, invent_scope(item.value));
  if (item.act == Act::zone_disable) return hub_.set_enabled(zone, draws.chance(40));
  hub_.set_paused(zone, true);
  env_.scheduler.after(draws.up_to(10s), [this, zone] { hub_.set_paused(zone, false); });
}

// -- zones ----------------------------------------------------------------------------------------

void World::start_zone_later(ZoneNode& node, std::uint64_t value) {
  env_.scheduler.after(std::chrono::milliseconds(value % 3'000), [&node] { node.start(); });
}

void World::publish(ZoneNode& node, std::uint64_t value) {
  node.publish(invent_publication(env_, node.options().zone, value));
  if (value % 8 != 0) return;
  node.barrier([this](Id128 log, Revision head) { return hub_.watch().best(log) >= head; });
}

void World::happen_to_zone(const Item& item) {
  Rng draws = draws_of(item);
  ZoneNode& node = *zones_[item.zone % zones_.size()];
  switch (item.act) {
    case Act::zone_publish:
      if (!duplicates_.empty() && draws.chance(30)) {
        return publish(*duplicates_[draws.below(duplicates_.size())], item.value);
      }
      return publish(node, item.value);
    case Act::zone_disk_full: return node.fail_replica();
    case Act::outbox_full: return node.fail_outbox();
    case Act::outbox_complete: return node.publish_complete();
    case Act::outbox_trim: {
      const auto cursor = hub_.watch().cursor(node.options().zone);
      const bool past = cursor && cursor->cursor.revision < node.outbox_log().state().head;
      if (past) env_.probe(Probe::outbox_trimmed_past_cursor);
      return node.trim_outbox(draws.below(4));
    }
    case Act::application_hold:
      node.hold_application(true);
      env_.scheduler.after(draws.up_to(8s), [&node] { node.hold_application(false); });
      return;
    default: break;
  }
  if (item.act == Act::zone_crash) publish(node, item.value);  // under way when it happens
  node.crash(item.act == Act::zone_crash && draws.chance(40), draws.chance(40));
  if (item.act == Act::zone_reinstalled) node.reinstall();
  if (item.act == Act::zone_rewound) node.rewind(draws.below(6), draws.below(6));
  start_zone_later(node, draws.next());
}

void World::start_duplicate(std::uint32_t zone) {
  const std::string name = "zone-" + std::to_string(zone % zones_.size());
  const std::string node = name + "-dup" + std::to_string(duplicates_.size());
  duplicates_.push_back(
      std::make_unique<ZoneNode>(env_, ZoneNode::Options{node, name, name, true},
                                 [this](ZoneNode& self) { return dial(self); }));
  duplicates_.back()->start();
}

/// A credential of one zone and the name of another; or a zone that speaks another version.
void World::start_rogue(std::uint32_t zone, bool newer) {
  const std::string name = "rogue" + std::to_string(rogues_.size());
  const std::uint32_t victim = (zone + 1) % static_cast<std::uint32_t>(zones_.size());
  rogues_.push_back(std::make_unique<ZoneNode>(
      env_,
      ZoneNode::Options{name, "zone-" + std::to_string(victim),
                        "zone-" + std::to_string(newer ? victim : zone % zones_.size()), true,
                        false, newer},
      [this](ZoneNode& self) { return dial(self); }));
  rogues_.back()->start();
}

// -- network --------------------------------------------------------------------------------------

void World::happen_to_network(const Item& item) {
  Rng draws = draws_of(item);
  ZoneNode& node = *zones_[item.zone % zones_.size()];
  const Side side = draws.chance(50) ? Side::zone : Side::hub;
  if (item.act == Act::refuse) {
    return node.refuse_until(env_.scheduler.now() + draws.up_to(6s));
  }
  const auto& connection = node.connection();
  if (!connection || connection->ended()) return;
  if (item.act == Act::reset) return connection->reset(draws, draws.up_to(3s));
  if (item.act == Act::stall) return connection->stall(side, draws.up_to(20s));
  connection->half_open(side);
}

}  // namespace zonesync::sim
