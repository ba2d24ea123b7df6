// Issue 2, Must show 4: kill -9 of an agent or the hub after the k-th observed event, and resume.
#include <gtest/gtest.h>

#include <random>

#include <boost/json/parse.hpp>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

class CrashRound : public ::testing::TestWithParam<int> {};

/// Every acked write with its newest acked value; writes without an answer may or may not be there.
struct Acked {
  std::map<std::string, std::string> value;
  std::map<std::string, std::string> unanswered;

  void put(Cluster& cluster, const std::string& name, const std::string& text) {
    if (cluster.put(name, text) > 0) {
      value[name] = text;
      unanswered.erase(name);
    } else {
      unanswered[name] = text;
    }
  }
};

void expect_nothing_acked_is_lost(Cluster& cluster, const Acked& acked) {
  for (const auto& [name, text] : acked.value) {
    const auto found = cluster.hub.call("GET", "/meshes/default/meshtimeouts/" + name);
    ASSERT_EQ(found.status, 200u) << name;
    const auto late = acked.unanswered.find(name);
    const bool present = found.body.find('"' + text + '"') != std::string::npos;
    const bool newer = late != acked.unanswered.end() &&
                       found.body.find('"' + late->second + '"') != std::string::npos;
    EXPECT_TRUE(present || newer) << name << ": " << found.body;
  }
}

TEST_P(CrashRound, MirrorsConvergeAndNothingAckedIsLost) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  std::mt19937_64 random(seed);
  const bool kill_hub = GetParam() % 2 == 0;
  const int kill_after = 1 + static_cast<int>(random() % 20);
  SCOPED_TRACE("seed " + std::to_string(seed) + (kill_hub ? ": hub" : ": agent east") +
               " killed after event " + std::to_string(kill_after));
  Cluster cluster({"east", "west"});
  auto& east = cluster.agent("east");
  Acked acked;
  std::map<std::string, std::string> published;
  int events = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "r" + std::to_string(random() % 12);
    const std::string text = "v" + std::to_string(i);
    acked.put(cluster, name, text);
    if (i % 5 == 0) {
      published["p" + std::to_string(i % 3)] = text;
      write_file(east.publish() / ("p" + std::to_string(i % 3) + ".json"),
                 timeout_json("p" + std::to_string(i % 3), text));
    }
    if (events < kill_after && acked.value.count(name) > 0) {
      const auto applied = east.process().wait_line(
          [](const std::string& line) {
            return line.find("agent.cut.applied") != std::string::npos;
          },
          kDeadline);
      ASSERT_TRUE(applied.has_value()) << east.process().recent_lines();
      if (++events < kill_after) continue;
      if (kill_hub) {
        cluster.hub.kill9();
        cluster.restart_hub();
      } else {
        east.kill9();
        acked.put(cluster, "while-away", "v" + std::to_string(i));
        east.start();
      }
    }
  }
  ASSERT_EQ(events, kill_after) << "the kill happened";
  for (const auto& [name, text] : published) {
    ASSERT_TRUE(eventually([&, &wanted_name = name, &wanted = text] {
      return cluster.hub.call("GET", "/meshes/default/meshtimeouts/" + wanted_name + "?origin=east")
                 .body.find('"' + wanted + '"') != std::string::npos;
    })) << name << "\n" << east.process().recent_lines();
  }
  ASSERT_TRUE(cluster.converges());
  expect_nothing_acked_is_lost(cluster, acked);
  EXPECT_TRUE(cluster.mirrors_equal());
  EXPECT_EQ(east.status_number("/counters/digest_mismatches"), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashRound, ::testing::Range(1, 21));

TEST(Resume, AnAgentThatMissedTenOfTenThousandReceivesTen) {
  Cluster cluster({"east"});
  auto& east = cluster.agent("east");
  for (int i = 0; i < 10'000; i += 1'000) {
    ASSERT_GT(cluster.put_many("r", i, i + 1'000, "first"), 0u);
  }
  ASSERT_TRUE(cluster.converges());
  EXPECT_EQ(east.stop(), 0);
  ASSERT_GT(cluster.put_many("r", 4'000, 4'010, "second"), 0u);
  const auto before = east.proxy().counters();
  east.start();
  ASSERT_TRUE(cluster.converges());
  EXPECT_EQ(east.status_number("/counters/changes_received"), 10);
  EXPECT_EQ(east.status_number("/counters/intents_changes"), 1);
  EXPECT_EQ(east.status_number("/counters/intents_full"), 0);
  const auto after = east.proxy().counters();
  EXPECT_LE(after.bytes_to_client - before.bytes_to_client, 24'000u)
      << "TLS handshake, upgrade, welcome with the types, ten changes";
  EXPECT_TRUE(cluster.mirrors_equal());
}

}  // namespace
}  // namespace zonesync::integration
