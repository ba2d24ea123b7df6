// Interrupted catch-ups: what was staged is not sent again, and nothing that may be wrong is used
// (docs/protocol.md STG-*). A whole zone machine against a hub session, the link cut at will.
#include "client-sdk/zone/tests/resume_fixture.hpp"

namespace zonesync::testing {
namespace {

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
