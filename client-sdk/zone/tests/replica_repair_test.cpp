// A repair at the replica: removes, unconfirmed entries, verdicts, the mass-delete guard (REP-06).
#include <set>

#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

Resource mesh(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Mesh", "", "global", name, spec);
}

/// What the sender of the repairs has; answers the sink's own prints, as a sender would.
class ReplicaRepair : public ::testing::Test {
 protected:
  ReplicaRepair() {
    sink_.set_on_applied([this](AppliedCut cut) { cuts_.push_back(std::move(cut)); });
  }
  void fill(int from, int to) {
    for (int i = from; i < to; ++i) there_["m" + std::to_string(i)] = "{}";
  }
  Cursor at(std::uint64_t revision) const { return Cursor{EraId{}, Revision{revision}, ViewId{}}; }

  tl::expected<CutResult, CutFailure> commit(wire::IntentReason reason, bool complete) {
    CutEnd end;
    end.reason = reason;
    end.complete = complete;
    end.to = at(++revision_);
    Digest digest;
    for (const auto& [name, spec] : there_) {
      const Change change = make_change(mesh(name, spec));
      digest.add(fingerprint(change.key), change.hash);
    }
    end.digest = digest;
    std::optional<tl::expected<CutResult, CutFailure>> answer;
    sink_.commit(end, 1, [&](CommitToken, auto result) { answer = std::move(result); });
    return *answer;
  }
  tl::expected<CutResult, CutFailure> full(bool complete = true) {
    wire::Intent intent;
    intent.reason = wire::IntentReason::full;
    sink_.begin(intent);
    for (const auto& [name, spec] : there_) {
      EXPECT_TRUE(sink_.stage({Revision{revision_ + 1}, make_change(mesh(name, spec))}));
    }
    return commit(wire::IntentReason::full, complete);
  }
  tl::expected<CutResult, CutFailure> repair(bool complete = true) {
    wire::Intent intent;
    intent.reason = wire::IntentReason::repair;
    sink_.begin(intent);
    std::map<Id128, Hash128> prints;
    const auto held = sink_.prints();
    for (const Print& print : *held) prints[print.key] = print.hash;
    sent_ = 0;
    std::vector<Change> lacking;
    for (const auto& [name, spec] : there_) {
      const Change change = make_change(mesh(name, spec));
      const auto found = prints.find(fingerprint(change.key));
      if (found == prints.end() || found->second != change.hash) lacking.push_back(change);
      if (found != prints.end()) prints.erase(found);
    }
    for (const auto& [key, hash] : prints) EXPECT_TRUE(sink_.stage_remove(key));
    for (const Change& change : lacking) {
      EXPECT_TRUE(sink_.stage({Revision{revision_ + 1}, change}));
      ++sent_;
    }
    return commit(wire::IntentReason::repair, complete);
  }
  const ReplicaEntry* entry(const std::string& name) {
    return replica_.snapshot()->find(mesh(name).key);
  }

  MemoryReplica replica_;
  ReplicaSink sink_{replica_, {}};
  std::vector<AppliedCut> cuts_;
  std::map<std::string, std::string> there_;
  std::uint64_t revision_ = 0;
  int sent_ = 0;
};

// REP-06
TEST_F(ReplicaRepair, TheApplicationSeesTheDifferenceOnly) {
  fill(0, 50);
  ASSERT_TRUE(full());
  there_["m1"] = "{\"v\":2}";
  there_.erase("m2");
  there_["new"] = "{}";
  ASSERT_TRUE(repair());
  EXPECT_EQ(sent_, 2);
  EXPECT_EQ(cuts_.back().changes.size(), 3u);
  EXPECT_TRUE(cuts_.back().changes.back().payload.empty()) << "the remove comes last";
  EXPECT_EQ(entry("m2"), nullptr);
  EXPECT_EQ(sink_.cursor(), at(revision_));
}

// REP-06, FLOW-16
TEST_F(ReplicaRepair, APartialLogRemovesNothingUntilItIsComplete) {
  fill(0, 20);
  ASSERT_TRUE(full());
  there_.clear();
  there_["m3"] = "{\"v\":2}";
  there_["m4"] = "{}";
  ASSERT_TRUE(repair(false));
  EXPECT_EQ(replica_.snapshot()->size(), 20u);
  EXPECT_EQ(replica_.state().unconfirmed, 18u);
  EXPECT_EQ(replica_.state().digest.count, 2u);
  fill(5, 10);  // published again with equal content: confirmed without being sent
  ASSERT_TRUE(repair(false));
  EXPECT_EQ(sent_, 0);
  EXPECT_EQ(replica_.state().unconfirmed, 13u);
  EXPECT_TRUE(sink_.holds_unconfirmed());
  ASSERT_TRUE(repair(true));
  EXPECT_EQ(replica_.snapshot()->size(), 7u);
  EXPECT_EQ(replica_.state().unconfirmed, 0u);
}

// FLOW-17
TEST_F(ReplicaRepair, AMassDeleteIsHeldUntilApproved) {
  fill(0, 300);
  ASSERT_TRUE(full());
  there_.clear();
  fill(0, 100);
  const auto held = repair();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().hold_reason, "mass_delete");
  EXPECT_EQ(replica_.snapshot()->size(), 300u);
  ASSERT_TRUE(repair(false)) << "a partial log removes nothing, so nothing is held";
  ASSERT_FALSE(repair()) << "held again: what was applied since ended the first hold";
  sink_.approve_mass_delete();
  EXPECT_TRUE(repair());
  EXPECT_EQ(replica_.snapshot()->size(), 100u);
}

// REP-07
TEST_F(ReplicaRepair, VerdictsOfUnchangedVersionsSurvive) {
  fill(0, 10);
  ASSERT_TRUE(full());
  ASSERT_TRUE(sink_.refuse(mesh("m1").key, Revision{1}, Reject{"later", "", "said afterwards"}));
  ASSERT_TRUE(sink_.refuse(mesh("m2").key, Revision{1}, Reject{"later", "", "said afterwards"}));
  ASSERT_TRUE(sink_.refuse(mesh("m3").key, Revision{1}, Reject{"later", "", "said afterwards"}));
  there_["m2"] = "{\"v\":2}";
  there_.erase("m3");
  revision_ = 40;
  const auto result = repair();
  ASSERT_TRUE(result);
  EXPECT_EQ(sent_, 2) << "the rejected one with the revision it has in this log, the changed one";
  ASSERT_NE(entry("m1"), nullptr);
  ASSERT_TRUE(entry("m1")->reject);
  EXPECT_EQ(entry("m1")->reject->code, "later");
  EXPECT_EQ(entry("m1")->revision, Revision{41});
  EXPECT_FALSE(entry("m1")->active().empty()) << "the application goes on seeing what it saw";
  EXPECT_FALSE(entry("m2")->reject);
  std::set<std::string> withdrawn;
  for (const Verdict& verdict : result->verdicts) {
    if (verdict.accepted) withdrawn.insert(verdict.key.name);
    else EXPECT_EQ(verdict.key.name, "m1");
  }
  EXPECT_EQ(withdrawn, (std::set<std::string>{"m2", "m3"}));
}

// REP-06: a change that came after the comparison wins over its remove.
TEST_F(ReplicaRepair, AChangeBehindARemoveWins) {
  fill(0, 5);
  ASSERT_TRUE(full());
  wire::Intent intent;
  intent.reason = wire::IntentReason::repair;
  sink_.begin(intent);
  ASSERT_TRUE(sink_.stage_remove(fingerprint(mesh("m1").key)));
  ASSERT_TRUE(sink_.stage({Revision{9}, make_change(mesh("m1", "{\"v\":9}"))}));
  there_["m1"] = "{\"v\":9}";
  ASSERT_TRUE(commit(wire::IntentReason::repair, true));
  ASSERT_NE(entry("m1"), nullptr);
  EXPECT_EQ(entry("m1")->revision, Revision{9});
}

// REP-06
TEST_F(ReplicaRepair, AWrongDigestChangesNothing) {
  fill(0, 5);
  ASSERT_TRUE(full());
  wire::Intent intent;
  intent.reason = wire::IntentReason::repair;
  sink_.begin(intent);
  const auto prints = sink_.prints();
  for (const Print& print : *prints) ASSERT_TRUE(sink_.stage_remove(print.key));
  const auto result = commit(wire::IntentReason::repair, true);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, CutFailure::Kind::digest_mismatch);
  EXPECT_EQ(replica_.snapshot()->size(), 5u);
  EXPECT_FALSE(sink_.stage_remove(Id128{}) && sink_.stage_remove(Id128{{1}}) &&
               sink_.stage_remove(Id128{{2}}) && sink_.stage_remove(Id128{{3}}) &&
               sink_.stage_remove(Id128{{4}}) && sink_.stage_remove(Id128{{5}}))
      << "more removes than entries";
}

}  // namespace
}  // namespace zonesync::testing
