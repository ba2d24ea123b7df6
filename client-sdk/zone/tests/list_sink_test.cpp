// The replica under complete lists: what leaves, what stays, what is judged. docs/protocol.md V1-*.
#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

const EraId kEra{*id128_from_hex("000102030405060708090a0b0c0d0e0f")};
const ViewId kView{*id128_from_hex("ff0102030405060708090a0b0c0d0eff")};

Cursor at(std::uint64_t revision) { return Cursor{kEra, Revision{revision}, kView}; }

class ListSink : public ::testing::Test {
 protected:
  ListSink() {
    sink_.set_on_applied([this](AppliedCut cut) { cuts_.push_back(std::move(cut)); });
    sink_.set_validator("Mesh", [this](const Resource& resource) -> std::optional<Reject> {
      ++judged_;
      if (resource.spec != "{\"bad\":1}") return std::nullopt;
      return Reject{"invalid", "/spec", "bad", false};
    });
  }
  void full(std::uint64_t to, const std::vector<std::string>& names, bool complete = true) {
    wire::Intent intent;
    intent.reason = wire::IntentReason::full;
    sink_.begin(intent);
    ASSERT_TRUE(sink_.list("Mesh"));
    for (const auto& name : names) stage(name, to);
    CutEnd end;
    end.reason = wire::IntentReason::full;
    end.complete = complete;
    end.to = at(to);
    ASSERT_TRUE(commit(end));
  }
  void stage(const std::string& name, std::uint64_t revision, const std::string& spec = "{}",
             const std::string& type = "Mesh") {
    const std::string mesh = type == "Mesh" ? "" : "default";
    const Change change = make_change(make_resource(type, mesh, "global", name, spec));
    ASSERT_TRUE(sink_.stage({Revision{revision}, change}));
  }
  tl::expected<CutResult, CutFailure> commit(CutEnd end) {
    std::optional<tl::expected<CutResult, CutFailure>> answer;
    sink_.commit(end, 1, [&](CommitToken, auto result) { answer = std::move(result); });
    return *answer;
  }
  tl::expected<CutResult, CutFailure> commit_to(std::uint64_t from, std::uint64_t to) {
    CutEnd end;
    end.from = at(from);
    end.to = at(to);
    return commit(end);
  }
  bool has(const std::string& name) {
    return replica_.snapshot()->find({"Mesh", "", "global", name}) != nullptr;
  }

  MemoryReplica replica_;
  ReplicaSink sink_{replica_, {.staging = {.max_bytes = 1u << 20}}};
  std::vector<AppliedCut> cuts_;
  int judged_ = 0;
};

// V1-02
TEST_F(ListSink, WhatAListDoesNotNameLeavesAndWhatIsEqualIsNotTouched) {
  full(1, {"a", "b", "c"});
  judged_ = 0;
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("a", 1);
  stage("c", 2, "{\"v\":2}");
  ASSERT_TRUE(commit_to(1, 2));
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("b"));
  EXPECT_EQ(judged_, 1) << "only the changed version is judged";
  EXPECT_EQ(cuts_.back().changes.size(), 2u);
}

TEST_F(ListSink, TypesThatAreNotListedStay) {
  full(1, {"a"});
  ASSERT_TRUE(sink_.list("MeshTimeout"));
  stage("t", 2, "{}", "MeshTimeout");
  ASSERT_TRUE(commit_to(1, 2));
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(replica_.state().entries, 2u);
}

// FLOW-16 in v1: a log that is not complete removes only what it named before.
TEST_F(ListSink, WhatIsUnconfirmedStaysAndWhatTheLogNamedLeaves) {
  full(1, {"old"});
  full(5, {"new", "gone"}, false);
  ASSERT_EQ(replica_.state().unconfirmed, 1u);
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("new", 5);
  ASSERT_TRUE(commit_to(5, 6));
  EXPECT_TRUE(has("old"));
  EXPECT_TRUE(has("new"));
  EXPECT_FALSE(has("gone"));
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("new", 5);
  stage("old", 1);
  ASSERT_TRUE(commit_to(6, 7));
  EXPECT_EQ(replica_.state().unconfirmed, 0u) << "a list that names it confirms it";
}

// V1-05
TEST_F(ListSink, AVoidedListLeavesNoTrace) {
  full(1, {"a"});
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("x", 2);
  stage("a", 2, "{\"v\":9}");
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("a", 1);
  ASSERT_TRUE(commit_to(1, 3));
  EXPECT_FALSE(has("x"));
  EXPECT_TRUE(cuts_.back().changes.empty());
}

TEST_F(ListSink, ARejectStaysWhileTheSameVersionIsListedAndGoesWithItsResource) {
  full(1, {"a"});
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("a", 2, "{\"bad\":1}");
  auto result = commit_to(1, 2);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_FALSE(result->verdicts[0].accepted);
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("a", 2, "{\"bad\":1}");
  stage("b", 3);
  result = commit_to(2, 3);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->verdicts.empty());
  EXPECT_EQ(replica_.state().rejects, 1u);
  ASSERT_TRUE(sink_.list("Mesh"));
  stage("b", 3);
  result = commit_to(3, 4);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(result->verdicts[0].accepted) << "withdrawn";
  EXPECT_EQ(replica_.state().rejects, 0u);
}

TEST_F(ListSink, AnAbandonedListRemovesNothing) {
  full(1, {"a", "b"});
  ASSERT_TRUE(sink_.list("Mesh"));
  wire::Intent intent;
  intent.reason = wire::IntentReason::changes;
  sink_.begin(intent);
  ASSERT_TRUE(commit_to(1, 2));
  EXPECT_TRUE(has("a") && has("b"));
}

// FLOW-17 in v1
TEST_F(ListSink, AFullAnswerOfListsIsUnderTheMassDeleteGuard) {
  std::vector<std::string> many;
  for (int i = 0; i < 300; ++i) many.push_back("m" + std::to_string(i));
  full(1, many);
  wire::Intent intent;
  intent.reason = wire::IntentReason::full;
  sink_.begin(intent);
  CutEnd end;
  end.reason = wire::IntentReason::full;
  end.complete = true;
  end.to = at(9);
  const auto result = commit(end);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().hold_reason, "mass_delete");
  EXPECT_EQ(replica_.state().entries, 300u);
}

// V1-04
TEST_F(ListSink, ATypeThatDoesNotTravelToZonesIsRefused) {
  sink_.set_carries([](const std::string& type) { return type == "Mesh"; });
  const Status status = sink_.list("Dataplane");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().field, "V1-04");
  EXPECT_EQ(status.error().code, ErrorCode::protocol);
}

}  // namespace
}  // namespace zonesync::testing
