// Reads at a revision, differences, and the way back.
#include "protocol/text/json_value.hpp"
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

class Past : public AdminFixture {
 protected:
  /// 1: a=1s · 2: b=1s · 3: a=2s · 4: b gone · 5: c=1s
  void write_history() {
    put("a", "1s");
    put("b", "1s");
    put("a", "2s");
    call("DELETE", timeout_path("b"));
    put("c", "1s");
  }
  std::string value_at(const std::string& name, int revision) {
    const HttpResponse got = get(timeout_path(name) + "?rev=" + std::to_string(revision));
    if (got.status != 200) return std::to_string(got.status);
    return std::string(parsed(got).at("spec").at("value").as_string());
  }
  std::string names_at(int revision) {
    std::string names;
    const auto page = parsed(get("/meshtimeouts?rev=" + std::to_string(revision)));
    EXPECT_EQ(page.at("revision"), revision);
    for (const auto& item : page.at("items").as_array()) {
      names += std::string(item.at("resource").at("name").as_string()) + ' ';
    }
    return names;
  }
  /// "updated a, created c"
  std::string differences(const std::string& query) {
    std::string text;
    std::string offset;
    do {
      const HttpResponse answer = get("/diff?" + query + offset);
      EXPECT_EQ(answer.status, 200u) << answer.body;
      const auto page = parsed(answer);
      for (const auto& item : page.at("items").as_array()) {
        text += (text.empty() ? "" : ", ") + std::string(item.at("change").as_string()) + ' ' +
                std::string(item.at("key").at("name").as_string());
      }
      offset = page.at("next").is_null()
                   ? std::string()
                   : "&offset=" + std::string(page.at("next").as_string());
    } while (!offset.empty());
    return text;
  }
};

TEST_F(Past, one_resource_at_every_revision) {
  write_history();
  EXPECT_EQ(value_at("a", 0), "404");
  EXPECT_EQ(value_at("a", 1), "1s");
  EXPECT_EQ(value_at("a", 2), "1s");
  EXPECT_EQ(value_at("a", 3), "2s");
  EXPECT_EQ(value_at("b", 3), "1s");
  EXPECT_EQ(value_at("b", 4), "404");
  EXPECT_EQ(get(timeout_path("a") + "?rev=2").headers.get("ETag"), "\"1\"");
}

TEST_F(Past, a_list_at_every_revision_in_pages) {
  write_history();
  EXPECT_EQ(names_at(0), "");
  EXPECT_EQ(names_at(2), "a b ");
  EXPECT_EQ(names_at(4), "a ");
  EXPECT_EQ(names_at(5), "a c ");
  const auto first = parsed(get("/meshtimeouts?rev=3&size=1"));
  EXPECT_EQ(first.at("items").as_array().size(), 1u);
  const auto second = parsed(
      get("/meshtimeouts?rev=3&size=1&offset=" + std::string(first.at("next").as_string())));
  EXPECT_EQ(second.at("items").at(0).at("resource").at("name"), "b");
}

TEST_F(Past, beyond_the_head_and_below_the_trim_floor) {
  write_history();
  EXPECT_EQ(problem(get(timeout_path("a") + "?rev=6")), "not_found rev");
  EXPECT_EQ(problem(get("/meshtimeouts?rev=x")), "invalid_argument rev");
  hub_.trim(Revision{3});
  const HttpResponse gone = get(timeout_path("a") + "?rev=2");
  EXPECT_EQ(gone.status, 410u);
  EXPECT_EQ(problem(gone), "gone rev");
  EXPECT_NE(gone.body.find("before revision 3"), std::string::npos);
  EXPECT_EQ(get("/meshtimeouts?rev=2").status, 410u);
  EXPECT_EQ(problem(get("/diff?from=2")), "gone from");
  EXPECT_EQ(problem(get("/diff?from=4&to=1")), "gone to");
  EXPECT_EQ(call("POST", "/revert", R"({"revision":2})").status, 410u);
  EXPECT_EQ(names_at(3), "a b ") << "what the floor itself shows is whole";
}

TEST_F(Past, a_history_that_was_trimmed_is_not_one_that_never_was) {
  write_history();
  const auto text = [&](const std::string& name) {
    return std::string(parsed(get(timeout_path(name) + "/history")).at("detail").as_string());
  };
  EXPECT_EQ(text("never"), "there never was a MeshTimeout/default/never@global");
  hub_.trim(Revision{5}, Revision{4});
  EXPECT_EQ(text("b"), "the log has no version of MeshTimeout/default/b@global (any more): of what "
                       "was removed up to revision 4 nothing is kept");
}

TEST_F(Past, two_states_differ_by_what_was_logged_between_them) {
  write_history();
  EXPECT_EQ(differences("from=0"), "created a, created c");
  EXPECT_EQ(differences("from=2"), "updated a, removed b, created c");
  EXPECT_EQ(differences("from=2&size=1"), "updated a, removed b, created c");
  EXPECT_EQ(differences("from=5&to=2"), "updated a, created b, removed c");
  EXPECT_EQ(differences("from=2&type=Mesh"), "");
  EXPECT_EQ(differences("from=2&origin=east"), "");
  EXPECT_EQ(differences("from=5&to=5"), "");
  const auto page = parsed(get("/diff?from=2&to=3"));
  EXPECT_EQ(page.at("items").at(0).at("before").at("revision"), 1);
  EXPECT_EQ(page.at("items").at(0).at("after").at("revision"), 3);
}

TEST_F(Past, a_change_that_was_taken_back_is_no_difference) {
  put("a", "1s");
  put("a", "2s");
  put("a", "1s");
  put("b", "1s");
  call("DELETE", timeout_path("b"));
  EXPECT_EQ(differences("from=1"), "");
}

TEST_F(Past, parameters_of_a_difference_that_make_no_sense) {
  EXPECT_EQ(problem(get("/diff")), "invalid_argument from");
  EXPECT_EQ(problem(get("/diff?from=0&type=Nothing")).substr(0, 9), "not_found");
  EXPECT_EQ(problem(get("/diff?from=0&offset=1")), "invalid_argument offset");
  EXPECT_EQ(problem(get("/diff?from=0&size=0")), "invalid_argument size");
}

TEST_F(Past, two_versions_of_one_resource_by_field) {
  write_history();
  const auto newest = parsed(get(timeout_path("a") + "/diff"));
  EXPECT_EQ(newest.at("from"), 2);
  EXPECT_EQ(newest.at("changes").at(0).at("path"), "/spec/value");
  EXPECT_EQ(newest.at("changes").at(0).at("before"), "1s");
  EXPECT_EQ(newest.at("changes").at(0).at("after"), "2s");
  const auto made = parsed(get(timeout_path("c") + "/diff"));
  EXPECT_FALSE(made.as_object().contains("before"));
  EXPECT_TRUE(made.at("changes").as_array().empty());
  EXPECT_EQ(parsed(get(timeout_path("a") + "/diff?from=3&to=1")).at("changes").at(0).at("after"),
            "1s");
  EXPECT_EQ(get(timeout_path("never") + "/diff").status, 404u);
}

TEST_F(Past, nobody_but_an_admin_sees_a_secret_in_the_past_or_in_differences) {
  const std::string path = "/meshes/default/secrets/s";
  call("PUT", path, R"({"data":"Zmlyc3Q="})");
  call("PUT", path, R"({"data":"c2Vjb25k"})");
  for (const std::string& target :
       {path + "?rev=1", std::string("/secrets?rev=1"), path + "/diff",
        std::string("/diff?from=0")}) {
    for (const Role role : {Role::viewer, Role::editor}) {
      const HttpResponse shown = call_as(role, "GET", target);
      EXPECT_EQ(shown.status, 200u) << target;
      EXPECT_EQ(shown.body.find("Zmlyc3Q="), std::string::npos) << target;
      EXPECT_EQ(shown.body.find("c2Vjb25k"), std::string::npos) << target;
    }
  }
  EXPECT_EQ(call_as(Role::viewer, "POST", "/revert", R"({"revision":1})").status, 403u);
}

TEST_F(Past, that_a_secret_changed_is_told_and_nothing_about_it) {
  const std::string path = "/meshes/default/secrets/s";
  call("PUT", path, R"({"data":"Zmlyc3Q="})");
  call("PUT", path, R"({"data":"c2Vjb25kLCBtdWNoIGxvbmdlcg=="})");
  call("PUT", path, R"({"labels":{"team":"a"},"data":"c2Vjb25kLCBtdWNoIGxvbmdlcg=="})");
  const auto changes = [&](Role role, const std::string& range) {
    return text::write_canonical(
        parsed(call_as(role, "GET", path + "/diff" + range)).at("changes"));
  };
  for (const Role role : {Role::viewer, Role::editor}) {
    EXPECT_EQ(changes(role, "?from=1&to=2"), R"([{"hidden":true,"path":"/spec"}])");
    EXPECT_EQ(changes(role, "?from=2&to=1"), R"([{"hidden":true,"path":"/spec"}])");
    EXPECT_EQ(changes(role, "?from=2&to=2"), "[]");
    EXPECT_EQ(changes(role, "?from=2&to=3"), R"([{"after":"a","path":"/labels/team"}])")
        << "only what did change";
  }
  EXPECT_NE(changes(Role::admin, "?from=1&to=2").find("Zmlyc3Q="), std::string::npos);
  EXPECT_EQ(differences("from=1&to=2"), "updated s");
}

TEST_F(Past, a_revert_is_a_new_transaction) {
  write_history();
  const HttpResponse plan = call("POST", "/revert?dryRun=true", R"({"revision":2})");
  EXPECT_EQ(plan.status, 200u) << plan.body;
  EXPECT_EQ(parsed(plan).at("outcomes").as_array().size(), 3u);
  EXPECT_EQ(hub_.log().state().head.value, 5u);
  const HttpResponse done = call("POST", "/revert", R"({"revision":2})");
  EXPECT_EQ(parsed(done).at("revision"), 6);
  EXPECT_EQ(parsed(done).at("changed"), true);
  EXPECT_EQ(names_at(6), "a b ");
  EXPECT_EQ(value_at("a", 6), "1s");
  EXPECT_EQ(names_at(5), "a c ") << "the past stays";
  const auto again = parsed(call("POST", "/revert", R"({"revision":2})"));
  EXPECT_EQ(again.at("changed"), false);
  EXPECT_EQ(again.at("revision"), 6);
}

TEST_F(Past, a_revert_takes_what_it_selects_and_never_what_zones_own) {
  write_history();
  call("PUT", "/meshes/m1", R"({"spec":{}})");
  Resource zoned;
  zoned.key = ResourceKey{"MeshTimeout", "default", "east", "z"};
  zoned.spec = R"({"value":"1s"})";
  zoned.labels = {{"kuma.io/origin", "zone"}, {"kuma.io/zone", "east"}};
  hub_.publish(zoned);
  const auto one =
      parsed(call("POST", "/revert", R"({"revision":2,"type":"MeshTimeout","name":"b"})"));
  EXPECT_EQ(one.at("outcomes").as_array().size(), 1u);
  EXPECT_EQ(one.at("outcomes").at(0).at("action"), "created");
  const auto all = parsed(call("POST", "/revert", R"({"revision":0})"));
  EXPECT_EQ(all.at("changed"), true);
  const auto left = parsed(get("/meshtimeouts")).at("items").as_array();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].at("origin"), "east");
}

TEST_F(Past, a_revert_of_what_the_hub_never_owned_is_no_success) {
  write_history();
  Resource zoned;
  zoned.key = ResourceKey{"MeshTimeout", "default", "east", "z"};
  zoned.spec = R"({"value":"1s"})";
  zoned.labels = {{"kuma.io/origin", "zone"}, {"kuma.io/zone", "east"}};
  hub_.publish(zoned);
  const auto revert = [&](const std::string& name) {
    return call("POST", "/revert", R"({"revision":2,"type":"MeshTimeout","mesh":"default",)"
                                   R"("name":")" + name + R"("})");
  };
  EXPECT_EQ(problem(revert("never")), "not_found /name");
  EXPECT_EQ(problem(revert("z")), "not_found /name") << "it is its zone's";
  EXPECT_EQ(revert("a").status, 200u);
  EXPECT_EQ(revert("a").status, 200u) << "it is as it was: no error";
}

TEST_F(Past, bodies_of_a_revert_that_make_no_sense) {
  EXPECT_EQ(problem(call("POST", "/revert", "[]")).substr(0, 16), "invalid_argument");
  EXPECT_EQ(problem(call("POST", "/revert", "{}")), "invalid_argument /revision");
  EXPECT_EQ(problem(call("POST", "/revert", R"({"revision":1.5})")), "invalid_argument /revision");
  EXPECT_EQ(problem(call("POST", "/revert", R"({"revision":1})")), "not_found /revision");
  EXPECT_EQ(problem(call("POST", "/revert", R"({"revision":0,"name":"a"})")),
            "invalid_argument /name");
  EXPECT_EQ(problem(call("POST", "/revert", R"({"revision":0,"rev":1})")),
            "invalid_argument /rev");
}

}  // namespace
}  // namespace zonesync::admin::testing
