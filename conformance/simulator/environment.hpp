// What every node of one run shares. Life cycle: one per run, outlives the nodes. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "conformance/oracle/oracle.hpp"
#include "conformance/simulator/plan.hpp"
#include "conformance/simulator/probe.hpp"
#include "conformance/simulator/run_options.hpp"
#include "conformance/simulator/scheduler.hpp"

namespace zonesync::sim {

/// The default types and one with a scope label, so that classes change inside a view.
[[nodiscard]] std::shared_ptr<const TypeRegistry> sim_types();
inline constexpr std::string_view kScopedType = "SimScoped";
inline constexpr std::string_view kScopeLabel = "team";

class Environment {
 public:
  Environment(const Plan& run, const RunOptions& how);

  /// Adds to the trace hash and, when kept, to the trace. Everything observable goes through here.
  void note(std::string_view what, std::string_view node, std::uint64_t a = 0,
            std::uint64_t b = 0);
  void probe(Probe probe) { ++probes[static_cast<std::size_t>(probe)]; }
  void count(Act act) { ++faults[static_cast<std::size_t>(act)]; }
  /// Keeps the first violation; the run ends at the next event.
  void broken(const oracle::Broken& what, std::string_view node);
  [[nodiscard]] bool has(Defect bug) const { return defect == bug; }
  /// The mode in which a zone's next session runs, at both ends.
  [[nodiscard]] SyncMode mode_of(const std::string& zone) const {
    return switched.contains(zone) ? other_mode(first_mode) : first_mode;
  }
  void switch_mode(const std::string& zone) {
    if (switched.erase(zone) == 0) switched.insert(zone);
  }
  [[nodiscard]] static SyncMode other_mode(SyncMode mode) {
    return mode == SyncMode::delta ? SyncMode::v1 : SyncMode::delta;
  }
  [[nodiscard]] Rng stream(std::string_view name) const { return random.stream(name); }

  const Plan& plan;
  const Defect defect;
  const SyncMode first_mode;
  const Rng random;
  const std::shared_ptr<const TypeRegistry> types;
  Scheduler scheduler;
  oracle::Oracle oracle;

  std::optional<std::string> violation;
  std::array<std::uint64_t, kProbes> probes{};
  std::array<std::uint64_t, kActs> faults{};
  std::uint64_t hash = 0xcbf29ce484222325ull;
  std::uint64_t deliveries = 0;
  std::set<std::string, std::less<>> poison;  // payloads that validators refuse
  /// By zone: cursors its disks ever held.
  std::map<std::string, std::set<std::pair<EraId, Revision>>> reached;
  std::set<std::string> switched;  // zones in the other mode
  std::set<std::string, std::less<>> refused;  // payloads that the hub refuses of zones
  std::map<std::string, Revision> up_best;          // by zone: furthest the hub ever held durably
  std::deque<std::string> trace;              // newest last, when kept
  std::size_t trace_max = 0;                  // 0 = not kept
};

/// 8 hex digits, for traces and states.
[[nodiscard]] std::string brief(const Id128& id);
[[nodiscard]] std::string brief(const Cursor& cursor);

}  // namespace zonesync::sim
