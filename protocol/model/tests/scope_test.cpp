#include "protocol/model/scope.hpp"

#include <gtest/gtest.h>

namespace zonesync {
namespace {

std::shared_ptr<const TypeRegistry> registry() {
  static const auto shared = [] {
    TypeRegistry types = TypeRegistry::with_default_types();
    TypeInfo info;
    info.name = "Tenant";
    info.plural = "tenants";
    info.scope = TypeScope::mesh;
    info.global_to_zones = true;
    info.scope_labels = {"tier", "team"};
    EXPECT_TRUE(types.add(info));
    return std::make_shared<const TypeRegistry>(std::move(types));
  }();
  return shared;
}

Resource resource(std::string type, std::string mesh, std::string origin, std::string name,
                  Labels labels = {}) {
  return {{std::move(type), std::move(mesh), std::move(origin), std::move(name)},
          std::move(labels), "{}", ""};
}

Class class_for(const Resource& r) { return class_of(*registry(), r).value(); }

View down(std::string zone, std::set<std::string> withheld = {}) {
  ViewSpec spec;
  spec.zone = std::move(zone);
  spec.withheld_origins = std::move(withheld);
  return {std::move(spec), registry()};
}
View up(std::string zone) {
  ViewSpec spec;
  spec.down = false;
  spec.zone = std::move(zone);
  return {std::move(spec), registry()};
}

TEST(ClassOf, UnregisteredTypeNamesTheCommandAndTheNearest) {
  const Result<Class> cls = class_of(*registry(), resource("MeshTimout", "m", "global", "x"));
  ASSERT_FALSE(cls);
  EXPECT_EQ(cls.error().code, ErrorCode::not_found);
  EXPECT_NE(cls.error().message.find("zonesync types add MeshTimout"), std::string::npos);
  EXPECT_NE(cls.error().message.find("did you mean 'MeshTimeout'"), std::string::npos);
}

TEST(ClassOf, SyncLabelKeepsAtHome) {
  const Resource home =
      resource("MeshTimeout", "m", "global", "x", {{"kuma.io/kds-sync", "disabled"}});
  EXPECT_EQ(class_for(home).tag, kHomeTag);
  const Resource away =
      resource("MeshTimeout", "m", "global", "x", {{"kuma.io/kds-sync", "enabled"}});
  EXPECT_EQ(class_for(away).tag, "");
}

TEST(ClassOf, NameFiltersKeepGlobalKeysAtHome) {
  const auto tag = [](const char* type, const char* name) {
    return class_for(resource(type, "", "global", name)).tag;
  };
  EXPECT_EQ(tag("Config", "kuma-cluster-id"), "");
  EXPECT_EQ(tag("Config", "kuma-internal-config"), kHomeTag);
  for (const char* name : {"envoy-admin-ca", "admin-user-token", "inter-cp-ca",
                           "user-token-revocations", "user-token-signing-key-1",
                           "zone-token-signing-key-1"}) {
    EXPECT_EQ(tag("GlobalSecret", name), kHomeTag) << name;
  }
  EXPECT_EQ(tag("GlobalSecret", "zone-token-signing-public-key-1"), "");
  EXPECT_EQ(tag("GlobalSecret", "my-secret"), "");
}

TEST(ClassOf, ScopeLabelsAreProjectedSortedAndEscaped) {
  const auto tag = [](Labels labels) {
    return class_for(resource("Tenant", "m", "global", "x", std::move(labels))).tag;
  };
  EXPECT_EQ(tag({}), "");
  EXPECT_EQ(tag({{"tier", "gold"}, {"team", "a"}, {"other", "z"}}), "team=a,tier=gold");
  EXPECT_EQ(tag({{"team", "a,tier=b%"}}), "team=a%2Ctier%3Db%25");
  EXPECT_NE(tag({{"team", ""}}), tag({}));
}

struct WriteCase {
  const char* writer;
  const char* type;
  const char* mesh;
  const char* origin;
  ErrorCode code;  // internal = allowed
};
constexpr ErrorCode kAllowed = ErrorCode::internal;
class MayWrite : public testing::TestWithParam<WriteCase> {};

TEST_P(MayWrite, FollowsTheMatrix) {
  const WriteCase& c = GetParam();
  const Resource r = resource(c.type, c.mesh, c.origin, "x");
  const Status written = may_write(*registry(), {c.writer}, r);
  const Status removed = may_remove(*registry(), {c.writer}, r.key);
  EXPECT_EQ(written ? kAllowed : written.error().code, c.code);
  EXPECT_EQ(removed ? kAllowed : removed.error().code, c.code);
}

INSTANTIATE_TEST_SUITE_P(
    Matrix, MayWrite,
    testing::Values(
        WriteCase{"global", "Mesh", "", "global", kAllowed},
        WriteCase{"global", "MeshTimeout", "default", "global", kAllowed},
        WriteCase{"global", "Secret", "default", "global", kAllowed},
        WriteCase{"global", "MeshInsight", "", "global", kAllowed},
        WriteCase{"global", "ServiceInsight", "default", "global", kAllowed},
        WriteCase{"global", "Dataplane", "default", "global", ErrorCode::conflict},
        WriteCase{"global", "DataplaneInsight", "default", "global", ErrorCode::conflict},
        WriteCase{"global", "ZoneIngress", "", "global", ErrorCode::conflict},
        WriteCase{"global", "ZoneEgress", "", "global", ErrorCode::conflict},
        WriteCase{"global", "MeshService", "default", "global", ErrorCode::conflict},
        WriteCase{"global", "Workload", "default", "global", ErrorCode::conflict},
        WriteCase{"global", "MeshZoneAddress", "default", "global", ErrorCode::conflict},
        WriteCase{"global", "MeshTimeout", "default", "east", ErrorCode::forbidden},
        WriteCase{"east", "Dataplane", "default", "east", kAllowed},
        WriteCase{"east", "MeshTimeout", "default", "east", kAllowed},
        WriteCase{"east", "ZoneIngress", "", "east", kAllowed},
        WriteCase{"east", "Dataplane", "default", "west", ErrorCode::forbidden},
        WriteCase{"east", "MeshTimeout", "default", "global", ErrorCode::forbidden},
        WriteCase{"east", "Mesh", "", "east", ErrorCode::forbidden},
        WriteCase{"east", "Secret", "default", "east", ErrorCode::forbidden},
        WriteCase{"east", "MeshInsight", "", "east", ErrorCode::forbidden},
        WriteCase{"global", "Nope", "", "global", ErrorCode::not_found},
        WriteCase{"global", "$zone", "", "global", ErrorCode::not_found},
        WriteCase{"global", "Mesh", "default", "global", ErrorCode::invalid_argument},
        WriteCase{"global", "MeshTimeout", "", "global", ErrorCode::invalid_argument},
        WriteCase{"global", "MeshTimeout", "a/b", "global", ErrorCode::invalid_argument},
        WriteCase{"East", "Dataplane", "default", "East", ErrorCode::invalid_argument}));

TEST(MayWriteText, ConflictNamesTheOwner) {
  const Status status =
      may_write(*registry(), {"global"}, resource("Dataplane", "default", "global", "x"));
  EXPECT_EQ(status.error().message,
            "Dataplane is provided by zones; publish it from a zone agent");
}

TEST(MayWriteLabels, DerivedLabelsMustBeTrue) {
  const auto write = [](const char* origin, Labels labels) {
    return may_write(*registry(), {origin},
                     resource("MeshTimeout", "default", origin, "x", std::move(labels)));
  };
  EXPECT_TRUE(write("global", {{"kuma.io/origin", "global"}}));
  EXPECT_TRUE(write("east", {{"kuma.io/origin", "zone"}, {"kuma.io/zone", "east"}}));
  EXPECT_FALSE(write("global", {{"kuma.io/origin", "zone"}}));
  EXPECT_FALSE(write("global", {{"kuma.io/zone", "east"}}));
  EXPECT_FALSE(write("east", {{"kuma.io/origin", "global"}}));
  const Status foreign = write("east", {{"kuma.io/zone", "west"}});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(foreign.error().field, "/labels/kuma.io~1zone");
}

TEST(MayWriteLabels, LimitsHold) {
  const auto write = [](Labels labels) {
    return may_write(*registry(), {"global"},
                     resource("Mesh", "", "global", "x", std::move(labels)));
  };
  Labels many;
  for (std::size_t i = 0; i < limits::kLabelsMax; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_TRUE(write(many));
  many["one-more"] = "v";
  EXPECT_EQ(write(many).error().code, ErrorCode::too_large);
  EXPECT_EQ(write({{"k", std::string(limits::kLabelsMaxBytes, 'v')}}).error().code,
            ErrorCode::too_large);
  EXPECT_EQ(write({{"", "v"}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(write({{"k", "\xff"}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(write({{"k", "a\nb"}}).error().field, "/labels/k");
}

TEST(MayWriteSize, SpecAndStatusCountTogether) {
  Resource r = resource("Mesh", "", "global", "x");
  r.spec = std::string(limits::kResourceMaxBytes - 1, ' ');
  EXPECT_TRUE(may_write(*registry(), {"global"}, r));
  r.status = "{}";
  EXPECT_EQ(may_write(*registry(), {"global"}, r).error().code, ErrorCode::too_large);
}

TEST(StripDerivedLabels, LeavesOneStoredForm) {
  Resource r = resource("MeshTimeout", "default", "east", "x",
                        {{"kuma.io/origin", "zone"}, {"kuma.io/zone", "east"}, {"team", "a"}});
  ASSERT_TRUE(strip_derived_labels(r));
  EXPECT_EQ(r.labels, (Labels{{"team", "a"}}));
  const Labels shown = labels_for_output(r);
  EXPECT_EQ(shown.at("kuma.io/origin"), "zone");
  EXPECT_EQ(shown.at("kuma.io/zone"), "east");
  EXPECT_EQ(shown.at("team"), "a");
}

TEST(StripDerivedLabels, RefusesAndKeepsOnContradiction) {
  Resource r = resource("MeshTimeout", "default", "east", "x",
                        {{"kuma.io/origin", "zone"}, {"kuma.io/zone", "west"}});
  EXPECT_FALSE(strip_derived_labels(r));
  EXPECT_EQ(r.labels.size(), 2u);
}

TEST(LabelsForOutput, GlobalHasNoZone) {
  const Labels shown = labels_for_output(resource("Mesh", "", "global", "x"));
  EXPECT_EQ(shown, (Labels{{"kuma.io/origin", "global"}}));
}

TEST(ViewAdmits, DownSeesGlobalAndCrossZoneButNeverItsOwn) {
  const View view = down("west");
  EXPECT_TRUE(view.admits({"Mesh", "", "global", ""}));
  EXPECT_TRUE(view.admits({"MeshTimeout", "m", "global", ""}));
  EXPECT_TRUE(view.admits({"MeshTimeout", "m", "east", ""}));
  EXPECT_TRUE(view.admits({"ZoneIngress", "", "east", ""}));
  EXPECT_FALSE(view.admits({"ZoneIngress", "", "west", ""}));
  EXPECT_FALSE(view.admits({"MeshTimeout", "m", "west", ""}));
  EXPECT_FALSE(view.admits({"Dataplane", "m", "east", ""}));
  EXPECT_FALSE(view.admits({"MeshGateway", "m", "east", ""}));  // up, but not across
  EXPECT_FALSE(view.admits({"MeshInsight", "", "global", ""}));
  EXPECT_FALSE(view.admits({"MeshTimeout", "m", "global", "home"}));
  EXPECT_FALSE(view.admits({"$zone", "", "global", ""}));
  EXPECT_FALSE(view.admits({"Unknown", "", "global", ""}));
}

TEST(ViewAdmits, DisabledZonesAreWithheldFromOthers) {
  const View view = down("west", {"east"});
  EXPECT_FALSE(view.admits({"ZoneIngress", "", "east", ""}));
  EXPECT_TRUE(view.admits({"ZoneIngress", "", "north", ""}));
  EXPECT_TRUE(view.admits({"Mesh", "", "global", ""}));
}

TEST(ViewAdmits, UpIsTheZonesOwnOriginOnly) {
  const View view = up("east");
  EXPECT_TRUE(view.admits({"Dataplane", "m", "east", ""}));
  EXPECT_TRUE(view.admits({"MeshTimeout", "m", "east", ""}));
  EXPECT_FALSE(view.admits({"Dataplane", "m", "west", ""}));
  EXPECT_FALSE(view.admits({"MeshTimeout", "m", "global", ""}));
  EXPECT_FALSE(view.admits({"Mesh", "", "east", ""}));
  EXPECT_FALSE(view.admits({"Dataplane", "m", "east", "home"}));
}

TEST(ViewAdmits, NarrowingByTypeAndMesh) {
  ViewSpec spec;
  spec.zone = "west";
  spec.types = {"Mesh", "MeshTimeout"};
  spec.meshes = {"a"};
  const View view(spec, registry());
  EXPECT_TRUE(view.admits({"MeshTimeout", "a", "global", ""}));
  EXPECT_FALSE(view.admits({"MeshTimeout", "b", "global", ""}));
  EXPECT_FALSE(view.admits({"MeshRetry", "a", "global", ""}));
  EXPECT_TRUE(view.admits({"Mesh", "", "global", ""}));
}

TEST(ViewId, IsAFunctionOfSpecAndRegistry) {
  EXPECT_EQ(down("west").id(), down("west").id());
  EXPECT_NE(down("west").id(), down("east").id());
  EXPECT_NE(down("west").id(), up("west").id());
  EXPECT_NE(down("west").id(), down("west", {"east"}).id());
  ViewSpec types, meshes;
  types.zone = meshes.zone = "west";
  types.types = {"x"};
  meshes.meshes = {"x"};
  EXPECT_NE(View(types, registry()).id(), View(meshes, registry()).id());
  const auto other = std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  EXPECT_NE(View({.zone = "west"}, other).id(), down("west").id());
}

}  // namespace
}  // namespace zonesync
