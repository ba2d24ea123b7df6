#include <gtest/gtest.h>

#include "server/hub/testing/hub_harness.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::policy;
using testing::put;
using testing::remove;

class Write : public ::testing::Test {
 protected:
  Result<PreparedWrite> prepare_ops(std::vector<WriteOp> ops) {
    WriteRequest request;
    request.ops = std::move(ops);
    return prepare(*hub.registry, request);
  }
  HubHarness hub;
};

TEST_F(Write, CreatesUpdatesAndRemoves) {
  const auto created = hub.write({put(policy("a"))});
  ASSERT_TRUE(created);
  EXPECT_EQ(created->outcomes[0].action, WriteAction::created);
  EXPECT_EQ(created->revision, Revision{1});
  EXPECT_TRUE(created->changed);
  const auto updated = hub.write({put(policy("a", "2s"))});
  EXPECT_EQ(updated->outcomes[0].action, WriteAction::updated);
  EXPECT_EQ(updated->outcomes[0].revision, Revision{2});
  const auto removed = hub.write({remove(policy("a").key)});
  EXPECT_EQ(removed->outcomes[0].action, WriteAction::removed);
  EXPECT_TRUE(hub.names("global").empty());
  EXPECT_EQ(hub.write({remove(policy("a").key)})->outcomes[0].action, WriteAction::absent);
}

TEST_F(Write, EqualContentTakesNoRevision) {
  ASSERT_TRUE(hub.write({put(policy("a")), put(policy("b"))}));
  const auto again = hub.write({put(policy("a")), put(policy("b"))});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->revision, Revision{1});
  EXPECT_EQ(again->outcomes[1].action, WriteAction::unchanged);
  EXPECT_EQ(again->outcomes[1].revision, Revision{1});
  EXPECT_EQ(hub.log.state().head, Revision{1});
  EXPECT_EQ(hub.core->counters().writes_unchanged, 1u);
}

TEST_F(Write, LogsOnlyWhatDiffers) {
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  const auto result = hub.write({put(policy("a")), put(policy("b"))});
  EXPECT_EQ(result->outcomes[0].revision, Revision{1});
  EXPECT_EQ(result->outcomes[1].revision, Revision{2});
  ASSERT_EQ(hub.segments.back().transactions[0].changes.size(), 1u);
}

TEST_F(Write, ChangeOfClassIsALeaveAndAnUpsert) {
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  Resource home = policy("a");
  home.labels[std::string(kSyncLabel)] = "disabled";
  ASSERT_TRUE(hub.write({put(home)}));
  const auto& changes = hub.segments.back().transactions[0].changes;
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].kind, ChangeKind::leave);
  EXPECT_EQ(changes[0].cls.tag, "");
  EXPECT_EQ(changes[1].kind, ChangeKind::upsert);
  EXPECT_EQ(changes[1].cls.tag, kHomeTag);
}

TEST_F(Write, IfMatchHolds) {
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  WriteOp op = put(policy("a", "2s"));
  op.if_match = Revision{1};
  EXPECT_TRUE(hub.write({op}));
  const auto late = hub.write({op});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(late.error().field, "/ops/0");
  EXPECT_EQ(hub.core->counters().writes_refused, 1u);
}

TEST_F(Write, IfMatchOnAMissingResource) {
  WriteOp op = remove(policy("a").key);
  op.if_match = Revision{1};
  EXPECT_EQ(hub.write({op}).error().code, ErrorCode::precondition_failed);
}

TEST_F(Write, IfAbsentAfterARemovalHolds) {
  WriteOp op = put(policy("a"));
  op.if_absent = true;
  ASSERT_TRUE(hub.write({op}));
  EXPECT_EQ(hub.write({op}).error().code, ErrorCode::precondition_failed);
  ASSERT_TRUE(hub.write({remove(policy("a").key)}));
  EXPECT_TRUE(hub.write({op}));
}

TEST_F(Write, OneFailedPreconditionStopsTheWholeTransaction) {
  WriteOp bad = put(policy("b"));
  bad.if_match = Revision{7};
  const auto result = hub.write({put(policy("a")), bad});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "/ops/1");
  EXPECT_TRUE(hub.names("global").empty());
}

TEST_F(Write, DryRunJudgesAndLogsNothing) {
  WriteRequest request;
  request.ops = {put(policy("a"))};
  request.dry_run = true;
  const auto answer = hub.submit(request);
  hub.core->pump();
  ASSERT_TRUE(**answer);
  EXPECT_EQ((**answer)->outcomes[0].action, WriteAction::created);
  EXPECT_FALSE((**answer)->changed);
  EXPECT_EQ(hub.log.state().head, Revision{0});
}

TEST_F(Write, SystemTypesAreRefused) {
  Resource resource = policy("a");
  resource.key.type = "$zone";
  const auto result = prepare_ops({put(resource)});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(result.error().field, "/ops/0/type");
  EXPECT_FALSE(prepare_ops({remove(resource.key)}));
}

TEST_F(Write, OnlyWhatGlobalOwnsMayBeWritten) {
  EXPECT_FALSE(prepare_ops({put(dataplane("east", "d"))}));
  Resource unknown = policy("a");
  unknown.key.type = "NoSuchType";
  EXPECT_EQ(prepare_ops({put(unknown)}).error().code, ErrorCode::not_found);
}

TEST_F(Write, TransactionLimitsAndDoubleKeys) {
  EXPECT_EQ(prepare_ops({}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(prepare_ops({put(policy("a")), remove(policy("a").key)}).error().field,
            "/ops/1/name");
  WriteOp both = put(policy("a"));
  both.if_absent = true;
  both.if_match = Revision{1};
  EXPECT_EQ(prepare_ops({both}).error().code, ErrorCode::invalid_argument);
  std::vector<WriteOp> many(limits::kTransactionMaxChanges + 1, put(policy("a")));
  EXPECT_EQ(prepare_ops(many).error().code, ErrorCode::too_large);
  std::vector<WriteOp> big;
  for (int at = 0; at < 5; ++at) {
    big.push_back(put(policy("n" + std::to_string(at), std::string(1u << 20, 'x'))));
  }
  EXPECT_EQ(prepare_ops(big).error().code, ErrorCode::too_large);
}

class Idempotency : public Write {
 protected:
  Result<WriteResult> put_with_key(const std::string& key, const Resource& resource) {
    WriteRequest request;
    request.ops = {put(resource)};
    request.idempotency_key = key;
    const auto answer = hub.submit(request);
    hub.core->pump();
    return **answer;
  }
};

TEST_F(Idempotency, TheSameRequestGetsTheFirstAnswer) {
  const auto first = put_with_key("k", policy("a"));
  ASSERT_TRUE(hub.write({put(policy("a", "changed"))}));
  const auto second = put_with_key("k", policy("a"));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(second->revision, first->revision);
  EXPECT_EQ(second->outcomes, first->outcomes);
  EXPECT_EQ(hub.log.state().head, Revision{2});
}

TEST_F(Idempotency, SurvivesARestart) {
  const auto first = put_with_key("k", policy("a"));
  hub.restart();
  const auto second = put_with_key("k", policy("a"));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(second->outcomes, first->outcomes);
}

TEST_F(Idempotency, OtherContentIsAConflict) {
  ASSERT_TRUE(put_with_key("k", policy("a")));
  EXPECT_EQ(put_with_key("k", policy("b")).error().code, ErrorCode::conflict);
}

TEST_F(Idempotency, TheOldestIsForgottenOverTheBound) {
  hub.options.idempotency_keys_max = 2;
  hub.restart();
  ASSERT_TRUE(put_with_key("1", policy("a", "1")));
  ASSERT_TRUE(put_with_key("2", policy("a", "2")));
  ASSERT_TRUE(put_with_key("3", policy("a", "3")));
  hub.restart();
  EXPECT_FALSE(put_with_key("1", policy("a", "1"))->replayed);
  EXPECT_TRUE(put_with_key("3", policy("a", "3"))->replayed);
}

TEST_F(Idempotency, AKeyTooLongIsRefused) {
  EXPECT_EQ(put_with_key(std::string(limits::kIdempotencyKeyMaxBytes + 1, 'k'), policy("a"))
                .error()
                .code,
            ErrorCode::too_large);
}

}  // namespace
}  // namespace zonesync::hub
