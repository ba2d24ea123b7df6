// What a seed means: options of the run and the list of everything that happens to it. Plain data,
// so that a failing run can be cut down to the items that matter.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/core/time.hpp"

namespace zonesync::sim {

enum class Act : std::uint8_t {
  // writers
  hub_write,
  zone_publish,
  // processes and disks
  hub_crash,          // kill -9 or power cut: what was not synced is gone
  hub_rewound,        // the disk goes back to an older state
  hub_reinstalled,    // an empty disk: new log identity, partial
  hub_disk_full,
  hub_disk_error,     // fail-stop
  hub_trim,
  zone_crash,
  zone_rewound,       // the zone's disk goes back: outbox and replica
  zone_reinstalled,   // an empty disk
  zone_disk_full,
  outbox_full,
  outbox_trim,
  outbox_complete,
  duplicate_start,    // a second agent with the same name
  duplicate_stop,
  application_hold,
  rogue_start,        // a credential of one zone, a Hello of another
  mass_change,        // over 100 resources at once; then the hub's disk goes back behind them
  approve,            // an operator approves what guards hold
  // network
  reset,
  stall,
  half_open,
  refuse,             // connects fail for a while
  // operator
  mode_switch,        // a zone goes from delta to v1 or back
  scope_change,       // what a zone may see
  zone_disable,       // others stop seeing what it publishes; or see it again
  zone_pause,         // the hub sends it nothing for a while
  // several at once
  cut_interrupted,    // a catch-up breaks off; meanwhile what it began with changes
};
inline constexpr std::size_t kActs = static_cast<std::size_t>(Act::cut_interrupted) + 1;
[[nodiscard]] std::string_view to_string(Act act);
[[nodiscard]] bool is_fault(Act act);

/// One thing that happens. `zone` and `value` are read by the act; both are reduced to what exists.
struct Item {
  Duration at{};
  Act act = Act::hub_write;
  std::uint32_t zone = 0;
  std::uint64_t value = 0;
};

struct Plan {
  std::uint64_t seed = 0;
  std::uint32_t zones = 3;
  bool hub_complete = true;            // its log was declared complete when it was made
  std::vector<bool> zone_durable;      // keeps a store over a restart
  std::vector<bool> zone_older;        // built without the newest type; learns it by Welcome
  Duration chaos{};
  // Small budgets, so that edges are met in seconds.
  std::uint64_t window_bytes = 0;      // of both flows
  std::size_t message_target_bytes = 0;
  std::size_t cut_target_bytes = 0;
  std::size_t hot_tail_bytes = 0;
  std::size_t piece_max_changes = 0;
  std::size_t atomic_max_changes = 0;
  std::size_t group_max_changes = 0;
  std::size_t queue_requests = 0;
  Duration link_delay{};
  Duration mailbox_delay{};
  Duration sync_delay{};
  Duration silence{};
  std::uint64_t spill_bytes = 0;       // zones stage that much in memory, the rest on disk; 0 = all
  std::uint32_t names = 6;             // keys per type
  std::uint32_t spec_max = 0;          // bytes
  std::uint32_t large_percent = 0;     // of specs that travel in parts
  std::uint32_t poison_percent = 0;
  bool compresses = true;              // the hub grants compressed packets and patches ...
  bool repairs = true;                 // ... and repairs
  std::vector<Item> items;             // by time
};

[[nodiscard]] Plan make_plan(std::uint64_t seed);

}  // namespace zonesync::sim
