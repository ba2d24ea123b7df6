#include "conformance/parity/documents.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "protocol/model/scope.hpp"
#include "protocol/text/canonical_json.hpp"

namespace zonesync::conform::parity {
namespace {

std::string file_of(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / name;
  std::ofstream(path) << text;
  return path.string();
}

TEST(Documents, NothingOfTheFixtureIsSkipped) {
  const auto read = read_documents({ZONESYNC_FIXTURE}, 1);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->documents, 163u);
  EXPECT_TRUE(read->skipped.empty()) << read->skipped.front();
  EXPECT_EQ(read->versions.size(), 163u);
  std::set<std::string> origins;
  for (const Resource& each : read->versions) {
    EXPECT_TRUE(is_canonical_object(each.spec)) << to_string(each.key);
    origins.insert(each.key.origin);
  }
  EXPECT_EQ(origins, (std::set<std::string>{"east", "global"}));
}

TEST(Documents, AnUnknownTypeIsRegisteredAsGlobalToZones) {
  const auto read = read_documents(
      {file_of("unknown.yaml", "type: Rocket\nmesh: default\nname: a\nthrust: 5\n"
                               "---\ntype: Moon\nname: b\nspec: {phase: new}\n")}, 1);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_TRUE(read->skipped.empty()) << read->skipped.front();
  EXPECT_EQ(read->registered, (std::vector<std::string>{"Rocket", "Moon"}));
  const TypeInfo* rocket = read->registry->find("Rocket");
  ASSERT_NE(rocket, nullptr);
  EXPECT_TRUE(rocket->global_to_zones && rocket->provided_by_global && !rocket->zone_to_global);
  EXPECT_EQ(read->versions[0].spec, R"({"thrust":5})");
  EXPECT_EQ(read->versions[1].key.origin, "global");
}

TEST(Documents, ATypeThatTravelsNowhereTravelsInTheRun) {
  const auto read = read_documents(
      {file_of("insight.yaml", "type: MeshInsight\nname: default\nservices: {total: 3}\n")}, 1);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->registered, std::vector<std::string>{"MeshInsight"});
  EXPECT_TRUE(read->skipped.empty()) << read->skipped.front();
}

TEST(Documents, WhatIsNoResourceIsSkippedWithItsPlace) {
  const std::string file = file_of("bad.yaml", "type: MeshTimeout\nname: a\nmesh: default\n"
                                               "---\nname: no type\n---\n[1, 2]\n---\n{: }}\n");
  const auto read = read_documents({file}, 1);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->documents, 4u);
  ASSERT_EQ(read->skipped.size(), 3u);
  EXPECT_NE(read->skipped[0].find(file + ":4: "), std::string::npos) << read->skipped[0];
  EXPECT_EQ(read->versions.size(), 1u);
}

TEST(Documents, AMissingFileIsAnError) {
  const auto read = read_documents({"/nonexistent/resources.yaml"}, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::not_found);
  EXPECT_EQ(read.error().field, "/nonexistent/resources.yaml");
}

TEST(Documents, AJsonListIsRead) {
  const auto read = read_documents(
      {file_of("list.json", R"([{"type":"MeshTimeout","name":"a","mesh":"m","spec":{"x":1}},
                                {"type":"Dataplane","name":"b","mesh":"m","networking":{}}])")},
      1);
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->versions.size(), 2u);
  EXPECT_EQ(read->versions[1].key.origin, "east");
}

TEST(Generate, TheStateHasTheSizeAndHardlyRepeats) {
  const Documents made = generate_documents({.resources = 2'000, .spec_bytes = 1'000, .seed = 7});
  ASSERT_EQ(made.versions.size(), 2'000u);
  std::size_t bytes = 0;
  std::set<std::string> specs;
  for (const Resource& each : made.versions) {
    bytes += each.spec.size();
    specs.insert(each.spec);
    ASSERT_TRUE(is_canonical_object(each.spec));
    ASSERT_TRUE(may_write(*made.registry, Writer{each.key.origin}, each));
  }
  EXPECT_EQ(specs.size(), 2'000u);
  EXPECT_GT(bytes, 1'900'000u);
  EXPECT_LT(bytes, 2'100'000u);
}

TEST(Generate, TheSameSeedGivesTheSameState) {
  const GenerateOptions options{.resources = 50, .spec_bytes = 300, .seed = 9};
  EXPECT_EQ(generate_documents(options).versions, generate_documents(options).versions);
  EXPECT_NE(generate_documents(options).versions,
            generate_documents({.resources = 50, .spec_bytes = 300, .seed = 10}).versions);
}

TEST(Generate, WhatIsWrittenAsYamlIsReadAgain) {
  const Documents made = generate_documents({.resources = 40, .spec_bytes = 400, .seed = 3});
  const auto read = read_documents({file_of("generated.yaml", to_yaml(made))}, 1);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_TRUE(read->skipped.empty()) << read->skipped.front();
  ASSERT_EQ(read->versions.size(), 40u);
  for (std::size_t at = 0; at < 40; ++at) {
    EXPECT_EQ(read->versions[at].spec, made.versions[at].spec);
  }
}

}  // namespace
}  // namespace zonesync::conform::parity
