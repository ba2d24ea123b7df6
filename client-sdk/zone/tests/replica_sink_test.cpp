#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

const EraId kEra{*id128_from_hex("000102030405060708090a0b0c0d0e0f")};
const ViewId kView{*id128_from_hex("ff0102030405060708090a0b0c0d0eff")};

Cursor at(std::uint64_t revision) { return Cursor{kEra, Revision{revision}, kView}; }

class SinkTest : public ::testing::Test {
 protected:
  SinkTest() {
    sink_.set_on_applied([this](AppliedCut cut) { cuts_.push_back(std::move(cut)); });
  }

  void stage(const std::string& name, std::uint64_t revision, const std::string& spec = "{}") {
    const Change change = make_change(make_resource("Mesh", "", "global", name, spec));
    ASSERT_TRUE(sink_.stage({Revision{revision}, change}));
  }
  void stage_leave(const std::string& name, std::uint64_t revision) {
    const Resource resource = make_resource("Mesh", "", "global", name);
    ASSERT_TRUE(sink_.stage({Revision{revision}, wire::make_leave(make_change(resource).cls,
                                                                  resource.key)}));
  }
  tl::expected<CutResult, CutFailure> commit(CutEnd end) {
    std::optional<tl::expected<CutResult, CutFailure>> answer;
    sink_.commit(end, 1, [&](CommitToken, auto result) { answer = std::move(result); });
    return *answer;
  }
  tl::expected<CutResult, CutFailure> commit_full(std::uint64_t to, bool complete) {
    CutEnd end;
    end.reason = wire::IntentReason::full;
    end.complete = complete;
    end.to = at(to);
    return commit(end);
  }
  tl::expected<CutResult, CutFailure> commit_changes(std::uint64_t from, std::uint64_t to) {
    CutEnd end;
    end.from = at(from);
    end.to = at(to);
    return commit(end);
  }
  void fill(int count, std::uint64_t revision) {
    for (int i = 0; i < count; ++i) stage("m" + std::to_string(i), revision);
  }
  bool has(const std::string& name) {
    return replica_.snapshot()->find({"Mesh", "", "global", name}) != nullptr;
  }

  MemoryReplica replica_;
  ReplicaSink sink_{replica_, {.staging = {.max_bytes = 1u << 20}}};
  std::vector<AppliedCut> cuts_;
};

// ZIP-14: staged or stored, by hash.
TEST_F(SinkTest, OfferedVersionsAreBasesOfPatches) {
  const auto version = [](const std::string& spec) {
    return make_change(make_resource("Mesh", "", "global", "a", spec));
  };
  const Change first = version("{\"v\":1}"), second = version("{\"v\":2}");
  sink_.set_validator("Mesh", [](const Resource&) { return Reject{"invalid", "", "no", false}; });
  stage("a", 1, "{\"v\":1}");
  EXPECT_EQ(sink_.held(first.key, first.hash), first.payload);
  EXPECT_TRUE(sink_.held(first.key, second.hash).empty());
  ASSERT_TRUE(commit_full(1, true));
  EXPECT_EQ(sink_.held(first.key, first.hash), first.payload) << "refused versions, too";
  stage("a", 2, "{\"v\":2}");
  EXPECT_EQ(sink_.held(first.key, second.hash), second.payload);
}

TEST_F(SinkTest, LaterChangeOfAKeyWins) {
  stage("a", 1, "{\"v\":1}");
  stage_leave("a", 2);
  stage("b", 2);
  stage_leave("b", 3);
  stage("a", 3, "{\"v\":3}");
  ASSERT_TRUE(commit_full(3, true));
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("b"));
  EXPECT_EQ(cuts_.back().changes.size(), 1u);
}

TEST_F(SinkTest, ClassMoveInOneRevisionKeepsTheResource) {
  const Resource resource = make_resource("Mesh", "", "global", "a");
  const Change change = make_change(resource);
  Class other = change.cls;
  other.tag = "x";
  ASSERT_TRUE(sink_.stage({Revision{1}, change}));
  ASSERT_TRUE(sink_.stage({Revision{1}, wire::make_leave(other, resource.key)}));
  ASSERT_TRUE(commit_full(1, true));
  EXPECT_TRUE(has("a"));
}

TEST_F(SinkTest, DigestMismatchChangesNothing) {
  stage("a", 1);
  CutEnd end;
  end.to = at(1);
  end.digest = Digest{1, 2, 3};
  const auto result = commit(end);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, CutFailure::Kind::digest_mismatch);
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(sink_.cursor());
}

TEST_F(SinkTest, DigestIsCheckedOverOldAndNew) {
  stage("a", 1);
  stage("b", 1);
  ASSERT_TRUE(commit_full(1, true));
  Digest expected;
  const Change changed = make_change(make_resource("Mesh", "", "global", "a", "{\"v\":2}"));
  expected.add(fingerprint(changed.key), changed.hash);
  ASSERT_TRUE(sink_.stage({Revision{2}, changed}));
  stage_leave("b", 2);
  CutEnd end;
  end.from = at(1);
  end.to = at(2);
  end.digest = expected;
  EXPECT_TRUE(commit(end));
  EXPECT_EQ(replica_.state().digest, expected);
}

TEST_F(SinkTest, CutThatDoesNotContinueIsRefused) {
  ASSERT_TRUE(commit_full(5, true));
  stage("a", 9);
  EXPECT_FALSE(commit_changes(8, 9));
  EXPECT_FALSE(has("a"));
}

TEST_F(SinkTest, MassDeleteIsHeldUntilApprovedOnce) {
  fill(300, 1);
  ASSERT_TRUE(commit_full(1, true));
  for (int round = 0; round < 2; ++round) {
    fill(100, 2);
    const auto held = commit_full(2, true);
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().kind, CutFailure::Kind::hold);
    EXPECT_EQ(held.error().hold_reason, "mass_delete");
    EXPECT_NE(held.error().error.message.find("remove 200 of the 300"), std::string::npos);
    EXPECT_EQ(replica_.snapshot()->size(), 300u);
  }
  sink_.approve_mass_delete();
  fill(100, 2);
  ASSERT_TRUE(commit_full(2, true));
  EXPECT_EQ(replica_.snapshot()->size(), 100u);
  EXPECT_EQ(cuts_.back().changes.size(), 200u);
}

TEST_F(SinkTest, AnApprovalOfNothingLetsNoLaterMassDeletePass) {
  fill(300, 1);
  ASSERT_TRUE(commit_full(1, true));
  sink_.approve_mass_delete();
  fill(100, 2);
  EXPECT_FALSE(commit_full(2, true));
  fill(300, 2);
  ASSERT_TRUE(commit_full(2, true)) << "the removal went away by itself";
  sink_.approve_mass_delete();
  EXPECT_FALSE(commit_full(3, true));
  EXPECT_EQ(replica_.snapshot()->size(), 300u);
}

// FLOW-17: approved, and then the hub had nothing of the kind to say.
TEST_F(SinkTest, AnApprovalEndsWithTheOfferItWasFor) {
  fill(300, 1);
  ASSERT_TRUE(commit_full(1, true));
  fill(100, 2);
  ASSERT_FALSE(commit_full(2, true));
  sink_.approve_mass_delete();
  wire::Intent intent;
  intent.reason = wire::IntentReason::changes;
  sink_.begin(intent);
  fill(100, 3);
  EXPECT_FALSE(commit_full(3, true));
  EXPECT_EQ(replica_.snapshot()->size(), 300u);
}

TEST_F(SinkTest, ARejectWithAnUnusableCodeStillFitsTheWire) {
  sink_.set_validator("Mesh", [](const Resource& resource) -> std::optional<Reject> {
    if (resource.key.name == "thrown") throw 7;
    return Reject{resource.key.name == "empty" ? "" : "bad\ncode", "", "no"};
  });
  for (const char* name : {"empty", "control", "thrown"}) stage(name, 1);
  const auto result = commit_full(1, true);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 3u);
  wire::Ack ack;
  ack.verdicts = result->verdicts;
  std::string message;
  wire::append(message, wire::FlowId::down, ack);
  wire::PacketReader reader(message);
  EXPECT_TRUE(wire::decode_ack((*reader.next())->payload));
}

TEST_F(SinkTest, SmallOrMinorRemovalsPassTheGuard) {
  fill(100, 1);
  ASSERT_TRUE(commit_full(1, true));
  ASSERT_TRUE(commit_full(2, true));
  EXPECT_EQ(replica_.snapshot()->size(), 0u);
  fill(1'000, 3);
  ASSERT_TRUE(commit_changes(2, 3));
  fill(600, 4);
  EXPECT_TRUE(commit_full(4, true));
}

TEST_F(SinkTest, LoggedLeavesAreNeverHeld) {
  fill(300, 1);
  ASSERT_TRUE(commit_full(1, true));
  for (int i = 0; i < 300; ++i) stage_leave("m" + std::to_string(i), 2);
  ASSERT_TRUE(commit_changes(1, 2));
  EXPECT_EQ(replica_.snapshot()->size(), 0u);
}

TEST_F(SinkTest, PartialLogRemovesNothing) {
  fill(300, 1);
  ASSERT_TRUE(commit_full(1, true));
  stage("new", 1);
  ASSERT_TRUE(commit_full(1, false));
  EXPECT_EQ(replica_.snapshot()->size(), 301u);
  EXPECT_EQ(replica_.state().unconfirmed, 300u);
  EXPECT_EQ(replica_.state().digest.count, 1u);
  EXPECT_EQ(cuts_.back().changes.size(), 1u);
}

TEST_F(SinkTest, EqualContentIsNoChangeForTheApplication) {
  fill(10, 1);
  ASSERT_TRUE(commit_full(1, true));
  fill(10, 7);
  ASSERT_TRUE(commit_full(7, true));
  EXPECT_TRUE(cuts_.back().changes.empty());
  EXPECT_EQ(cuts_.back().cursor->revision, Revision{7});
}

TEST_F(SinkTest, IdleMarkWritesNothing) {
  ASSERT_TRUE(commit_full(1, true));
  replica_.fail_next(Error{ErrorCode::storage_io, "must not be called", {}});
  EXPECT_TRUE(commit_changes(1, 1));
  EXPECT_EQ(cuts_.size(), 1u);
}

TEST_F(SinkTest, StageIsBounded) {
  const Change big = make_change(
      make_resource("Mesh", "", "global", "big", "\"" + std::string(600'000, 'x') + "\""));
  Change second = big;
  second.key.name = "big2";
  ASSERT_TRUE(sink_.stage({Revision{1}, big}));
  const auto status = sink_.stage({Revision{1}, second});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::too_large);
}

TEST_F(SinkTest, ThrowingValidatorIsARetryableReject) {
  sink_.set_validator("Mesh", [](const Resource&) -> std::optional<Reject> {
    throw std::runtime_error("validator bug");
  });
  stage("a", 1);
  const auto result = commit_full(1, true);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(result->verdicts[0].reject.retryable);
  EXPECT_TRUE(cuts_.back().changes.empty());
}

TEST(AppliedCut, MergeKeepsTheLaterChangeAndTheOrder) {
  const auto change = [](const char* name, const char* bytes, int rank) {
    return AppliedChange{{"T", "", "global", name},
                         *bytes == '\0' ? SharedBytes() : SharedBytes(std::string(bytes)),
                         Revision{1}, rank};
  };
  AppliedCut first, second;
  first.changes = {change("a", "1", 1), change("b", "1", 2)};
  second.changes = {change("c", "2", 0), change("b", "", 2)};
  const AppliedCut merged = merge_cuts(first, second);
  ASSERT_EQ(merged.changes.size(), 3u);
  EXPECT_EQ(merged.changes[0].key.name, "c");
  EXPECT_EQ(merged.changes[2].key.name, "b");
  EXPECT_TRUE(merged.changes[2].payload.empty());
  first.initial = true;
  EXPECT_EQ(merge_cuts(first, second).changes.size(), 2u);
}

}  // namespace
}  // namespace zonesync::testing
