// A hub and its zones in one thread and virtual time: real sessions, flows, sinks and core, joined
// by pipes that the test pumps and cuts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/core/testing/map_sink.hpp"
#include "server/hub/testing/hub_harness.hpp"
#include "server/hub/up_sink.hpp"

namespace zonesync::hub::testing {

class HubMesh;

/// One zone process: its outbox, its replica, and both ends of its connection.
class MeshZone {
 public:
  MeshZone(HubMesh& mesh, std::string name, InstanceId who);
  ~MeshZone();

  /// One transaction of the zone's log; resources may be of any type and origin.
  void publish(const std::vector<Resource>& resources,
               const std::vector<ResourceKey>& leaves = {});
  void connect();
  /// The connection is lost with whatever is in the pipe.
  void cut();
  [[nodiscard]] bool connected() const;
  /// Names of what the replica holds of an origin.
  [[nodiscard]] std::vector<std::string> sees(const std::string& origin) const;

  std::string name;
  InstanceId who;
  SyncMode mode = SyncMode::delta;           // of the next session
  MemoryChangeLog log;
  LogSource source;
  zonesync::testing::MapSink replica;
  std::vector<Verdict> verdicts;             // of the hub on what this zone published
  std::vector<wire::Hold> holds;
  std::optional<wire::Welcome> welcome;
  std::optional<CloseInfo> closed;
  std::optional<wire::Goodbye> goodbye;
  FlowSenderCounters down_counters;          // of the hub's sender, this session

 private:
  friend class HubMesh;
  class ZoneEnd;
  class HubEnd;
  HubMesh& mesh_;
  std::unique_ptr<ZoneEnd> zone_end_;
  std::unique_ptr<HubEnd> hub_end_;
};

/// Life cycle: add zones, connect them, pump. Thread rule: one thread.
class HubMesh {
 public:
  explicit HubMesh(HubCore::Options options = {});
  ~HubMesh();

  MeshZone& add(const std::string& name, std::uint8_t instance_number = 1);
  /// Moves messages until nothing more leaves.
  void pump();
  /// Moves time in steps of a second, ticking and pumping.
  void advance(Duration by);
  /// The hub process ends and starts again over its log; every connection is lost.
  void restart_hub();

  HubHarness hub;
  std::vector<std::unique_ptr<MeshZone>> zones;
  std::uint64_t messages = 0;
  /// Sees each message's number before delivery; false loses that connection there.
  std::function<bool(std::uint64_t number)> tap;

 private:
  friend class MeshZone;
  bool deliver(MeshZone& zone, bool from_zone);
  bool sweep();
  void tick();
  std::uint64_t next_session_ = 1'000;
};

}  // namespace zonesync::hub::testing
