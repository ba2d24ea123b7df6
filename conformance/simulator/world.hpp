// One run: chaos, heal, liveness, audit.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/simulator/hub_node.hpp"
#include "conformance/simulator/zone_node.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync::sim {

struct Outcome {
  std::uint64_t seed = 0;
  SyncMode mode = SyncMode::delta;        // in which zones began
  std::optional<std::string> violation;   // nothing = every promise held
  std::string phase;                      // where the run ended
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t deliveries = 0;           // messages
  std::uint64_t zones = 0;
  std::array<std::uint64_t, kActs> faults{};
  std::array<std::uint64_t, kProbes> probes{};
#ifdef ZONESYNC_DEFECTS
  std::array<std::uint64_t, defects::kProductProbes> product_probes{};
#endif
  std::vector<std::string> states;        // of every node, when a promise broke
  std::vector<std::string> trace;         // when asked for
};

/// Life cycle: construct, run once. Thread rule: one thread; worlds share nothing.
class World {
 public:
  World(const Plan& plan, const RunOptions& how);
  ~World();
  [[nodiscard]] Outcome run();
  /// So far; what run() returns.
  [[nodiscard]] Outcome outcome() const;

 private:
  // world.cpp
  void add_zone(std::uint32_t number);
  std::shared_ptr<Connection> dial(ZoneNode& node);
  void run_until(TimePoint until);
  void heal();
  void live();
  void settle();
  // faults.cpp
  void happen(const Item& item);
  void happen_to_hub(const Item& item);
  void happen_to_zone(const Item& item);
  void happen_to_network(const Item& item);
  void stop_hub(bool keep, bool silent);
  void start_hub_later(std::uint64_t value);
  void start_zone_later(ZoneNode& node, std::uint64_t value);
  void crash_hub(const Item& item);
  void mass_change(const Item& item);
  void publish(ZoneNode& node, std::uint64_t value);
  void operate(const Item& item);
  void start_duplicate(std::uint32_t zone);
  void start_rogue(std::uint32_t zone, bool newer);
  void approve_all();
  // interrupted_cut.cpp
  void interrupt_cut(const Item& item);
  void change_meanwhile(ZoneNode& node, Rng draws);
  // audit.cpp
  /// Nothing when everything is where it should be, else what is not.
  [[nodiscard]] std::optional<std::string> unsettled() const;
  [[nodiscard]] std::optional<std::string> unsettled(ZoneNode& node) const;
  void audit();
  void audit_zone(ZoneNode& node);
  void check_rogues();

  Plan plan_;
  Environment env_;
  Rng rng_;
  std::string phase_ = "chaos";
  HubNode hub_;
  std::vector<std::unique_ptr<ZoneNode>> zones_;
  std::vector<std::unique_ptr<ZoneNode>> duplicates_;
  std::vector<std::unique_ptr<ZoneNode>> rogues_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::uint64_t dialled_ = 0;
};

}  // namespace zonesync::sim
