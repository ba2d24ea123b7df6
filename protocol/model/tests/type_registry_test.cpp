#include "protocol/model/type_registry.hpp"

#include <gtest/gtest.h>

namespace zonesync {
namespace {

TypeInfo make(std::string name, std::string plural) {
  TypeInfo info;
  info.name = std::move(name);
  info.plural = std::move(plural);
  info.global_to_zones = true;
  return info;
}

TEST(TypeRegistry, DefaultsHaveTheTablesCounts) {
  const TypeRegistry registry = TypeRegistry::with_default_types();
  int to_zones = 0, to_global = 0;
  for (const TypeInfo* info : registry.all()) {
    to_zones += info->global_to_zones || info->synced_across_zones ? 1 : 0;
    to_global += info->zone_to_global ? 1 : 0;
  }
  EXPECT_EQ(to_zones, 45);
  EXPECT_EQ(to_global, 31);
  EXPECT_EQ(registry.all().size(), 54u);
}

struct Expected {
  const char* name;
  const char* plural;
  bool down, up, across, at_global, legacy;
};
class DefaultType : public testing::TestWithParam<Expected> {};

TEST_P(DefaultType, HasItsFlags) {
  const Expected& want = GetParam();
  const TypeRegistry registry = TypeRegistry::with_default_types();
  const TypeInfo* info = registry.find(want.name);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->plural, want.plural);
  EXPECT_EQ(registry.find_plural(want.plural), info);
  EXPECT_EQ(info->global_to_zones, want.down);
  EXPECT_EQ(info->zone_to_global, want.up);
  EXPECT_EQ(info->synced_across_zones, want.across);
  EXPECT_EQ(info->provided_by_global, want.at_global);
  EXPECT_EQ(info->legacy, want.legacy);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DefaultType,
    testing::Values(Expected{"Mesh", "meshes", true, false, false, true, true},
                    Expected{"MeshTimeout", "meshtimeouts", true, true, true, true, false},
                    Expected{"MeshGateway", "meshgateways", true, true, false, true, true},
                    Expected{"MeshService", "meshservices", false, true, true, false, false},
                    Expected{"ZoneIngress", "zone-ingresses", false, true, true, false, true},
                    Expected{"ZoneEgress", "zoneegresses", false, true, false, false, true},
                    Expected{"Dataplane", "dataplanes", false, true, false, false, true},
                    Expected{"TrafficPermission", "traffic-permissions", true, false, false, true,
                             true},
                    Expected{"Secret", "secrets", true, false, false, true, true},
                    Expected{"ServiceInsight", "service-insights", true, false, false, true, true},
                    Expected{"MeshInsight", "mesh-insights", false, false, false, true, true}));

TEST(TypeRegistry, RanksPutMeshFirstAndInsightsLast) {
  const TypeRegistry registry = TypeRegistry::with_default_types();
  EXPECT_LT(registry.find("Mesh")->rank, registry.find("Secret")->rank);
  EXPECT_LT(registry.find("Secret")->rank, registry.find("MeshTimeout")->rank);
  EXPECT_LT(registry.find("Dataplane")->rank, registry.find("DataplaneInsight")->rank);
  EXPECT_TRUE(registry.find("Secret")->sensitive);
  EXPECT_TRUE(registry.find("GlobalSecret")->sensitive);
  EXPECT_FALSE(registry.find("Config")->sensitive);
}

TEST(TypeRegistry, RefusesTakenNamesAndPlurals) {
  TypeRegistry registry;
  ASSERT_TRUE(registry.add(make("Thing", "things")));
  EXPECT_EQ(registry.add(make("Thing", "others")).error().code, ErrorCode::conflict);
  const Status plural = registry.add(make("Other", "things"));
  EXPECT_EQ(plural.error().code, ErrorCode::conflict);
  EXPECT_NE(plural.error().message.find("Thing"), std::string::npos);
  EXPECT_EQ(registry.find("Other"), nullptr);
}

TEST(TypeRegistry, RefusesBadNames) {
  TypeRegistry registry;
  for (const char* name : {"", "thing", "$system", "A/b", "A b", "Ä"}) {
    EXPECT_EQ(registry.add(make(name, "things")).error().code, ErrorCode::invalid_argument) << name;
  }
  for (const char* plural : {"", "Things", "a/b", "_x", "1a"}) {
    EXPECT_EQ(registry.add(make("Thing", plural)).error().code, ErrorCode::invalid_argument);
  }
  EXPECT_EQ(registry.add(make("Thing", "transactions")).error().code, ErrorCode::conflict);
  EXPECT_EQ(registry.add(make(std::string(64, 'A'), "things")).error().code,
            ErrorCode::invalid_argument);
}

TEST(TypeRegistry, RefusesContradictingFlagsAndSizes) {
  TypeRegistry registry;
  TypeInfo info = make("Thing", "things");
  info.synced_across_zones = true;
  EXPECT_EQ(registry.add(info).error().field, "synced_across_zones");
  info = make("Thing", "things");
  info.max_bytes = limits::kResourceMaxBytes + 1;
  EXPECT_EQ(registry.add(info).error().field, "max_bytes");
}

TEST(TypeRegistry, NearestFindsTypingMistakes) {
  const TypeRegistry registry = TypeRegistry::with_default_types();
  EXPECT_EQ(registry.nearest("MeshTimout"), "MeshTimeout");
  EXPECT_EQ(registry.nearest("meshtiemouts"), "MeshTimeout");
  EXPECT_EQ(registry.nearest("dataplane"), "Dataplane");
  EXPECT_EQ(registry.nearest("Xyzzy"), "");
}

TEST(TypeRegistry, FingerprintFollowsWhatDecidesAView) {
  TypeRegistry a, b, c, d;
  TypeInfo info = make("Thing", "things");
  ASSERT_TRUE(a.add(info));
  info.rank = 7;
  ASSERT_TRUE(b.add(info));
  info.scope_labels = {"team"};
  ASSERT_TRUE(c.add(info));
  info.scope_labels.clear();
  info.zone_to_global = true;
  ASSERT_TRUE(d.add(info));
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_NE(a.fingerprint(), c.fingerprint());
  EXPECT_NE(a.fingerprint(), d.fingerprint());
}

}  // namespace
}  // namespace zonesync
