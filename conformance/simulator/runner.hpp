// Many seeds on several threads, and what came of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/simulator/world.hpp"

namespace zonesync::sim {

struct Campaign {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  unsigned threads = 1;
  RunOptions how;
  std::vector<SyncMode> modes = {SyncMode::delta, SyncMode::v1};  // each seed once per mode
  bool stop_at_failure = false;
};

struct Report {
  std::uint64_t seeds = 0;             // that were run, each once per mode
  std::uint64_t runs = 0;
  std::vector<SyncMode> modes;
  std::vector<Outcome> failures;       // by seed
  double seconds = 0;
  std::uint64_t events = 0;
  std::uint64_t hash = 0;              // over all seeds; the number of threads does not matter
  std::array<std::uint64_t, kActs> faults{};
  std::array<std::uint64_t, kProbes> probes{};
  std::vector<std::uint64_t> deliveries;  // these three per seed, sorted
  std::vector<std::uint64_t> zones;
  std::vector<std::uint64_t> fault_counts;
  std::uint64_t seeds_crashed_unsynced = 0;  // a hub or zone crashed with unsynced data
  std::uint64_t seeds_trimmed_past = 0;      // a log was trimmed past a cursor
  std::uint64_t seeds_switched = 0;          // a zone came back in another mode
#ifdef ZONESYNC_DEFECTS
  std::array<std::uint64_t, defects::kProductProbes> product_probes{};
#endif
};

/// Blocks until all seeds ran.
[[nodiscard]] Report run_campaign(const Campaign& campaign);
[[nodiscard]] Outcome run_plan(const Plan& plan, const RunOptions& how = {});
[[nodiscard]] std::string to_json(const Report& report);
/// Seed, invariant, state of every node, last events, how to replay.
[[nodiscard]] std::string to_text(const Outcome& failure, std::size_t trace_lines);

}  // namespace zonesync::sim
