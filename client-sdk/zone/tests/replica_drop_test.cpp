// VIEW-02, VIEW-03: any history of views and of classes that resources move between ends in the
// hub's content, cut by cut, with digests compared and no full answer after the first.
#include <random>

#include "client-sdk/zone/tests/zone_fixture.hpp"
#include "protocol/core/testing/scripted_views.hpp"
#include "protocol/core/testing/session_pair.hpp"

namespace zonesync::testing {
namespace {

const std::vector<std::set<std::string>> kTypes = {
    {}, {"MeshTimeout"}, {"MeshRetry"}, {"MeshRetry", "MeshTimeout"}, {"Mesh"}};
const std::vector<std::set<std::string>> kMeshes = {{}, {}, {"a"}, {"b"}};

/// One history from a seed.
class History {
 public:
  explicit History(unsigned seed, std::size_t hot_tail) : random_(seed), pair_(hot_tail) {
    pair_.hub.views = &feed_;
    pair_.zone.other_sink = &sink_;
    pair_.zone.window_bytes = 3'000;
  }

  void run(int steps) {
    pair_.connect();
    for (int step = 0; step < steps; ++step) {
      act();
      if (HasFatalFailure()) return;
    }
    pair_.pump();
    if (pair_.zone.closed) {
      pair_.connect();
      pair_.pump();
    }
    EXPECT_EQ(pair_.hub_digest(), replica_.state().digest);
    EXPECT_EQ(sink_.counters().intents_full, 1u);
  }

 private:
  static bool HasFatalFailure() { return ::testing::Test::HasFatalFailure(); }
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  void act() {
    const unsigned kind = pick(10);
    if (kind < 5) {
      write();
    } else if (kind < 7) {
      feed_.set(kTypes[pick(static_cast<unsigned>(kTypes.size()))],
                kMeshes[pick(static_cast<unsigned>(kMeshes.size()))]);
    } else if (kind < 9) {
      pair_.pump(pick(6) + 1);
    } else if (pick(4) == 0 && replica_.state().cursor) {
      pair_.cut();
      pair_.connect();
    }
    ASSERT_TRUE(!pair_.zone.closed || pair_.zone.closed->code == 0) << pair_.zone.closed->reason;
  }

  void write() {
    Resource resource = timeout("n" + std::to_string(pick(6)), std::string(pick(900), 'x'));
    resource.key.type = pick(2) == 0 ? "MeshTimeout" : "MeshRetry";
    resource.key.mesh = pick(2) == 0 ? "a" : "b";
    const auto latest = pair_.hub.log.latest(resource.key).value();
    const bool live = latest && latest->kind == ChangeKind::upsert;
    if (live && pick(3) == 0) {
      pair_.hub.write({}, {resource.key});
      return;
    }
    if (pick(4) == 0) resource.labels[std::string(kSyncLabel)] = "disabled";  // another class
    pair_.hub.write({resource});
  }

  std::mt19937 random_;
  SessionPair pair_;
  ScriptedViews feed_{pair_.registry};
  MemoryReplica replica_;
  ReplicaSink sink_{replica_, {.staging = {.max_bytes = 1u << 20}}};
};

/// One resource that lives in classes with tags `a` and `b` in turn.
class MovedResource : public ::testing::Test {
 protected:
  static Class cls(const std::string& tag) { return {"MeshTimeout", "default", "global", tag}; }
  void upsert(const std::string& tag, std::uint64_t revision) {
    ASSERT_TRUE(sink_.stage({Revision{revision}, wire::make_upsert(cls(tag), timeout("k"))}));
  }
  void leave(const std::string& tag, std::uint64_t revision) {
    ASSERT_TRUE(
        sink_.stage({Revision{revision}, wire::make_leave(cls(tag), timeout("k").key)}));
  }
  void commit(std::uint64_t to, const Digest& digest) {
    CutEnd end;
    end.from = replica_.state().cursor;
    end.complete = true;
    end.to.revision = Revision{to};
    end.to.view.id.bytes[0] = ++view_;
    end.digest = digest;
    bool durable = false;
    sink_.commit(end, 1, [&](CommitToken, const auto& result) { durable = result.has_value(); });
    EXPECT_TRUE(durable);
  }
  [[nodiscard]] Digest one(const std::string& tag) const {
    Digest digest;
    const Change change = wire::make_upsert(cls(tag), timeout("k"));
    digest.add(fingerprint(change.key), change.hash);
    return digest;
  }
  [[nodiscard]] std::string tag_now() const {
    const ReplicaEntry* entry = replica_.snapshot()->find(timeout("k").key);
    return entry == nullptr ? "none" : entry->change.cls.tag;
  }

  MemoryReplica replica_;
  ReplicaSink sink_{replica_, {.staging = {.max_bytes = 1u << 20}}};
  std::uint8_t view_ = 0;
};

TEST_F(MovedResource, WhatItWasInAClassThatEntersSaysNothing) {
  upsert("a", 8);
  commit(10, one("a"));
  ASSERT_TRUE(sink_.drop(cls("b")));
  upsert("b", 5);
  leave("b", 8);
  commit(10, one("a"));
  EXPECT_EQ(tag_now(), "a");
}

// VIEW-03: kept from a log that is gone, whose revisions say nothing about this one.
TEST_F(MovedResource, WhatIsUnconfirmedInAnotherClassIsNotNewer) {
  upsert("a", 8);
  commit(10, one("a"));
  wire::Intent anew;
  anew.reason = wire::IntentReason::full;
  sink_.begin(anew);
  CutEnd partial;
  partial.reason = anew.reason;
  partial.to.revision = Revision{2};
  partial.digest = Digest{};
  sink_.commit(partial, 1, [](CommitToken, const auto& result) { EXPECT_TRUE(result); });
  ASSERT_EQ(replica_.state().unconfirmed, 1u);
  sink_.begin(wire::Intent{});
  ASSERT_TRUE(sink_.drop(cls("b")));
  upsert("b", 5);
  commit(6, one("b"));
  EXPECT_EQ(tag_now(), "b");
}

TEST_F(MovedResource, ItMovedAwayBeforeItsNewClassLeft) {
  upsert("a", 8);
  commit(10, one("a"));
  leave("a", 12);
  upsert("b", 12);
  ASSERT_TRUE(sink_.drop(cls("b")));
  commit(12, Digest{});
  EXPECT_EQ(tag_now(), "none");
}

TEST_F(MovedResource, ItComesBackWithTheClassThatEntersAgain) {
  upsert("a", 8);
  commit(10, one("a"));
  leave("a", 12);
  upsert("b", 12);
  ASSERT_TRUE(sink_.drop(cls("b")));
  upsert("b", 5);
  leave("b", 8);
  upsert("b", 12);
  commit(12, one("b"));
  EXPECT_EQ(tag_now(), "b");
}

TEST(ReplicaDrop, AnyHistoryOfViewsEndsInTheHubsContent) {
  for (unsigned seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    History(seed, seed % 3 == 0 ? 1 : limits::kHotTailBytes).run(60);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace zonesync::testing
