#include <gtest/gtest.h>

#include "server/hub/testing/hub_harness.hpp"

namespace zonesync::hub {
namespace {

using testing::HubHarness;
using testing::policy;
using testing::put;

WriteRequest request_of(WriteOp op, std::string actor = "ann") {
  WriteRequest request;
  request.ops = {std::move(op)};
  request.actor = std::move(actor);
  return request;
}

MemoryChangeLogOptions manual() {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  return options;
}

TEST(Commit, WaitingWritesShareOneSegment) {
  HubHarness hub;
  const auto a = hub.submit(request_of(put(policy("a"))));
  const auto b = hub.submit(request_of(put(policy("b"))));
  hub.core->pump();
  ASSERT_EQ(hub.segments.size(), 1u);
  EXPECT_EQ(hub.segments[0].transactions.size(), 2u);
  EXPECT_EQ((**a)->revision, Revision{1});
  EXPECT_EQ((**b)->revision, Revision{2});
  EXPECT_EQ(hub.core->counters().commits, 1u);
  EXPECT_EQ(hub.core->counters().transactions, 2u);
}

TEST(Commit, PreconditionsSeeTheGroupInProgress) {
  HubHarness hub;
  WriteOp absent = put(policy("a", "second"));
  absent.if_absent = true;
  WriteOp match = put(policy("a", "third"));
  match.if_match = Revision{1};
  const auto first = hub.submit(request_of(put(policy("a"))));
  const auto refused = hub.submit(request_of(absent));
  const auto third = hub.submit(request_of(match));
  hub.core->pump();
  EXPECT_EQ((**first)->outcomes[0].action, WriteAction::created);
  EXPECT_EQ((**refused).error().code, ErrorCode::precondition_failed);
  EXPECT_EQ((**third)->outcomes[0].action, WriteAction::updated);
  EXPECT_EQ(hub.segments.size(), 1u);
}

TEST(Commit, NothingIsAnsweredBeforeItIsDurable) {
  HubHarness hub(manual());
  const auto a = hub.submit(request_of(put(policy("a"))));
  hub.core->pump();
  EXPECT_FALSE(*a);
  EXPECT_EQ(hub.source->head(), Revision{0});
  const auto same = hub.submit(request_of(put(policy("b"))));
  hub.core->pump();
  EXPECT_EQ(hub.log.unsynced(), 1u) << "one segment in flight";
  hub.log.sync();  // answers the first, which starts the second
  EXPECT_TRUE(*a);
  EXPECT_TRUE(*same);
  EXPECT_EQ(hub.segments.size(), 2u);
  EXPECT_TRUE(hub.core->idle());
}

TEST(Commit, AnUnchangedAnswerWaitsForTheGroupItRestsOn) {
  HubHarness hub(manual());
  hub.submit(request_of(put(policy("a"))));
  const auto unchanged = hub.submit(request_of(put(policy("a"))));
  hub.core->pump();
  EXPECT_FALSE(*unchanged);
  hub.log.sync();
  ASSERT_TRUE(*unchanged);
  EXPECT_EQ((**unchanged)->outcomes[0].action, WriteAction::unchanged);
}

TEST(Commit, SourcesTakeTurns) {
  HubCore::Options options;
  options.group_max_changes = 1;
  HubHarness hub({}, options);
  for (int at = 0; at < 3; ++at) {
    hub.submit(request_of(put(policy("flood" + std::to_string(at))), "flood"));
  }
  const auto other = hub.submit(request_of(put(policy("other")), "other"));
  hub.core->pump();
  EXPECT_EQ((**other)->revision, Revision{2});
  EXPECT_EQ(hub.segments.size(), 4u);
}

TEST(Commit, AFullQueueRefusesAndRecovers) {
  HubCore::Options options;
  options.queue.requests = 2;
  HubHarness hub({}, options);
  hub.submit(request_of(put(policy("a"))));
  hub.submit(request_of(put(policy("b"))));
  const auto refused = hub.submit(request_of(put(policy("c"))));
  ASSERT_TRUE(*refused);
  EXPECT_EQ((**refused).error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(hub.core->counters().queue_full, 1u);
  hub.core->pump();
  EXPECT_TRUE(hub.write({put(policy("c"))}));
}

TEST(Commit, QueueBytesAreBoundedButOneLargeWriteAlwaysFits) {
  HubCore::Options options;
  options.queue.bytes = 1'000;
  HubHarness hub({}, options);
  const auto large = hub.submit(request_of(put(policy("a", std::string(5'000, 'x')))));
  const auto refused = hub.submit(request_of(put(policy("b"))));
  EXPECT_TRUE(*refused);
  hub.core->pump();
  EXPECT_TRUE((**large).has_value());
}

TEST(Commit, AStorageErrorStopsEverything) {
  HubHarness hub;
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  hub.log.fail_next(Error{ErrorCode::storage_io, "fsync failed", ""});
  HubCore::Options options;
  const auto first = hub.submit(request_of(put(policy("b"))));
  hub.core->pump();
  EXPECT_EQ((**first).error().code, ErrorCode::storage_io);
  ASSERT_EQ(hub.fatals.size(), 1u);
  const auto later = hub.submit(request_of(put(policy("c"))));
  ASSERT_TRUE(*later);
  EXPECT_EQ((**later).error().code, ErrorCode::storage_io);
  EXPECT_EQ(hub.log.state().head, Revision{1});
}

TEST(Commit, AStorageErrorAnswersWhatWaitsBehind) {
  HubCore::Options options;
  options.group_max_changes = 1;
  HubHarness hub({}, options);
  hub.log.fail_next(Error{ErrorCode::storage_io, "fsync failed", ""});
  const auto first = hub.submit(request_of(put(policy("a"))));
  const auto second = hub.submit(request_of(put(policy("b"))));
  hub.core->pump();
  EXPECT_TRUE(*first && !(**first));
  EXPECT_TRUE(*second && !(**second));
  EXPECT_EQ(hub.fatals.size(), 1u);
}

TEST(Commit, AFullDiskRefusesThatGroupOnly) {
  HubHarness hub;
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  WriteRequest request = request_of(put(policy("a")));
  request.idempotency_key = "k";
  const auto refused = hub.submit(request);
  hub.core->pump();
  EXPECT_EQ((**refused).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(hub.fatals.empty());
  const auto again = hub.submit(request);
  hub.core->pump();
  ASSERT_TRUE((**again).has_value());
  EXPECT_FALSE((**again)->replayed) << "the failed attempt must leave no memory";
}

TEST(Commit, AFullDiskUndoesAnAdmission) {
  HubHarness hub;
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  const auto refused = hub.admit(hub.hello("east", testing::instance(1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, close_code::kTryLater);
  EXPECT_EQ(hub.zones->find("east"), nullptr);
  const auto admitted = hub.admit(hub.hello("east", testing::instance(1)));
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->generation, Generation{1});
}

}  // namespace
}  // namespace zonesync::hub
