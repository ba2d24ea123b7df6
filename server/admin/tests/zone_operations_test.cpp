// Zone operations, types and explanations at REST.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

class ZoneOperations : public AdminFixture {
 protected:
  ZoneOperations() {
    hub::ZoneStatus east;
    east.name = "east";
    east.connected = true;
    east.acked = Revision{0};
    hub_.set_zone(east);
    hub_.set_zone(hub::ZoneStatus{.name = "west"});
  }
  std::string why(const std::string& query) {
    const auto body = parsed(get("/zones/east/explain?" + query));
    return std::string(body.at("reason").as_string());
  }
  static hub::WriteOp put(const std::string& name, const std::string& mesh = "default") {
    hub::WriteOp op;
    op.resource.key = {"MeshTimeout", mesh, "global", name};
    op.resource.spec = "{}";
    return op;
  }
};

TEST_F(ZoneOperations, an_admin_changes_a_zone_and_it_is_on_record) {
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/disable").status, 204u);
  EXPECT_EQ(parsed(get("/zones/east")).at("enabled"), false);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/enable").status, 204u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/pause").status, 204u);
  EXPECT_EQ(parsed(get("/zones/east")).at("paused"), true);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/resume").status, 204u);
  EXPECT_EQ(call_as(Role::editor, "POST", "/zones/east/pause").status, 403u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/nowhere/pause").status, 404u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/pause", "{\"a\":1}").status, 400u);
  for (const char* event : {"api.zone_disabled", "api.zone_enabled", "api.zone_paused",
                            "api.zone_resumed"}) {
    EXPECT_EQ(logger_->count(event), 1u) << event;
  }
}

TEST_F(ZoneOperations, resync_and_drain_need_a_session) {
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/resync").status, 204u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/west/resync").status, 409u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/drain?retryAfter=5s").status, 204u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/drain?retryAfter=soon").status, 400u);
}

TEST_F(ZoneOperations, the_scope_is_set_and_shown) {
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east/scope",
                    R"({"meshes":["a"],"labels":{"tier":["gold"]}})")
                .status,
            204u);
  const auto body = parsed(get("/zones/east"));
  EXPECT_EQ(body.at("scope").at("meshes").at(0), "a");
  EXPECT_EQ(body.at("scope").at("labels").at("tier").at(0), "gold");
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east/scope", R"({"meshes":"a"})").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east/scope", "[]").status, 400u);
}

TEST_F(ZoneOperations, a_type_is_registered) {
  const std::string widget = R"({"name":"MeshWidget","plural":"meshwidgets",)"
                             R"("global_to_zones":true,"scope_labels":["tier"]})";
  EXPECT_EQ(call_as(Role::admin, "POST", "/types", widget).status, 204u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/types", widget).status, 409u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/types", R"({"name":"x","plural":"x"})").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/types", R"({"plural":"x"})").status, 400u);
  EXPECT_EQ(get("/meshwidgets").status, 200u);
  EXPECT_EQ(logger_->count("api.type_registered"), 1u);
}

TEST_F(ZoneOperations, explain_gives_the_first_reason_that_applies) {
  hub_.write({put("a"), put("b", "other")});
  Resource home;
  home.key = {"MeshTimeout", "default", "global", "home"};
  home.spec = "{}";
  home.labels["kuma.io/kds-sync"] = "disabled";
  hub::WriteOp op;
  op.resource = home;
  hub_.write({op});
  EXPECT_EQ(why("type=Nothing&name=a"), "type_not_registered");
  EXPECT_EQ(why("type=MeshTimeout&mesh=default&name=zzz"), "absent");
  EXPECT_EQ(why("type=MeshTimeout&mesh=default&name=home"), "home");
  EXPECT_EQ(why("type=MeshTimeout&mesh=default&name=a"), "not_acked");
  hub_.ack("east", Revision{100});
  EXPECT_EQ(why("type=MeshTimeout&mesh=default&name=a"), "applied");
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east/scope", R"({"meshes":["other"]})").status,
            204u);
  EXPECT_EQ(why("type=MeshTimeout&mesh=default&name=a"), "out_of_scope");
  EXPECT_EQ(why("type=MeshTimeout&mesh=other&name=b"), "applied");
  EXPECT_EQ(get("/zones/nowhere/explain?type=Mesh&name=a").status, 404u);
}

}  // namespace
}  // namespace zonesync::admin::testing
