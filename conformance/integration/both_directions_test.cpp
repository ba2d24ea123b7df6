// Issue 2, Must show 3: both directions, origins, cross-zone types, unmounted publish directories.
#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

bool has_file(const AgentUnderTest& agent, const std::string& path) {
  const auto files = agent.mirror_files();
  return std::any_of(files.begin(), files.end(),
                     [&](const auto& file) { return file.first == path; });
}

TEST(BothDirections, WhatOneZonePublishesReachesTheOthersAndNeverComesBack) {
  Cluster cluster({"east", "west"});
  cluster.put("from-global", "1s");
  write_file(cluster.agent("east").publish() / "shared.json", timeout_json("shared", "from east"));
  write_file(cluster.agent("east").publish() / "dp.yaml",
             "type: Dataplane\nmesh: default\nname: web-1\nnetworking: {address: 10.0.0.1}\n");
  ASSERT_TRUE(eventually([&] {
    return cluster.hub.call("GET", "/meshes/default/dataplanes/web-1?origin=east").status == 200 &&
           cluster.hub.call("GET", "/meshes/default/meshtimeouts/shared?origin=east").status == 200;
  })) << cluster.agent("east").process().recent_lines();
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(has_file(cluster.agent("west"), "default/MeshTimeout/east/shared.json"));
  EXPECT_FALSE(has_file(cluster.agent("west"), "default/Dataplane/east/web-1.json"))
      << "Dataplanes are not synced across zones";
  EXPECT_TRUE(has_file(cluster.agent("west"), "default/MeshTimeout/global/from-global.json"));
  EXPECT_TRUE(has_file(cluster.agent("east"), "default/MeshTimeout/global/from-global.json"));
  for (const auto& [path, content] : cluster.agent("east").mirror_files()) {
    EXPECT_EQ(path.find("/east/"), std::string::npos) << "came back to its origin";
  }
  EXPECT_TRUE(cluster.mirrors_equal());
}

TEST(BothDirections, TwoZonesPublishingOneNameKeepTwoResources) {
  Cluster cluster({"east", "west"});
  for (const std::string zone : {"east", "west"}) {
    write_file(cluster.agent(zone).publish() / "same.json", timeout_json("same", "of " + zone));
  }
  for (const std::string zone : {"east", "west"}) {
    ASSERT_TRUE(eventually([&] {
      const auto found =
          cluster.hub.call("GET", "/meshes/default/meshtimeouts/same?origin=" + zone);
      return found.status == 200 && found.body.find("of " + zone) != std::string::npos;
    }));
  }
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(has_file(cluster.agent("west"), "default/MeshTimeout/east/same.json"));
  EXPECT_TRUE(has_file(cluster.agent("east"), "default/MeshTimeout/west/same.json"));
  EXPECT_TRUE(cluster.mirrors_equal());
}

TEST(BothDirections, ARemovedFileIsALeaveAnUnmountedDirectoryIsNot) {
  Cluster cluster({"east"});
  auto& east = cluster.agent("east");
  for (int i = 0; i < 5; ++i) {
    const std::string name = "t" + std::to_string(i);
    write_file(east.publish() / (name + ".json"), timeout_json(name, "1s"));
  }
  const auto count = [&] {
    const auto list = cluster.hub.get("/meshes/default/meshtimeouts?origin=east");
    boost::system::error_code failed;
    const auto* items = list.find_pointer("/items", failed);
    return items != nullptr && items->is_array() ? items->as_array().size() : 999;
  };
  ASSERT_TRUE(eventually([&] { return count() == 5; })) << east.process().recent_lines();
  std::filesystem::remove(east.publish() / "t0.json");
  ASSERT_TRUE(eventually([&] { return count() == 4; })) << east.process().recent_lines();

  // The mount goes away: the folder is there, empty, without its marker.
  const auto aside = east.publish().string() + "-aside";
  std::filesystem::rename(east.publish(), aside);
  std::filesystem::create_directories(east.publish());
  cluster.put("tick", "1s");
  ASSERT_TRUE(cluster.converges());
  ASSERT_TRUE(eventually([&] {  // the agent saw it and says so
    return read_file(east.publish().parent_path() / "status.json").find("marker") !=
           std::string::npos;
  })) << read_file(east.publish().parent_path() / "status.json");
  EXPECT_EQ(count(), 4u);
  // It comes back: nothing was lost, nothing is sent twice.
  std::filesystem::remove_all(east.publish());
  std::filesystem::rename(aside, east.publish());
  write_file(east.publish() / "t9.json", timeout_json("t9", "9s"));
  ASSERT_TRUE(eventually([&] { return count() == 5; }));
  EXPECT_TRUE(cluster.mirrors_equal());
}

}  // namespace
}  // namespace zonesync::integration
