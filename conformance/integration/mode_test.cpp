// Real hub and agents over TLS in v1, switches between the modes with kills between, and rejects.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

std::string text_at(const boost::json::value& value, const std::string& pointer) {
  boost::system::error_code error;
  const boost::json::value* found = value.find_pointer(pointer, error);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

::testing::AssertionResult in_mode(Cluster& cluster, const std::string& zone,
                                   const std::string& mode) {
  const bool reached = eventually([&] {
    const auto status = cluster.hub.zone(zone);
    boost::system::error_code error;
    const auto* connected = status.find_pointer("/connected", error);
    return connected != nullptr && connected->is_bool() && connected->get_bool() &&
           text_at(status, "/mode") == mode &&
           text_at(cluster.agent(zone).status(), "/mode") == mode;
  });
  if (reached) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << zone << " is not in " << mode << "\n"
                                       << cluster.agent(zone).process().recent_lines();
}

unsigned set_mode(Cluster& cluster, const std::string& zone, const std::string& body) {
  return cluster.hub.call("PUT", "/zones/" + zone + "/mode", body).status;
}

// V1-07: an operator's word is durable, and no switch costs more than what was missed.
TEST(Modes, DeltaToV1ToDeltaWithKillsBetweenResumesByCursor) {
  Cluster cluster({"east", "west"});
  auto& east = cluster.agent("east");
  ASSERT_GT(cluster.put_many("r", 0, 500, "first"), 0u);
  write_file(east.publish() / "own.json", timeout_json("own", "mine"));
  ASSERT_TRUE(cluster.converges());
  ASSERT_TRUE(in_mode(cluster, "east", "delta"));

  ASSERT_EQ(set_mode(cluster, "east", R"({"mode":"v1"})"), 200u);
  ASSERT_TRUE(in_mode(cluster, "east", "v1"));
  EXPECT_EQ(text_at(cluster.hub.zone("east"), "/mode_reason"), "operator");
  EXPECT_EQ(text_at(cluster.hub.zone("west"), "/mode"), "delta");
  ASSERT_GT(cluster.put("r7", "second"), 0u);
  ASSERT_GT(cluster.remove("r8"), 0u);
  write_file(east.publish() / "own.json", timeout_json("own", "newer"));
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(cluster.mirrors_equal());
  const auto detail = cluster.hub.get("/zones/east");
  EXPECT_EQ(text_at(detail, "/lists/0/type"), "MeshTimeout");
  EXPECT_GT(number_at(detail, "/lists/0/acked_nonce"), 0);
  EXPECT_EQ(number_at(detail, "/lists/0/acked_nonce"), number_at(detail, "/lists/0/nonce"));

  east.kill9();
  ASSERT_GT(cluster.put("while-away", "1"), 0u);
  cluster.hub.kill9();
  cluster.restart_hub();
  east.start();
  ASSERT_TRUE(in_mode(cluster, "east", "v1")) << "the hub's log remembers";
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(cluster.mirrors_equal());

  ASSERT_EQ(set_mode(cluster, "east", R"({"mode":"default"})"), 200u);
  ASSERT_TRUE(in_mode(cluster, "east", "delta"));
  east.kill9();
  ASSERT_GT(cluster.put("r9", "third"), 0u);
  east.start();
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(cluster.mirrors_equal());
  EXPECT_EQ(east.status_number("/counters/intents_full"), 0);
  EXPECT_EQ(east.status_number("/counters/changes_received"), 1);
}

// V1-10: only for a while, then delta is tried again by itself.
TEST(Modes, AFallbackEndsByItself) {
  Cluster cluster({"east"});
  ASSERT_GT(cluster.put("a", "1"), 0u);
  ASSERT_TRUE(cluster.converges());
  ASSERT_EQ(set_mode(cluster, "east", R"({"mode":"v1","for_ms":8000})"), 200u);
  ASSERT_TRUE(in_mode(cluster, "east", "v1"));
  EXPECT_EQ(text_at(cluster.agent("east").status(), "/mode_reason"), "fallback");
  ASSERT_TRUE(in_mode(cluster, "east", "delta"));
  ASSERT_TRUE(cluster.converges());
}

// CON-02: the agent's configuration; and a reject in v1 is seen, explained and cleared by its fix.
TEST(Modes, AnAgentThatWantsV1GetsItAndItsRejectsAreListedWithReasons) {
  Cluster cluster({"east"});
  auto& east = cluster.agent("east");
  ASSERT_TRUE(in_mode(cluster, "east", "delta"));
  EXPECT_EQ(east.stop(), 0);
  east.extra_arguments = {"--delta", "false", "--refuse-labels", "test=refuse"};
  east.start();
  ASSERT_TRUE(in_mode(cluster, "east", "v1"));
  EXPECT_EQ(text_at(east.status(), "/mode_reason"), "config");
  EXPECT_EQ(text_at(cluster.hub.zone("east"), "/mode_reason"), "zone");
  ASSERT_GT(cluster.put_many("r", 0, 100, "good"), 0u);
  const std::string bad =
      R"({"type":"MeshTimeout","mesh":"default","name":"poison",)"
      R"("labels":{"test":"refuse"},"spec":{}})";
  ASSERT_LT(cluster.hub.call("PUT", "/meshes/default/meshtimeouts/poison", bad).status, 300u);
  ASSERT_TRUE(cluster.converges());
  ASSERT_TRUE(eventually(
      [&] { return number_at(cluster.hub.get("/sync/errors"), "/total") == 1; }));
  const auto errors = cluster.hub.get("/sync/errors");
  EXPECT_EQ(text_at(errors, "/items/0/zone"), "east");
  EXPECT_EQ(text_at(errors, "/items/0/key/name"), "poison");
  EXPECT_EQ(text_at(errors, "/items/0/code"), "refused_label");
  EXPECT_EQ(number_at(cluster.hub.get("/zones/east"), "/lists/0/nacked"), 1);
  ASSERT_GT(cluster.put("r5", "after the refused one"), 0u);
  ASSERT_TRUE(cluster.converges());
  ASSERT_GT(cluster.put("poison", "fixed"), 0u);
  ASSERT_TRUE(cluster.converges());
  ASSERT_TRUE(eventually(
      [&] { return number_at(cluster.hub.get("/sync/errors"), "/total") == 0; }));
  EXPECT_TRUE(cluster.mirrors_equal());
}

}  // namespace
}  // namespace zonesync::integration
