// Jobs over REST.
#include <algorithm>

#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

constexpr const char* kDelete = R"({"kind":"delete_mesh","mesh":"default"})";

class Jobs : public AdminFixture {};

TEST_F(Jobs, a_mesh_goes_with_all_that_is_in_it) {
  call("PUT", "/meshes/default", R"({"spec":{}})");
  for (int i = 0; i < 5; ++i) put("n" + std::to_string(i), "1s");
  const HttpResponse plan =
      call("POST", "/jobs?dryRun=true", kDelete, {}, Role::admin);
  EXPECT_EQ(plan.status, 200u) << plan.body;
  EXPECT_EQ(parsed(plan).at("total"), 6);
  EXPECT_EQ(parsed(plan).at("id"), "");
  EXPECT_EQ(parsed(plan).at("state"), "planned") << "nothing runs";
  EXPECT_EQ(parsed(get("/meshtimeouts")).at("items").as_array().size(), 5u);

  const HttpResponse started = call("POST", "/jobs", kDelete, {}, Role::admin);
  EXPECT_EQ(started.status, 202u) << started.body;
  const std::string id(parsed(started).at("id").as_string());
  EXPECT_EQ(started.headers.get("Location"), "/jobs/" + id);
  boost::json::value job;
  do {  // the steps are the hub's own
    job = parsed(get("/jobs/" + id));
  } while (job.at("state") == "running");
  EXPECT_EQ(job.at("state"), "done");
  EXPECT_EQ(job.at("done"), 6);
  EXPECT_TRUE(parsed(get("/meshtimeouts")).at("items").as_array().empty());
  EXPECT_EQ(get("/meshes/default").status, 404u);
  EXPECT_EQ(parsed(get("/jobs")).at("items").as_array().size(), 1u);
  const HttpResponse late = call("POST", "/jobs/" + id + "/cancel", "", {}, Role::admin);
  EXPECT_EQ(late.status, 409u);
}

TEST_F(Jobs, what_is_refused) {
  put("n", "1s");
  EXPECT_EQ(call("POST", "/jobs", kDelete).status, 403u) << "an editor may not";
  const auto post = [&](const std::string& body) {
    return problem(call("POST", "/jobs", body, {}, Role::admin));
  };
  EXPECT_EQ(post("[]").substr(0, 16), "invalid_argument");
  EXPECT_EQ(post(R"({"kind":"x","mesh":"m"})"), "invalid_argument /kind");
  EXPECT_EQ(post(R"({"kind":"delete_mesh"})"), "invalid_argument /mesh");
  EXPECT_EQ(post(R"({"kind":"delete_mesh","mesh":"m","force":true})"), "invalid_argument /force");
  EXPECT_EQ(post(R"({"kind":"delete_mesh","mesh":"nothing"})"), "not_found /mesh");
  EXPECT_EQ(get("/jobs/7").status, 404u);
  EXPECT_EQ(call("POST", "/jobs/7/cancel", "", {}, Role::admin).status, 404u);
}

}  // namespace
}  // namespace zonesync::admin::testing
