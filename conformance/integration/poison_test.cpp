// Issue 3, "must show" 6: one bad resource among a hundred is refused alone, shown with its reason
// by `zonesync sync errors`, and gone from there with its fix. In delta and in v1.
#include <gtest/gtest.h>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

constexpr int kResources = 100;
constexpr int kPoison = 57;

std::string resource(int number, bool poisoned) {
  return R"({"type":"MeshTimeout","mesh":"default","name":"p)" + std::to_string(number) + "\"," +
         (poisoned ? R"("labels":{"test":"refuse"},)" : "") + R"("spec":{"value":"1"}})";
}

/// All of them in one transaction.
std::string transaction() {
  std::string items;
  for (int i = 0; i < kResources; ++i) {
    if (!items.empty()) items += ',';
    items += R"({"op":"upsert","resource":)" + resource(i, i == kPoison) + '}';
  }
  return R"({"operations":[)" + items + "]}";
}

std::string sync_errors(Cluster& cluster) {
  const RunResult listed =
      run({program("zonesync"), "--api", cluster.hub.api_url(), "--ca", cluster.hub.ca_file(),
           "--token-file", cluster.hub.admin_token_file(), "sync", "errors"});
  EXPECT_EQ(listed.code, 0) << listed.output;
  return listed.output;
}

class Poison : public ::testing::TestWithParam<const char*> {};

// FLOW-25, V1-04
TEST_P(Poison, OneOfAHundredIsRefusedAloneAndClearedByItsFix) {
  Cluster cluster({});
  auto& slot = cluster.agents["east"];
  slot = std::make_unique<AgentUnderTest>(cluster.workspace, cluster.hub, "east");
  AgentUnderTest& east = *slot;
  east.extra_arguments = {"--delta", GetParam(), "--refuse-labels", "test=refuse"};
  east.start();
  ASSERT_LT(cluster.hub.call("POST", "/transactions", transaction()).status, 300u);
  ASSERT_TRUE(cluster.converges());
  const std::string name = "p" + std::to_string(kPoison);
  EXPECT_TRUE(eventually([&] { return east.mirror_files().size() == kResources - 1; }));
  for (const auto& [file, text] : east.mirror_files()) {
    EXPECT_EQ(file.find("/" + name + ".json"), std::string::npos);
  }
  ASSERT_TRUE(eventually(
      [&] { return number_at(cluster.hub.get("/sync/errors"), "/total") == 1; }));
  const std::string errors = sync_errors(cluster);
  for (const std::string& word : {std::string("east"), name, std::string("refused_label")}) {
    EXPECT_NE(errors.find(word), std::string::npos) << word << " is not in\n" << errors;
  }
  EXPECT_EQ(errors.find("p56"), std::string::npos) << "refused alone";

  ASSERT_LT(cluster.hub.call("PUT", "/meshes/default/meshtimeouts/" + name,
                             resource(kPoison, false)).status, 300u);
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(eventually([&] { return east.mirror_files().size() == kResources; }));
  ASSERT_TRUE(eventually(
      [&] { return number_at(cluster.hub.get("/sync/errors"), "/total") == 0; }));
  EXPECT_EQ(sync_errors(cluster).find(name), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Modes, Poison, ::testing::Values("true", "false"),
                         [](const auto& delta) {
                           return std::string(delta.param) == "true" ? "delta" : "v1";
                         });

}  // namespace
}  // namespace zonesync::integration
