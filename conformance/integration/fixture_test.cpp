// Issue 2, Must show 2: real resources of Kuma 2.5 through the command line and a zone.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

constexpr std::int64_t kDocuments = 163;
constexpr const char* kFixture =
    ZONESYNC_SOURCE_DIR "/conformance/integration/data/kuma-2.5-resources.yaml";

boost::json::value expected() {
  const RunResult read = run({ZONESYNC_PYTHON,
                              ZONESYNC_SOURCE_DIR "/conformance/integration/expected_history.py",
                              kFixture, "Dataplane", "ZoneIngress", "ZoneEgress"});
  boost::system::error_code failed;
  auto value = boost::json::parse(read.output, failed);
  EXPECT_FALSE(failed) << read.output;
  return value;
}

std::string last_json_line(const std::string& output) {
  const std::size_t begin = output.rfind("\n{");
  return begin == std::string::npos ? output : output.substr(begin + 1);
}

std::size_t items_in(const boost::json::value& value) {
  boost::system::error_code failed;
  const auto* items = value.find_pointer("/items", failed);
  return items != nullptr && items->is_array() ? items->as_array().size() : 0;
}

TEST(Fixture, EveryDocumentIsCountedOnceAndEveryVersionIsKept) {
  const auto wanted = expected();
  ASSERT_EQ(number_at(wanted, "/documents"), kDocuments);
  Cluster cluster({"east", "west"});
  auto& east = cluster.agent("east");

  const RunResult applied =
      run({program("zonesync"), "--api", cluster.hub.api_url(), "--ca", cluster.hub.ca_file(),
           "--token-file", cluster.hub.admin_token_file(), "apply", "-f", kFixture, "-o", "json"});
  EXPECT_EQ(applied.code, 7) << "some documents belong to zones\n" << applied.output;
  const auto outcome = boost::json::parse(last_json_line(applied.output));
  const std::int64_t refused_by_global = number_at(outcome, "/refused");
  std::int64_t belong_to_zones = 0;
  for (const auto& refusal : outcome.at("refusals").as_array()) {
    const std::string reason(refusal.at("reason").as_string());
    EXPECT_FALSE(reason.empty());
    if (reason.find("zone") != std::string::npos) ++belong_to_zones;
  }
  EXPECT_EQ(number_at(outcome, "/applied") + number_at(outcome, "/unchanged") + refused_by_global,
            kDocuments);

  write_file(east.publish() / "zone-owned.yaml", std::string(wanted.at("zone_file").as_string()));
  const auto published = [&] {
    const auto status = east.status();
    boost::system::error_code failed;
    const auto* refused = status.find_pointer("/publish/refused", failed);
    return number_at(status, "/publish/published") + number_at(status, "/publish/unchanged") +
           (refused != nullptr && refused->is_array()
                ? static_cast<std::int64_t>(refused->as_array().size()) : 0);
  };
  ASSERT_TRUE(eventually([&] { return published() >= belong_to_zones; }))
      << boost::json::serialize(east.status());
  // What global refused because it belongs to zones is counted where the zone took or refused it.
  EXPECT_EQ(number_at(outcome, "/applied") + number_at(outcome, "/unchanged") + published() +
                (refused_by_global - belong_to_zones),
            kDocuments);

  const auto plurals = cluster.hub.get("/types");
  std::map<std::string, std::pair<std::string, std::string>> types;  // name -> plural, origin
  for (const auto& type : plurals.at("items").as_array()) {
    types[std::string(type.at("name").as_string())].first = type.at("plural").as_string();
  }
  for (const auto& [key, count] : wanted.at("versions").as_object()) {
    const std::string text(key);
    const std::size_t first = text.find('/');
    const std::size_t second = text.find('/', first + 1);
    const std::string type = text.substr(0, first);
    const std::string mesh = text.substr(first + 1, second - first - 1);
    const bool of_zone = type == "Dataplane" || type == "ZoneIngress" || type == "ZoneEgress";
    const std::string path = (mesh.empty() ? "" : "/meshes/" + mesh) + "/" + types[type].first +
                             "/" + percent_encode(text.substr(second + 1)) +
                             "/history?limit=100&origin=" + (of_zone ? "east" : "global");
    boost::json::value history;
    EXPECT_TRUE(eventually([&, &wanted_count = count] {
      history = cluster.hub.get(path);
      return items_in(history) == static_cast<std::size_t>(wanted_count.as_int64());
    }, std::chrono::seconds(20))) << path << " wants " << count << " has " << items_in(history);
  }
  ASSERT_TRUE(cluster.converges());
  EXPECT_TRUE(cluster.mirrors_equal());
}

}  // namespace
}  // namespace zonesync::integration
