// PUT, GET, DELETE and history of one resource.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

class Resources : public AdminFixture {};

TEST_F(Resources, a_put_creates_then_updates_then_changes_nothing) {
  const HttpResponse created = put("a", "1s");
  EXPECT_EQ(created.status, 201u);
  EXPECT_EQ(created.headers.get("ETag"), "\"1\"");
  EXPECT_EQ(created.headers.get("Zonesync-Outcome"), "created");
  const HttpResponse updated = put("a", "2s");
  EXPECT_EQ(updated.status, 200u);
  EXPECT_EQ(updated.headers.get("ETag"), "\"2\"");
  EXPECT_EQ(updated.headers.get("Zonesync-Outcome"), "updated");
  const HttpResponse unchanged = put("a", "2s");
  EXPECT_EQ(unchanged.status, 200u);
  EXPECT_EQ(unchanged.headers.get("ETag"), "\"2\"");
  EXPECT_EQ(unchanged.headers.get("Zonesync-Outcome"), "unchanged");
}

TEST_F(Resources, a_get_gives_the_canonical_text_and_the_etag) {
  const HttpResponse created = put("a", "1s");
  const HttpResponse got = get(timeout_path("a"));
  EXPECT_EQ(got.status, 200u);
  EXPECT_EQ(got.headers.get("ETag"), "\"1\"");
  EXPECT_EQ(got.body,
            R"({"labels":{"kuma.io/origin":"global"},"mesh":"default","name":"a",)"
            R"("spec":{"value":"1s"},"type":"MeshTimeout"})");
  EXPECT_EQ(created.body, got.body);
}

TEST_F(Resources, global_scope_names_and_escapes) {
  const HttpResponse made = call("PUT", "/meshes/my%20mesh", R"({"spec":{}})");
  EXPECT_EQ(made.status, 201u) << made.body;
  EXPECT_EQ(parsed(get("/meshes/my%20mesh")).at("name"), "my mesh");
  EXPECT_EQ(get("/meshes/my%20mesh/history").status, 200u);
}

TEST_F(Resources, a_yaml_body_is_read) {
  const HttpResponse made =
      call("PUT", timeout_path("y"), "type: MeshTimeout\nname: y\nspec:\n  value: 3s\n",
           {{"Content-Type", "application/yaml; charset=utf-8"}});
  EXPECT_EQ(made.status, 201u) << made.body;
  EXPECT_EQ(parsed(get(timeout_path("y"))).at("spec").at("value"), "3s");
}

TEST_F(Resources, a_delete_removes_and_says_so_afterwards) {
  put("a", "1s");
  const HttpResponse removed = call("DELETE", timeout_path("a"));
  EXPECT_EQ(removed.status, 200u);
  EXPECT_EQ(parsed(removed).at("action"), "removed");
  EXPECT_EQ(parsed(removed).at("revision"), 2);
  const HttpResponse gone = get(timeout_path("a"));
  EXPECT_EQ(gone.status, 404u);
  EXPECT_NE(gone.body.find("deleted at revision 2"), std::string::npos);
  EXPECT_EQ(call("DELETE", timeout_path("a")).status, 404u);
  EXPECT_EQ(get(timeout_path("never")).status, 404u);
}

TEST_F(Resources, preconditions) {
  EXPECT_EQ(put("a", "1s", {{"If-None-Match", "*"}}).status, 201u);
  EXPECT_EQ(put("a", "2s", {{"If-None-Match", "*"}}).status, 412u);
  EXPECT_EQ(put("a", "2s", {{"If-Match", "\"1\""}}).status, 200u);
  const HttpResponse lost = put("a", "3s", {{"If-Match", "\"1\""}});
  EXPECT_EQ(lost.status, 412u);
  EXPECT_EQ(problem(lost).substr(0, 19), "precondition_failed");
  EXPECT_EQ(call("DELETE", timeout_path("a"), "", {{"If-Match", "\"1\""}}).status, 412u);
  EXPECT_EQ(call("DELETE", timeout_path("a"), "", {{"If-Match", "\"2\""}}).status, 200u);
}

TEST_F(Resources, preconditions_that_make_no_sense) {
  EXPECT_EQ(problem(put("a", "1s", {{"If-Match", "*"}})), "invalid_argument If-Match");
  EXPECT_EQ(problem(put("a", "1s", {{"If-Match", "W/\"1\""}})), "invalid_argument If-Match");
  EXPECT_EQ(problem(put("a", "1s", {{"If-None-Match", "\"1\""}})),
            "invalid_argument If-None-Match");
  EXPECT_EQ(problem(put("a", "1s", {{"If-None-Match", "*"}, {"If-Match", "\"1\""}})),
            "invalid_argument If-Match");
  EXPECT_EQ(problem(call("DELETE", timeout_path("a"), "", {{"If-None-Match", "*"}})),
            "invalid_argument If-None-Match");
  EXPECT_EQ(hub_.log().state().head.value, 0u);
}

TEST_F(Resources, a_dry_run_judges_and_logs_nothing) {
  const HttpResponse judged = call("PUT", timeout_path("a") + "?dryRun=true", spec("1s"));
  EXPECT_EQ(judged.status, 200u);
  EXPECT_EQ(judged.headers.get("Zonesync-Outcome"), "created");
  EXPECT_FALSE(judged.headers.has("ETag"));
  EXPECT_EQ(hub_.log().state().head.value, 0u);
  EXPECT_EQ(problem(call("PUT", timeout_path("a") + "?dryRun=maybe", spec("1s"))),
            "invalid_argument dryRun");
}

TEST_F(Resources, a_repeated_idempotency_key_replays_and_other_content_conflicts) {
  const HttpHeaders key{{"Idempotency-Key", "k1"}};
  EXPECT_EQ(put("a", "1s", key).status, 201u);
  EXPECT_EQ(put("a", "1s", key).status, 201u);
  EXPECT_EQ(hub_.log().state().head.value, 1u);
  EXPECT_EQ(put("a", "2s", key).status, 409u);
  const HttpHeaders big{{"Idempotency-Key", std::string(129, 'k')}};
  const HttpResponse refused = put("a", "2s", big);
  EXPECT_EQ(refused.status, 413u);
  EXPECT_EQ(problem(refused), "too_large Idempotency-Key");
}

TEST_F(Resources, bodies_that_are_refused_name_the_place) {
  EXPECT_EQ(problem(call("PUT", timeout_path("a"), "{\"spec\":")), "invalid_argument 1:9");
  EXPECT_EQ(problem(call("PUT", timeout_path("a"), R"({"name":"b","spec":{}})")),
            "invalid_argument /name");
  EXPECT_EQ(problem(call("PUT", timeout_path("a"), R"({"specs":{}})")),
            "invalid_argument /specs");
  EXPECT_EQ(call("PUT", timeout_path("a"), R"({"spec":{"a":1,"a":2}})").status, 400u);
  EXPECT_EQ(call("PUT", timeout_path("a"), "[]").status, 400u);
  EXPECT_EQ(call("PUT", timeout_path("a")).status, 400u);
  const HttpHeaders yaml{{"Content-Type", "text/yaml"}};
  EXPECT_EQ(call("PUT", timeout_path("a"), "spec: {}\n---\nspec: {}\n", yaml).status, 400u);
  EXPECT_EQ(call("PUT", timeout_path("a"), "a: [", yaml).status, 400u);
}

TEST_F(Resources, another_content_type_is_refused) {
  const HttpResponse refused =
      put("a", "1s", {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(refused.status, 415u);
  EXPECT_EQ(problem(refused), "unsupported_media_type Content-Type");
}

TEST_F(Resources, unknown_types_and_wrong_scopes_are_explained) {
  const HttpResponse unknown = get("/meshes/default/meshtimeout/a");
  EXPECT_EQ(unknown.status, 404u);
  EXPECT_NE(unknown.body.find("meshtimeouts"), std::string::npos);
  const HttpResponse flat = get("/meshtimeouts/a");
  EXPECT_EQ(flat.status, 404u);
  EXPECT_NE(flat.body.find("/meshes/{mesh}/meshtimeouts/{name}"), std::string::npos);
  EXPECT_EQ(get("/meshes/default/meshes/a").status, 404u);
  EXPECT_EQ(get("/%24zones/a").status, 404u);
}

TEST_F(Resources, only_what_global_owns_is_written_here) {
  const HttpResponse foreign = call("PUT", timeout_path("a") + "?origin=east", spec("1s"));
  EXPECT_EQ(foreign.status, 403u);
  EXPECT_EQ(call("PUT", "/meshes/default/dataplanes/d", R"({"networking":{}})").status, 409u);
  EXPECT_EQ(call("DELETE", timeout_path("a") + "?origin=east").status, 403u);
  EXPECT_EQ(problem(get(timeout_path("a") + "?origin=E%20")), "invalid_argument origin");
}

TEST_F(Resources, a_zones_resource_is_read_with_its_origin) {
  hub_.publish(hub::testing::dataplane("east", "d"));
  const std::string path = "/meshes/default/dataplanes/d";
  EXPECT_EQ(get(path).status, 404u);
  const HttpResponse got = get(path + "?origin=east");
  EXPECT_EQ(got.status, 200u);
  EXPECT_EQ(parsed(got).at("labels").at("kuma.io/zone"), "east");
}

TEST_F(Resources, history_is_newest_first_with_leaves) {
  put("a", "1s");
  put("a", "2s");
  call("DELETE", timeout_path("a"));
  const HttpResponse all = get(timeout_path("a") + "/history");
  const auto body = parsed(all);
  const auto& items = body.at("items").as_array();
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].at("kind"), "leave");
  EXPECT_EQ(items[1].at("revision"), 2);
  EXPECT_EQ(items[1].at("resource").at("spec").at("value"), "2s");
  EXPECT_EQ(parsed(get(timeout_path("a") + "/history?limit=1")).at("items").as_array().size(), 1u);
  EXPECT_EQ(problem(get(timeout_path("a") + "/history?limit=0")), "invalid_argument limit");
  EXPECT_EQ(get(timeout_path("b") + "/history").status, 404u);
}

TEST_F(Resources, errors_of_the_hub_have_their_status) {
  hub_.fail_next({ErrorCode::resource_exhausted, "the commit queue is full", ""});
  const HttpResponse full = put("a", "1s");
  EXPECT_EQ(full.status, 429u);
  EXPECT_EQ(full.headers.get("Retry-After"), "1");
  hub_.fail_next({ErrorCode::resource_exhausted, "the disk is full", ""});
  EXPECT_EQ(put("a", "1s").status, 503u);
  hub_.fail_next({ErrorCode::unavailable, "the hub is stopping", ""});
  EXPECT_EQ(put("a", "1s").status, 503u);
  hub_.fail_next({ErrorCode::held, "held", ""});
  EXPECT_EQ(put("a", "1s").status, 409u);
}

TEST_F(Resources, what_goes_wrong_inside_is_logged_and_not_told) {
  hub_.fail_next({ErrorCode::storage_io, "/var/lib/hub/000012.log: I/O error", ""});
  const HttpResponse broken = put("a", "1s");
  EXPECT_EQ(broken.status, 500u);
  EXPECT_EQ(broken.body.find("/var/lib"), std::string::npos);
  EXPECT_EQ(logger_->count("api.failed"), 1u);
}

TEST_F(Resources, only_an_admin_sees_a_secret_whole) {
  const std::string path = "/meshes/default/secrets/s";
  EXPECT_EQ(call("PUT", path, R"({"data":"aGVsbG8="})").status, 201u);
  for (const std::string& target : {path, path + "/history", std::string("/secrets"),
                                    std::string("/changes")}) {
    for (const Role role : {Role::viewer, Role::editor}) {
      const HttpResponse shown = call_as(role, "GET", target);
      EXPECT_EQ(shown.status, 200u) << target;
      EXPECT_EQ(shown.body.find("aGVsbG8="), std::string::npos) << target;
      EXPECT_NE(shown.body.find(R"("spec":{"redacted":true})"), std::string::npos) << target;
    }
    const HttpResponse whole = call_as(Role::admin, "GET", target);
    EXPECT_NE(whole.body.find("aGVsbG8="), std::string::npos) << target;
  }
  EXPECT_EQ(problem(call("PUT", path, R"({"spec":{"redacted":true}})")),
            "invalid_argument /spec");
}

}  // namespace
}  // namespace zonesync::admin::testing
