// FLOW-17 at the zone: who approves, and that no approval waits for a later hold.
#include "client-sdk/agent/approval.hpp"

#include <gtest/gtest.h>

#include "client-sdk/agent/orders.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

constexpr const char* kText = "a replacement would remove 900 of the 1000 resources";

class Approval : public ::testing::Test {
 protected:
  static client::ClientStatus status(const std::string& held) {
    client::ClientStatus now;
    now.held = held;
    if (!held.empty()) now.held_text = kText;
    return now;
  }
  std::string answer() const { return slurp(store.path() / "mass-delete.answer"); }

  TemporaryDirectory store;
  std::shared_ptr<CapturingLogger> log = std::make_shared<CapturingLogger>();
  int approved = 0;
  ApprovalDesk desk{store.path(), log, [this] { ++approved; }};
};

TEST_F(Approval, AHoldIsLoggedOnceWithNumbersAndTheCommand) {
  desk.on_status(status(""));
  EXPECT_EQ(log->count("agent.mass_delete.held"), 0u);
  desk.on_status(status("mass_delete"));
  desk.on_status(status("mass_delete"));
  ASSERT_EQ(log->count("agent.mass_delete.held"), 1u);
  const LogEvent said = log->events().back();
  EXPECT_EQ(said.message, kText);
  EXPECT_EQ(said.fields.back().value, "zonesync-agent approve --store " + store.path().string());
  desk.on_status(status(""));
  desk.on_status(status("mass_delete"));
  EXPECT_EQ(log->count("agent.mass_delete.held"), 2u) << "a new hold is said anew";
}

TEST_F(Approval, AnOrderApprovesWhatIsHeldOnce) {
  desk.look(status("mass_delete"));
  EXPECT_EQ(approved, 0) << "nobody gave an order";
  ASSERT_TRUE(give_order(store.path(), Order::approve));
  desk.look(status("mass_delete"));
  desk.look(status("mass_delete"));
  EXPECT_EQ(approved, 1);
  EXPECT_EQ(log->count("agent.mass_delete.approved"), 1u);
  EXPECT_EQ(answer(), std::string("approved: ") + kText);
}

TEST_F(Approval, AnOrderWithNothingHeldIsTakenAwayAndApprovesNoLaterHold) {
  for (const char* held : {"", "disk_full"}) {
    ASSERT_TRUE(give_order(store.path(), Order::approve));
    desk.look(status(held));
  }
  EXPECT_EQ(log->count("agent.mass_delete.not_held"), 2u);
  EXPECT_TRUE(answer().starts_with("nothing is held")) << answer();
  desk.look(status("mass_delete"));
  EXPECT_EQ(approved, 0);
}

TEST_F(Approval, TheCommandWithdrawsAnOrderThatNoAgentTakes) {
  const auto alone = approve_mass_delete(store.path(), 0ms);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(take_order(store.path(), Order::approve));
  const auto nowhere = approve_mass_delete(store.path() / "none", 0ms);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace zonesync::agent
