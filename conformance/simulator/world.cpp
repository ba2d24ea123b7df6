#include "conformance/simulator/world.hpp"

#include <algorithm>
#include <utility>

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLivenessMax = 600s;
constexpr Duration kIdle = 12s;              // long enough for an idle Mark with its digest
constexpr std::uint64_t kEventsMax = 400'000;

}  // namespace

World::World(const Plan& plan, const RunOptions& how)
    : plan_(plan),
      env_(plan_, how),
      rng_(env_.stream("world")),
      hub_(env_) {
  hub_.on_fatal([this] {
    stop_hub(false, false);
    start_hub_later(rng_.next());
  });
  for (std::uint32_t zone = 0; zone < plan_.zones; ++zone) add_zone(zone);
}

World::~World() {
  env_.scheduler.clear();
  for (auto* nodes : {&zones_, &duplicates_, &rogues_}) {
    for (const auto& node : *nodes) node->crash(false, true);
  }
  stop_hub(false, true);
}

void World::add_zone(std::uint32_t number) {
  const std::string name = "zone-" + std::to_string(number);
  zones_.push_back(std::make_unique<ZoneNode>(
      env_,
      ZoneNode::Options{name, name, name, plan_.zone_durable[number], plan_.zone_older[number]},
      [this](ZoneNode& node) { return dial(node); }));
}

std::shared_ptr<Connection> World::dial(ZoneNode& node) {
  if (!hub_.up()) return nullptr;
  std::erase_if(connections_, [](const auto& connection) { return connection->ended(); });
  auto connection = std::make_shared<Connection>(env_, node.options().node, dialled_++);
  hub_.accept(connection, node.options().identity, env_.mode_of(node.options().zone));
  connections_.push_back(connection);
  return connection;
}

void World::run_until(TimePoint until) {
  while (!env_.violation && env_.scheduler.step(until)) {
    if (env_.scheduler.events() > kEventsMax) {
      env_.broken("liveness: more events than any run needs: something spins", "world");
    }
  }
}

Outcome World::run() {
  const TimePoint begin = env_.scheduler.now();
  hub_.start();
  for (const auto& zone : zones_) start_zone_later(*zone, rng_.next());
  for (const Item& item : plan_.items) {
    env_.scheduler.at(begin + item.at, [this, item] { happen(item); });
  }
  run_until(begin + plan_.chaos);
  if (!env_.violation) heal();
  if (!env_.violation) live();
  if (!env_.violation) audit();
  return outcome();
}

/// Faults off, everything runs, every log is declared complete.
void World::heal() {
  phase_ = "heal";
  env_.note("heal", "world");
  for (const auto& node : duplicates_) node->crash(false, false);
  for (const auto& node : rogues_) node->crash(false, false);
  if (!hub_.up()) hub_.start();
  for (const auto& node : zones_) {
    node->refuse_until({});
    node->start();
    node->hold_application(false);
  }
  settle();
}

/// What an operator does when things do not come back by themselves.
void World::settle() {
  if (!hub_.up()) return;
  hub_.declare_complete();
  for (const auto& node : zones_) {
    const auto row = hub_.status(node->options().zone);
    if (row && row->paused) hub_.set_paused(node->options().zone, false);
    const auto status = node->status();
    if (status && (status->state == ZoneState::superseded || status->state == ZoneState::closed)) {
      node->crash(false, false);
    }
    node->start();
    node->publish_complete();
  }
  approve_all();
}

void World::live() {
  phase_ = "liveness";
  const TimePoint deadline = env_.scheduler.now() + kLivenessMax;
  std::optional<std::string> missing = "never looked";
  while (missing && env_.scheduler.now() < deadline && !env_.violation) {
    run_until(env_.scheduler.now() + 1s);
    settle();
    missing = unsettled();
    if (missing) continue;
    run_until(env_.scheduler.now() + kIdle);  // and it stays so
    missing = unsettled();
  }
  if (missing && !env_.violation) env_.broken("liveness: " + *missing, "world");
}

Outcome World::outcome() const {
  Outcome result;
  result.seed = plan_.seed;
  result.mode = env_.first_mode;
  result.violation = env_.violation;
  result.phase = phase_;
  result.hash = env_.hash;
  result.events = env_.scheduler.events();
  result.deliveries = env_.deliveries;
  result.zones = plan_.zones;
  result.faults = env_.faults;
  result.probes = env_.probes;
  result.trace.assign(env_.trace.begin(), env_.trace.end());
  if (!env_.violation) return result;
  result.states.push_back(hub_.describe());
  for (const auto* nodes : {&zones_, &duplicates_, &rogues_}) {
    for (const auto& node : *nodes) result.states.push_back(node->describe());
  }
  return result;
}

}  // namespace zonesync::sim
