#include "conformance/simulator/plan.hpp"

#include <algorithm>

#include "conformance/simulator/rng.hpp"

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

struct ActRow {
  Act act;
  std::string_view name;
  unsigned on_percent;     // of seeds that use it at all
  unsigned times_max;      // per seed
};

constexpr std::array<ActRow, kActs> kRows = {{
    {Act::hub_write, "hub_write", 100, 0},
    {Act::zone_publish, "zone_publish", 100, 0},
    {Act::hub_crash, "hub_crash", 65, 2},
    {Act::hub_rewound, "hub_rewound", 25, 1},
    {Act::hub_reinstalled, "hub_reinstalled", 10, 1},
    {Act::hub_disk_full, "hub_disk_full", 30, 2},
    {Act::hub_disk_error, "hub_disk_error", 20, 1},
    {Act::hub_trim, "hub_trim", 50, 3},
    {Act::zone_crash, "zone_crash", 60, 3},
    {Act::zone_rewound, "zone_rewound", 15, 2},
    {Act::zone_reinstalled, "zone_reinstalled", 25, 2},
    {Act::zone_disk_full, "zone_disk_full", 30, 3},
    {Act::outbox_full, "outbox_full", 20, 2},
    {Act::outbox_trim, "outbox_trim", 50, 3},
    {Act::outbox_complete, "outbox_complete", 60, 4},
    {Act::duplicate_start, "duplicate_start", 20, 3},
    {Act::duplicate_stop, "duplicate_stop", 20, 3},
    {Act::application_hold, "application_hold", 25, 2},
    {Act::rogue_start, "rogue_start", 20, 1},
    {Act::mass_change, "mass_change", 7, 1},
    {Act::approve, "approve", 15, 2},
    {Act::reset, "reset", 75, 5},
    {Act::stall, "stall", 40, 3},
    {Act::half_open, "half_open", 35, 2},
    {Act::refuse, "refuse", 25, 2},
    {Act::mode_switch, "mode_switch", 50, 3},
    {Act::scope_change, "scope_change", 40, 2},
    {Act::zone_disable, "zone_disable", 25, 2},
    {Act::zone_pause, "zone_pause", 20, 1},
    {Act::cut_interrupted, "cut_interrupted", 35, 2},
}};

const ActRow& row(Act act) { return kRows[static_cast<std::size_t>(act)]; }

template <class T, std::size_t N>
T pick(Rng& rng, const std::array<T, N>& values) {
  return values[rng.below(N)];
}

void draw_budgets(Plan& plan, Rng rng) {
  plan.window_bytes = pick<std::uint64_t>(rng, std::array<std::uint64_t, 4>{
                                                   512, 2'048, 16u << 10, 1u << 20});
  plan.message_target_bytes =
      pick(rng, std::array<std::size_t, 4>{64, 600, 4u << 10, 256u << 10});
  plan.cut_target_bytes = pick(rng, std::array<std::size_t, 3>{1, 1'000, 256u << 10});
  plan.hot_tail_bytes = pick(rng, std::array<std::size_t, 3>{1, 4u << 10, 1u << 20});
  plan.piece_max_changes = pick(rng, std::array<std::size_t, 3>{2, 8, 1'000});
  plan.atomic_max_changes = std::max(plan.piece_max_changes,
                                     pick(rng, std::array<std::size_t, 3>{4, 32, 10'000}));
  plan.group_max_changes = pick(rng, std::array<std::size_t, 3>{1, 16, 20'000});
  plan.queue_requests = pick(rng, std::array<std::size_t, 3>{3, 16, 4'096});
  plan.link_delay = pick(rng, std::array<Duration, 3>{2ms, 40ms, 400ms});
  plan.mailbox_delay = pick(rng, std::array<Duration, 3>{50us, 2ms, 60ms});
  plan.sync_delay = pick(rng, std::array<Duration, 3>{1ms, 20ms, 1500ms});
  plan.silence = pick(rng, std::array<Duration, 2>{15s, 45s});
  plan.names = static_cast<std::uint32_t>(rng.between(2, 8));
  plan.spec_max = pick(rng, std::array<std::uint32_t, 3>{16, 200, 1'500});
  plan.large_percent = rng.chance(6) ? 3 : 0;
  plan.poison_percent = rng.chance(50) ? 15 : 0;
  plan.compresses = rng.chance(50);
  plan.repairs = rng.chance(85);
}

void add(Plan& plan, Rng& rng, Act act) {
  plan.items.push_back(Item{rng.up_to(plan.chaos), act,
                            static_cast<std::uint32_t>(rng.below(plan.zones)), rng.next()});
}

}  // namespace

std::string_view to_string(Act act) { return row(act).name; }

bool is_fault(Act act) {
  return act != Act::hub_write && act != Act::zone_publish && act != Act::approve &&
         act != Act::outbox_complete && act != Act::duplicate_stop;
}

Plan make_plan(std::uint64_t seed) {
  const Rng root = Rng(seed).stream("plan");
  Plan plan;
  plan.seed = seed;
  Rng rng = root.stream("shape");
  plan.zones = rng.chance(60) ? 3 : static_cast<std::uint32_t>(rng.between(4, 5));
  plan.hub_complete = rng.chance(70);
  for (std::uint32_t zone = 0; zone < plan.zones; ++zone) {
    plan.zone_durable.push_back(rng.chance(85));
    plan.zone_older.push_back(rng.chance(25));
  }
  plan.chaos = std::chrono::seconds(rng.between(6, 30));
  draw_budgets(plan, root.stream("budgets"));
  if (Rng stage = root.stream("stage"); stage.chance(50)) {
    plan.spill_bytes = pick(stage, std::array<std::uint64_t, 3>{1, 200, 2'000});
  }
  Rng writes = root.stream("writes");
  const auto writes_max = writes.between(5, 20);
  for (std::uint64_t i = 0; i < writes_max; ++i) add(plan, writes, Act::hub_write);
  const auto publishes_max = writes.between(5, 20);
  for (std::uint64_t i = 0; i < publishes_max; ++i) add(plan, writes, Act::zone_publish);
  for (const ActRow& entry : kRows) {
    Rng faults = root.stream(entry.name);
    if (entry.times_max == 0 || !faults.chance(entry.on_percent)) continue;
    const auto times = faults.between(1, entry.times_max);
    for (std::uint64_t i = 0; i < times; ++i) add(plan, faults, entry.act);
  }
  std::stable_sort(plan.items.begin(), plan.items.end(),
                   [](const Item& a, const Item& b) { return a.at < b.at; });
  return plan;
}

}  // namespace zonesync::sim
