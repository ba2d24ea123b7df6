// POST /store/checkpoint and /store/complete.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

class Store : public AdminFixture {};

TEST_F(Store, an_admin_makes_a_checkpoint) {
  const auto made = call_as(Role::admin, "POST", "/store/checkpoint", R"({"name":"nightly"})");
  EXPECT_EQ(made.status, 201u) << made.body;
  EXPECT_NE(made.body.find("nightly"), std::string::npos);
  EXPECT_EQ(call_as(Role::admin, "POST", "/store/checkpoint").status, 201u);
  EXPECT_EQ(logger_->count("api.checkpoint_made"), 2u);
}

TEST_F(Store, bodies_that_are_no_name_are_refused) {
  for (const char* body : {"nonsense", "[]", R"({"name":1})", R"({"path":"/etc"})"}) {
    EXPECT_EQ(call_as(Role::admin, "POST", "/store/checkpoint", body).status, 400u) << body;
  }
  EXPECT_EQ(call_as(Role::admin, "POST", "/store/complete", R"({"a":1})").status, 400u);
}

TEST_F(Store, nobody_else_may) {
  for (const Role role : {Role::viewer, Role::editor}) {
    EXPECT_EQ(call_as(role, "POST", "/store/checkpoint").status, 403u);
    EXPECT_EQ(call_as(role, "POST", "/store/complete").status, 403u);
  }
}

TEST_F(Store, errors_have_their_status_and_no_inner_text) {
  hub_.fail_next({ErrorCode::conflict, "it exists", "nightly"});
  EXPECT_EQ(call_as(Role::admin, "POST", "/store/checkpoint").status, 409u);
  hub_.fail_next({ErrorCode::storage_io, "secret path", ""});
  const auto failed = call_as(Role::admin, "POST", "/store/checkpoint");
  EXPECT_EQ(failed.status, 500u);
  EXPECT_EQ(failed.body.find("secret path"), std::string::npos);
  EXPECT_EQ(logger_->count("api.failed"), 1u);
}

TEST_F(Store, the_log_is_declared_complete) {
  EXPECT_EQ(call_as(Role::admin, "POST", "/store/complete").status, 204u);
  EXPECT_EQ(logger_->count("api.log_complete"), 1u);
}

}  // namespace
}  // namespace zonesync::admin::testing
