// POST /transactions.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

class Transactions : public AdminFixture {
 protected:
  HttpResponse post(const std::string& operations, HttpHeaders headers = {},
                    const std::string& query = {}) {
    return call("POST", "/transactions" + query, "{\"operations\":[" + operations + "]}",
                std::move(headers));
  }
  static std::string upsert(const std::string& name, const std::string& value,
                            const std::string& more = {}) {
    return R"({"op":"upsert","resource":{"type":"MeshTimeout","name":")" + name +
           R"(","spec":{"value":")" + value + "\"}}" + more + "}";
  }
  static std::string remove(const std::string& name, const std::string& more = {}) {
    return R"({"op":"remove","key":{"type":"MeshTimeout","name":")" + name + "\"}" + more + "}";
  }
};

TEST_F(Transactions, operations_take_one_revision_together) {
  put("old", "1s");
  const HttpResponse done = post(upsert("a", "1s") + ',' + upsert("b", "1s") + ',' +
                                 remove("old") + ',' + remove("never"));
  ASSERT_EQ(done.status, 200u) << done.body;
  const auto body = parsed(done);
  EXPECT_EQ(body.at("revision"), 2);
  EXPECT_EQ(body.at("changed"), true);
  const auto& outcomes = body.at("outcomes").as_array();
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(outcomes[0].at("action"), "created");
  EXPECT_EQ(outcomes[0].at("key").at("mesh"), "default");
  EXPECT_EQ(outcomes[2].at("action"), "removed");
  EXPECT_EQ(outcomes[3].at("action"), "absent");
}

TEST_F(Transactions, one_refused_operation_refuses_all) {
  const HttpResponse refused =
      post(upsert("a", "1s") + ',' + upsert("b", "1s", R"(,"ifMatch":7)"));
  EXPECT_EQ(refused.status, 412u) << refused.body;
  EXPECT_EQ(get(timeout_path("a")).status, 404u);
  EXPECT_EQ(post(upsert("a", "1s", R"(,"ifAbsent":true)")).status, 200u);
  EXPECT_EQ(post(upsert("a", "2s", R"(,"ifAbsent":true)")).status, 412u);
  EXPECT_EQ(post(remove("a", R"(,"ifMatch":1)")).status, 200u);
}

TEST_F(Transactions, a_repeated_key_is_refused_with_its_place) {
  const HttpResponse refused = post(upsert("a", "1s") + ',' + upsert("a", "2s"));
  EXPECT_EQ(refused.status, 400u);
  EXPECT_EQ(problem(refused).substr(0, 30), "invalid_argument /operations/1") << refused.body;
}

TEST_F(Transactions, dry_run_and_replay) {
  const auto judged = parsed(post(upsert("a", "1s"), {}, "?dryRun=true"));
  EXPECT_EQ(judged.at("changed"), false);
  EXPECT_EQ(hub_.log().state().head.value, 0u);
  const HttpHeaders key{{"Idempotency-Key", "t1"}};
  EXPECT_EQ(parsed(post(upsert("a", "1s"), key)).at("replayed"), false);
  const auto replayed = parsed(post(upsert("a", "1s"), key));
  EXPECT_EQ(replayed.at("replayed"), true);
  EXPECT_EQ(replayed.at("revision"), 1);
}

TEST_F(Transactions, nothing_changed_takes_no_revision) {
  post(upsert("a", "1s"));
  const auto again = parsed(post(upsert("a", "1s")));
  EXPECT_EQ(again.at("changed"), false);
  EXPECT_EQ(again.at("outcomes").at(0).at("action"), "unchanged");
}

TEST_F(Transactions, yaml_is_read) {
  const HttpResponse done = call("POST", "/transactions",
                                 "operations:\n- op: upsert\n  resource:\n    type: Mesh\n"
                                 "    name: default\n",
                                 {{"Content-Type", "application/yaml"}});
  EXPECT_EQ(done.status, 200u) << done.body;
}

TEST_F(Transactions, wrong_bodies_name_the_field) {
  const auto refusal = [this](const std::string& operations) {
    return problem(post(operations));
  };
  EXPECT_EQ(refusal(""), "invalid_argument /operations");
  EXPECT_EQ(refusal("7"), "invalid_argument /operations/0");
  EXPECT_EQ(refusal(R"({"op":"put"})"), "invalid_argument /operations/0/op");
  EXPECT_EQ(refusal(R"({"op":1})"), "invalid_argument /operations/0/op");
  EXPECT_EQ(refusal(R"({"op":"upsert","force":true})"), "invalid_argument /operations/0/force");
  EXPECT_EQ(refusal(R"({"op":"upsert"})"), "invalid_argument /operations/0");
  EXPECT_EQ(refusal(R"({"op":"remove","resource":{}})"), "invalid_argument /operations/0");
  EXPECT_EQ(refusal(R"({"op":"remove","key":7})"), "invalid_argument /operations/0/key");
  EXPECT_EQ(refusal(R"({"op":"remove","key":{"kind":"x"}})"),
            "invalid_argument /operations/0/key/kind");
  EXPECT_EQ(refusal(R"({"op":"remove","key":{"type":"Nope","name":"a"}})"),
            "not_found /operations/0/key/type");
  EXPECT_EQ(refusal(R"({"op":"upsert","resource":{"type":"MeshTimeout"}})"),
            "invalid_argument /operations/0/resource/name");
  EXPECT_EQ(refusal(upsert("a", "1s", R"(,"ifMatch":-1)")),
            "invalid_argument /operations/0/ifMatch");
  EXPECT_EQ(refusal(upsert("a", "1s", R"(,"ifMatch":1.5)")),
            "invalid_argument /operations/0/ifMatch");
  EXPECT_EQ(refusal(upsert("a", "1s", R"(,"ifAbsent":1)")),
            "invalid_argument /operations/0/ifAbsent");
  EXPECT_EQ(problem(call("POST", "/transactions", "[]")), "invalid_argument");
  EXPECT_EQ(problem(call("POST", "/transactions", R"({"ops":[]})")), "invalid_argument /ops");
}

TEST_F(Transactions, system_types_and_foreign_origins_are_refused) {
  EXPECT_EQ(post(R"({"op":"upsert","resource":{"type":"$zone","name":"a"}})").status, 404u);
  EXPECT_EQ(post(R"({"op":"remove","key":{"type":"$zone","name":"a"}})").status, 404u);
  EXPECT_EQ(post(R"({"op":"remove","key":{"type":"MeshTimeout","name":"a","origin":"east"}})")
                .status, 403u);
  EXPECT_EQ(hub_.log().state().head.value, 0u);
}

TEST_F(Transactions, too_many_operations_are_refused) {
  std::string operations = remove("a0");
  for (std::size_t i = 1; i <= limits::kTransactionMaxChanges; ++i) {
    operations += ',' + remove("a" + std::to_string(i));
  }
  EXPECT_EQ(problem(post(operations)), "too_large /operations");
}

}  // namespace
}  // namespace zonesync::admin::testing
