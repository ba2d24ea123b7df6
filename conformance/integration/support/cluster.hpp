// One hub and some zones, as most tests need them, with the questions tests ask.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/integration/support/agent_under_test.hpp"

namespace zonesync::integration {

/// Life cycle: the constructor starts the hub and every zone; zones are behind their proxies.
class Cluster {
 public:
  explicit Cluster(const std::vector<std::string>& zones);

  [[nodiscard]] AgentUnderTest& agent(const std::string& zone) { return *agents.at(zone); }
  [[nodiscard]] std::vector<std::string> zone_names() const;
  /// Kills and restarts the hub; the proxies follow it to its new port.
  void restart_hub();
  /// Until hub and all zones stand at one head and the mirrors show it.
  [[nodiscard]] ::testing::AssertionResult converges();
  /// Runs the independent comparison of every zone's mirror with the hub's REST view.
  [[nodiscard]] ::testing::AssertionResult mirrors_equal();

  /// PUT of a MeshTimeout in mesh default; the acked revision, 0 = not acked.
  std::uint64_t put(const std::string& name, const std::string& value);
  std::uint64_t remove(const std::string& name);
  /// One transaction of MeshTimeouts `prefix<from>` ... `prefix<to - 1>`.
  std::uint64_t put_many(const std::string& prefix, int from, int to, const std::string& value);

  Workspace workspace;
  HubUnderTest hub;
  std::map<std::string, std::unique_ptr<AgentUnderTest>> agents;
};

/// {"type":"MeshTimeout",...} with `value` inside the spec.
[[nodiscard]] std::string timeout_json(const std::string& name, const std::string& value,
                                       const std::string& type = "MeshTimeout");

}  // namespace zonesync::integration
