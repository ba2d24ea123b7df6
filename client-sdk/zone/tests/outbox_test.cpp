#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  Result<OutboxResult> publish(std::vector<OutboxOp> ops) {
    std::optional<Result<OutboxResult>> answer;
    outbox_.publish(std::move(ops), [&](auto result) { answer = std::move(result); });
    return answer ? *answer : Result<OutboxResult>(fail(ErrorCode::internal, "no answer"));
  }
  static OutboxOp upsert(const std::string& name, const std::string& spec = "{}") {
    return {{}, make_resource("Dataplane", "default", "", name, spec)};
  }

  MemoryChangeLog log_;
  Outbox outbox_{"east", log_, 1u << 20, default_types()};
};

TEST_F(OutboxTest, EachDifferingVersionIsARevision) {
  EXPECT_EQ(publish({upsert("a", "{\"v\":1}")})->revision, Revision{1});
  EXPECT_EQ(publish({upsert("a", "{\"v\":2}")})->revision, Revision{2});
  const auto same = publish({upsert("a", "{\"v\":2}")});
  EXPECT_EQ(same->unchanged, 1u);
  EXPECT_EQ(same->written, 0u);
  EXPECT_EQ(outbox_.head(), Revision{2});
}

TEST_F(OutboxTest, OriginIsOursAndOnlyOurs) {
  ASSERT_TRUE(publish({upsert("a")}));
  EXPECT_EQ(outbox_.present()->at(0).key.origin, "east");
  OutboxOp foreign = upsert("b");
  foreign.resource->key.origin = "west";
  EXPECT_EQ(publish({foreign}).error().code, ErrorCode::forbidden);
}

TEST_F(OutboxTest, GlobalTypeIsRefusedWithItsOwner) {
  const auto result = publish({{{}, make_resource("Mesh", "", "", "t")}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::forbidden);
  EXPECT_EQ(publish({{{}, make_resource("Nonsense", "", "", "t")}}).error().code,
            ErrorCode::not_found);
}

TEST_F(OutboxTest, BatchIsAllOrNothing) {
  const auto result = publish({upsert("a"), {{}, make_resource("Mesh", "", "", "t")}});
  EXPECT_FALSE(result);
  EXPECT_EQ(outbox_.head(), Revision{0});
  EXPECT_FALSE(publish({upsert("a"), upsert("a")}));
}

TEST_F(OutboxTest, LeaveIsLoggedOnce) {
  ASSERT_TRUE(publish({upsert("a")}));
  const OutboxOp leave{{"Dataplane", "default", "", "a"}, std::nullopt};
  EXPECT_EQ(publish({leave})->written, 1u);
  EXPECT_EQ(publish({leave})->unchanged, 1u);
  EXPECT_TRUE(outbox_.present()->empty());
}

TEST_F(OutboxTest, CompleteIsSaidInHello) {
  EXPECT_FALSE(outbox_.info().complete);
  ASSERT_TRUE(outbox_.declare_complete());
  EXPECT_TRUE(outbox_.info().complete);
}

TEST_F(OutboxTest, FailedAppendIsAnError) {
  log_.fail_next(Error{ErrorCode::resource_exhausted, "disk full", {}});
  EXPECT_EQ(publish({upsert("a")}).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(publish({upsert("a")}));
}

TEST(OutboxQueue, WaitsForASlowLogInOrder) {
  MemoryChangeLog log(MemoryChangeLogOptions{.manual_sync = true});
  Outbox outbox("east", log, 1u << 20, default_types());
  std::vector<std::uint64_t> revisions;
  for (int i = 0; i < 3; ++i) {
    outbox.publish({{{}, make_resource("Dataplane", "default", "", "n" + std::to_string(i % 2))}},
                   [&](auto result) { revisions.push_back(result->revision.value); });
  }
  EXPECT_TRUE(revisions.empty());
  log.sync();
  log.sync();
  EXPECT_EQ(revisions, (std::vector<std::uint64_t>{1, 2, 2}));
}

TEST(OutboxVerdicts, NewVersionClearsAReject) {
  MemoryChangeLog log;
  Outbox outbox("east", log, 1u << 20, default_types());
  const ResourceKey key{"Dataplane", "default", "east", "a"};
  const Verdict refused{key, Revision{1}, false, {"invalid", "", "no", false}};
  outbox.publish({{{}, make_resource("Dataplane", "default", "", "a")}}, [](auto) {});
  outbox.on_verdict(refused);
  EXPECT_EQ(outbox.rejects().size(), 1u);
  outbox.publish({{{}, make_resource("Dataplane", "default", "", "a", "{\"n\":1}")}}, [](auto) {});
  EXPECT_TRUE(outbox.rejects().empty());
  // FLOW-24: it was on its way when the newer version was published.
  outbox.on_verdict(refused);
  EXPECT_TRUE(outbox.rejects().empty()) << "a verdict on a version that is gone";
}

}  // namespace
}  // namespace zonesync::testing
