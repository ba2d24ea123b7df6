// Interrupted catch-ups: what was staged is not sent again, and nothing that may be wrong is used
// (docs/protocol.md STG-*). A whole zone machine against a hub session, the link cut at will.
#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

using namespace std::chrono_literals;

Resource mesh(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Mesh", "", "global", name, spec);
}

Change left(const std::string& name) {
  return wire::make_leave(make_change(mesh(name)).cls, mesh(name).key);
}

/// Digits that do not compress well, different for every number.
std::string noise(std::uint64_t number, std::size_t bytes) {
  std::string text = "{\"v\":\"";
  std::uint64_t state = number * 0x9e3779b97f4a7c15 + 1;
  while (text.size() < bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text += static_cast<char>('A' + state % 58 % 26);
    text += static_cast<char>('a' + state / 61 % 26);
  }
  return text + "\"}";
}

class ResumeTest : public ZoneTest {
 protected:
  void SetUp() override {
    message_target_bytes_ = 4u << 10;
    stage_ = &disk_;
    spill_bytes_ = 64u << 10;
    restart();
  }

  void write(int count, int per_transaction, std::size_t bytes = 300) {
    std::vector<Change> changes;
    for (int i = 0; i < count; ++i) {
      changes.push_back(make_change(mesh("m" + std::to_string(i), noise(i, bytes))));
      if (static_cast<int>(changes.size()) < per_transaction && i + 1 < count) continue;
      hub_.write(std::exchange(changes, {}));
    }
  }

  /// Delivers the hub's messages up to `messages`, then loses the link with one more on its way.
  /// True: nothing was left to say before that. Counts what travelled down, the lost one too.
  bool run(int messages) {
    open();
    for (int delivered = 0; zone_session_ != nullptr;) {
      port_.now_ += 20ms;
      zone_session_->on_tick(port_.now());
      hub_session_->on_tick(port_.now());
      while (auto up = zone_session_->next_message(port_.now())) {
        hub_session_->on_message(std::move(*up), port_.now());
      }
      auto down = hub_session_->next_message(port_.now());
      if (!down && hub_session_->wants_close()) {
        drop(*hub_session_->wants_close());
        return false;
      }
      if (!down) return true;
      down_bytes_ += down->size();
      if (++delivered > messages) {
        drop();
        return false;
      }
      zone_session_->on_message(std::move(*down), port_.now());
      if (zone_session_->wants_close()) {
        pump();
        return false;
      }
    }
    return false;
  }

  void wait_for_retry() {
    port_.now_ += 2min;
    machine_->on_tick(port_.now());
  }

  void restart_process() {
    restart();
    machine_->start();
  }

  void empty_replica() {
    machine_.reset();
    sink_.reset();
    std::destroy_at(&replica_);
    std::construct_at(&replica_, MemoryReplicaOptions{.durable = true});
    restart();
  }

  /// Cuts until what is left fits into `messages`; the number of attempts.
  int run_to_end(int messages, bool restarts) {
    machine_->start();
    for (int attempt = 1; attempt < 2'000; ++attempt) {
      if (run(messages)) return attempt;
      restarts ? restart_process() : wait_for_retry();
    }
    ADD_FAILURE() << "it never ends";
    return 0;
  }

  [[nodiscard]] bool same_as_hub() const {
    const auto expected = hub_.source_->digest_at(hub_.source_->head(), hub_.down_view_);
    return expected && replica_.state().digest == *expected;
  }
  [[nodiscard]] std::uint64_t resumes() const { return machine_->status().counters.resumes; }

  /// A first sync of 400 meshes in transactions of ten, interrupted; something is staged.
  void interrupt_first_sync() {
    write(400, 10);
    machine_->start();
    ASSERT_FALSE(run(8));
    ASSERT_TRUE(sink_->staged());
    ASSERT_TRUE(sink_->staged()->full);
    ASSERT_FALSE(replica_.state().cursor) << "nothing of an open cut is visible";
  }
  /// Goes on to the end. True: what was staged was used.
  bool goes_on() {
    const std::uint64_t before = resumes();
    wait_for_retry();
    EXPECT_TRUE(run(10'000));
    EXPECT_TRUE(same_as_hub());
    EXPECT_EQ(machine_->status().counters.digest_mismatches, 0u);
    EXPECT_EQ(disk_.place(), std::nullopt) << "nothing is left of an applied cut";
    return resumes() > before;
  }

  MemoryStage disk_{true};
  std::uint64_t down_bytes_ = 0;
};

struct Shape {
  int per_transaction;
  bool restarts;
};
class InterruptedFirstSync : public ResumeTest, public ::testing::WithParamInterface<Shape> {};

// STG-01, STG-02, STG-03: one transaction of all, too: the place is inside a revision.
TEST_P(InterruptedFirstSync, CutAtEveryTenthMessageCostsAboutOneFirstSync) {
  write(10'000, GetParam().per_transaction);
  machine_->start();
  ASSERT_TRUE(run(1'000'000));
  ASSERT_TRUE(same_as_hub());
  const std::uint64_t whole = down_bytes_;
  ASSERT_GT(whole, 2'000'000u);

  down_bytes_ = 0;
  drop();
  if (GetParam().restarts) spill_bytes_ = 8u << 10;  // less than comes in one attempt
  empty_replica();
  const int attempts = run_to_end(10, GetParam().restarts);
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(machine_->status().counters.digest_mismatches, 0u);
  EXPECT_GT(attempts, 40);
  // Every attempt pays a handshake, the message that was lost, and what was not spilled yet if the
  // process ended with the link.
  const std::uint64_t lost = GetParam().restarts ? spill_bytes_ : 0;
  EXPECT_LT(down_bytes_, whole * 5 / 4 + static_cast<std::uint64_t>(attempts) * lost);
  RecordProperty("first_sync_bytes", std::to_string(whole));
  RecordProperty("interrupted_bytes", std::to_string(down_bytes_));
  RecordProperty("attempts", attempts);
  std::printf("first sync %llu bytes; in %d attempts %llu bytes\n",
              static_cast<unsigned long long>(whole), attempts,
              static_cast<unsigned long long>(down_bytes_));
}

INSTANTIATE_TEST_SUITE_P(Shapes, InterruptedFirstSync,
                         ::testing::Values(Shape{100, false}, Shape{10'000, false},
                                           Shape{100, true}, Shape{10'000, true}));

// STG-06
TEST_F(ResumeTest, WithoutTheFeatureTheAnswerStartsAnew) {
  features_.resume = false;
  restart();
  interrupt_first_sync();
  ASSERT_TRUE(sink_->staged());
  EXPECT_FALSE(goes_on());
  EXPECT_FALSE(hub_.hellos.back().staged);
}

// STG-02: a reopened log still has what was staged of it.
TEST_F(ResumeTest, AnEraLaterItGoesOn) {
  interrupt_first_sync();
  hub_.reopen();
  hub_.write({make_change(mesh("m3", "{\"new\":1}")), left("m4")});
  EXPECT_TRUE(goes_on());
}

// STG-02: the log lost revisions that were staged, and wrote others since.
TEST_F(ResumeTest, ARewoundLogStartsAnew) {
  interrupt_first_sync();
  hub_.reopen(Revision{3});
  write(200, 5);
  EXPECT_FALSE(goes_on());
  EXPECT_EQ(replica_.state().entries, 200u);
}

// STG-02
TEST_F(ResumeTest, AnotherViewStartsAnew) {
  interrupt_first_sync();
  hub_.down_view_ = View(ViewSpec{.down = true, .zone = "east", .types = {"Mesh"}, .meshes = {"x"}},
                         default_types());
  EXPECT_FALSE(goes_on());
}

// STG-02: superseded entries were trimmed behind and before the place; their successors follow.
TEST_F(ResumeTest, TrimmedEntriesDoNotVoidIt) {
  interrupt_first_sync();
  const Revision place = sink_->staged()->at.revision;
  for (int i = 0; i < 400; i += 3) {
    hub_.write({make_change(mesh("m" + std::to_string(i), "{\"second\":1}"))});
  }
  hub_.trim(hub_.source_->head(), Revision{});
  ASSERT_GT(hub_.source_->state().trim_floor, place);
  EXPECT_TRUE(goes_on());
}

// STG-02: a leave of something that is staged was trimmed before it was sent.
TEST_F(ResumeTest, TrimmedLeavesVoidIt) {
  interrupt_first_sync();
  for (int i = 0; i < 400; i += 3) hub_.write({left("m" + std::to_string(i))});
  hub_.trim(hub_.source_->head(), hub_.source_->head());
  EXPECT_FALSE(goes_on());
}

// STG-02: leaves that were gone before the first sync began: places below that floor are good.
TEST_F(ResumeTest, AFloorThatWasThereBeforeDoesNotVoidIt) {
  write(400, 1);
  for (int i = 0; i < 10; ++i) hub_.write({left("m" + std::to_string(i))});
  hub_.write({make_change(mesh("last"))});
  hub_.trim(hub_.source_->head(), hub_.source_->head());
  machine_->start();
  ASSERT_FALSE(run(8));
  ASSERT_TRUE(sink_->staged());
  ASSERT_LT(sink_->staged()->at.revision, hub_.source_->state().tombstone_floor);
  EXPECT_TRUE(goes_on());
}

// STG-02: leaves of before the place were sent.
TEST_F(ResumeTest, LeavesTrimmedBeforeThePlaceDoNotVoidIt) {
  for (int i = 0; i < 50; ++i) {
    hub_.write({make_change(mesh("gone" + std::to_string(i)))});
    hub_.write({left("gone" + std::to_string(i))});
  }
  interrupt_first_sync();
  ASSERT_GT(sink_->staged()->at.revision, Revision{100});
  hub_.trim(Revision{100}, Revision{100});
  EXPECT_TRUE(goes_on());
}

// STG-08
TEST_F(ResumeTest, ADamagedStageIsNotUsedAfterARestart) {
  interrupt_first_sync();
  while (!disk_.place()) ASSERT_FALSE((wait_for_retry(), run(12)));
  disk_.damage();
  restart_process();
  EXPECT_FALSE(sink_->staged());
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(resumes(), 0u);
}

// STG-08: found only when the cut is about to be applied: nothing of it is, it comes anew.
TEST_F(ResumeTest, AStageThatIsDamagedBeforeTheCommitIsAskedForAnew) {
  interrupt_first_sync();
  while (!disk_.place()) ASSERT_FALSE((wait_for_retry(), run(12)));
  disk_.damage();
  wait_for_retry();
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(disk_.place(), std::nullopt);
}

// STG-08: a lost stage costs a first sync, no more.
TEST_F(ResumeTest, ALostStageStartsAnew) {
  interrupt_first_sync();
  ASSERT_TRUE(disk_.clear());
  restart_process();
  EXPECT_FALSE(sink_->staged());
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
}

// STG-07: the process ends between a spill and the commit.
TEST_F(ResumeTest, ACrashKeepsWhatWasSpilled) {
  interrupt_first_sync();
  while (!disk_.place()) ASSERT_FALSE((wait_for_retry(), run(12)));
  const StagePlace place = *disk_.place();
  restart_process();
  ASSERT_TRUE(sink_->staged());
  EXPECT_EQ(sink_->staged()->at, place.at);
  EXPECT_EQ(sink_->staged()->changes, place.changes);
  EXPECT_EQ(sink_->staging().memory_bytes(), 0u);
  EXPECT_TRUE(goes_on());
}

// STG-07: a stage that was not cleared after its cut became durable is of no use, and of no harm.
TEST_F(ResumeTest, ACrashBetweenTheCommitAndTheClear) {
  write(400, 10);
  machine_->start();
  disk_.fail_clears(Error{ErrorCode::storage_io, "the process dies", {}});
  ASSERT_TRUE(run(10'000));
  ASSERT_TRUE(disk_.place());
  disk_.fail_clears(std::nullopt);
  drop();
  hub_.write({left("m1"), make_change(mesh("late"))});
  restart_process();
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(resumes(), 0u);
  EXPECT_EQ(machine_->status().counters.intents_changes, 1u);
}

// STG-07: memory is bounded by the threshold while a cut is open.
TEST_F(ResumeTest, WhatIsStagedInMemoryIsBounded) {
  write(2'000, 50, 1'000);
  machine_->start();
  open();
  std::uint64_t most = 0;
  for (bool moved = true; moved;) {
    port_.now_ += 20ms;
    moved = false;
    while (auto up = zone_session_->next_message(port_.now())) {
      hub_session_->on_message(std::move(*up), port_.now());
      moved = true;
    }
    if (auto down = hub_session_->next_message(port_.now())) {
      zone_session_->on_message(std::move(*down), port_.now());
      moved = true;
    }
    most = std::max(most, machine_->status().staged_memory_bytes);
  }
  EXPECT_TRUE(same_as_hub());
  EXPECT_LE(most, spill_bytes_ + 2'000);
  EXPECT_GT(machine_->status().counters.spills, 20u);
  EXPECT_EQ(machine_->status().staged_bytes, 0u);
}

// STG-09: the disk is full while staging: held, and what was staged before is not sent again.
TEST_F(ResumeTest, AFullDiskHoldsAndGoesOnLater) {
  write(2'000, 50);
  machine_->start();
  disk_.fail_appends(Error{ErrorCode::resource_exhausted, "no space left on device", {}});
  EXPECT_TRUE(run(10'000));
  EXPECT_EQ(machine_->status().held, "disk_full");
  EXPECT_FALSE(replica_.state().cursor);
  EXPECT_EQ(hub_.holds.back(), "disk_full");
  ASSERT_TRUE(sink_->staged());
  EXPECT_LE(sink_->staging().memory_bytes(), spill_bytes_ + 1'000);
  disk_.fail_appends(std::nullopt);
  const std::uint64_t before = machine_->status().counters.changes_received;
  port_.now_ += 2s;
  pump();
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(resumes(), 1u);
  EXPECT_LT(machine_->status().counters.changes_received - before, 2'000u);
}

// STG-09: a held cut is not sent again.
TEST_F(ResumeTest, AHeldCutIsSentOnce) {
  write(400, 10);
  machine_->hold_application("reloading");
  machine_->start();
  ASSERT_TRUE(run(10'000));
  ASSERT_EQ(machine_->status().held, "application");
  machine_->hold_application(std::nullopt);
  pump();
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(resumes(), 1u);
  EXPECT_EQ(machine_->status().counters.changes_received, 400u);
}

/// A long catch-up is one cut up to the trim floor: interrupted, it goes on too.
TEST_F(ResumeTest, AnInterruptedCatchUpGoesOn) {
  write(300, 10);
  machine_->start();
  ASSERT_TRUE(run(10'000));
  drop();
  const std::uint64_t first = machine_->status().counters.changes_received;
  for (int i = 0; i < 300; ++i) {
    hub_.write({make_change(mesh("m" + std::to_string(i), noise(i + 1'000, 300)))});
  }
  hub_.trim(hub_.source_->head(), Revision{});
  wait_for_retry();
  ASSERT_FALSE(run(8));
  ASSERT_TRUE(sink_->staged());
  EXPECT_FALSE(sink_->staged()->full);
  EXPECT_TRUE(goes_on());
  // The floor is beyond the place: its revision, of one change, comes again as a whole (STG-03).
  EXPECT_EQ(machine_->status().counters.changes_received - first, 301u);
}

// STG-05: a cut to another view holds more than a stretch of the log: it is not resumed.
TEST_F(ResumeTest, ListsAndDropsAreNotResumed) {
  mode_ = SyncMode::v1;
  write(400, 10);
  machine_->start();
  ASSERT_FALSE(run(8));
  EXPECT_FALSE(sink_->staged());
  mode_ = SyncMode::delta;
  wait_for_retry();
  ASSERT_FALSE(run(8));
  ASSERT_TRUE(sink_->staged());
  ASSERT_TRUE(sink_->drop(make_change(mesh("m1")).cls));
  EXPECT_FALSE(sink_->staged());
}

// STG-04: an answer that goes on behind something else.
TEST_F(ResumeTest, AForeignPlaceIsRefused) {
  interrupt_first_sync();
  wait_for_retry();
  open();
  port_.now_ += 20ms;
  while (auto up = zone_session_->next_message(port_.now())) {
    hub_session_->on_message(std::move(*up), port_.now());
  }
  auto down = hub_session_->next_message(port_.now());
  ASSERT_TRUE(down);
  zone_session_->on_message(std::move(*down), port_.now());
  ASSERT_EQ(resumes(), 1u);
  for (int wrong = 0; wrong < 3; ++wrong) {
    SCOPED_TRACE(wrong);
    FlowReceiver receiver({.repair = true, .resume = wrong != 0}, *sink_);
    wire::Intent intent;
    intent.reason = wire::IntentReason::full;
    intent.era = EraId{sink_->staged()->at.era};
    intent.resumed = sink_->staged();
    if (wrong == 1) intent.resumed->changes += 1;
    if (wrong == 2) intent.resumed->at.revision = intent.resumed->at.revision.next();
    const Status status = receiver.on_intent(intent);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().field, "STG-04");
  }
}

}  // namespace
}  // namespace zonesync::testing
