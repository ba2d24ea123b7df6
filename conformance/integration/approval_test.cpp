// After a restore a zone holds what would remove most of it (FLOW-17), and its operator approves.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

namespace fs = std::filesystem;

constexpr int kLater = 300;  // written behind the checkpoint; more than the guard lets go

class Approval : public ::testing::Test {
 protected:
  RunResult store_command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program("zonesync-hub"), "store"});
    arguments.insert(arguments.end(), {"--config", cluster.hub.directory() + "/hub.yaml"});
    return run(arguments);
  }
  RunResult approve() {
    return run({program("zonesync-agent"), "approve", "--store",
                cluster.agent("east").store().string()});
  }
  RunResult zonesync(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("zonesync"));
    arguments.insert(arguments.end(), {"--api", cluster.hub.api_url(), "--ca",
                                       cluster.hub.ca_file(), "--token-file",
                                       cluster.hub.admin_token_file()});
    return run(arguments);
  }
  bool holds() {
    return eventually([&] {
      const auto zone = cluster.hub.zone("east");
      boost::system::error_code missing;
      const auto* reason = zone.find_pointer("/hold/reason", missing);
      return reason != nullptr && reason->is_string() && reason->as_string() == "mass_delete";
    });
  }
  /// A complete log goes back to before most of what the zone has.
  void restore_an_old_backup() {
    ASSERT_NE(cluster.put("first", "1"), 0u);
    ASSERT_TRUE(cluster.converges());
    const std::string api = cluster.hub.api_url();
    ASSERT_EQ(store_command({"complete", "--api", api}).code, 0);
    const std::string backup = cluster.workspace.file("backup");
    const RunResult made = store_command({"checkpoint", backup, "--api", api});
    ASSERT_EQ(made.code, 0) << made.output;
    ASSERT_NE(cluster.put_many("later", 0, kLater, "2"), 0u);
    ASSERT_TRUE(cluster.converges());
    ASSERT_EQ(cluster.hub.stop(), 0);
    const std::string log = cluster.hub.directory() + "/data/log";
    fs::rename(log, log + ".lost");
    const RunResult restored = store_command({"restore", backup});
    ASSERT_EQ(restored.code, 0) << restored.output;
    EXPECT_NE(restored.output.find("next: start the hub"), std::string::npos) << restored.output;
    cluster.restart_hub();
    cluster.agent("east").process().signal(SIGHUP);  // connect now
  }

  Cluster cluster{{"east"}};
};

TEST_F(Approval, AZoneHoldsWhatARestoreWouldRemoveUntilItsOperatorApproves) {
  ASSERT_TRUE(cluster.converges());
  const RunResult early = approve();
  EXPECT_EQ(early.code, 1) << "nothing is held: " << early.output;
  EXPECT_NE(early.output.find("nothing is held"), std::string::npos) << early.output;
  ASSERT_NO_FATAL_FAILURE(restore_an_old_backup());
  EXPECT_TRUE(cluster.hub.logged("hub.log.restored"));
  EXPECT_EQ(cluster.hub.process().recent_lines(40).find("hub.log.partial"), std::string::npos)
      << "a complete log stays complete";
  ASSERT_TRUE(holds()) << cluster.hub.call("GET", "/zones/_overview").body;
  EXPECT_EQ(cluster.agent("east").mirror_files().size(), kLater + 1u) << "the early order is gone";
  EXPECT_TRUE(eventually([&] {
    const std::string said = cluster.agent("east").process().recent_lines(40);
    return said.find("agent.mass_delete.held") != said.npos &&
           said.find("would remove 300 of the 301") != said.npos &&
           said.find("zonesync-agent approve --store ") != said.npos;
  }));
  // The hub cannot, and says who can.
  const HttpResponse refused = cluster.hub.call("POST", "/zones/east/approve-mass-delete");
  EXPECT_EQ(refused.status, 409u) << refused.body;
  EXPECT_NE(refused.body.find("zonesync-agent approve --store"), std::string::npos) << refused.body;
  const RunResult at_hub = zonesync({"zones", "approve", "east"});
  EXPECT_EQ(at_hub.code, 6) << at_hub.output;
  EXPECT_NE(at_hub.output.find("zonesync-agent approve"), std::string::npos) << at_hub.output;
  const RunResult overall = zonesync({"sync", "status", "-o", "json"});
  EXPECT_NE(overall.output.find("\"restored_at_revision\""), std::string::npos) << overall.output;
  EXPECT_NE(overall.output.find("\"held\":1"), std::string::npos) << overall.output;

  const RunResult approved = approve();
  EXPECT_EQ(approved.code, 0) << approved.output;
  EXPECT_NE(approved.output.find("approved: "), std::string::npos) << approved.output;
  EXPECT_TRUE(cluster.converges());
  EXPECT_TRUE(cluster.mirrors_equal());
  EXPECT_EQ(cluster.agent("east").mirror_files().size(), 1u);
  EXPECT_EQ(approve().code, 1) << "once";
}

}  // namespace
}  // namespace zonesync::integration
