// What is staged of an interrupted catch-up, and the disk: spilled, kept by a stop, full, damaged
// (docs/protocol.md STG-07 to STG-09).
#include "client-sdk/zone/tests/resume_fixture.hpp"

namespace zonesync::testing {
namespace {

using ResumeDiskTest = ResumeTest;

// STG-08
TEST_F(ResumeDiskTest, ADamagedStageIsNotUsedAfterARestart) {
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
TEST_F(ResumeDiskTest, AStageThatIsDamagedBeforeTheCommitIsAskedForAnew) {
  interrupt_first_sync();
  while (!disk_.place()) ASSERT_FALSE((wait_for_retry(), run(12)));
  disk_.damage();
  wait_for_retry();
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(disk_.place(), std::nullopt);
}

// STG-08: a lost stage costs a first sync, no more.
TEST_F(ResumeDiskTest, ALostStageStartsAnew) {
  interrupt_first_sync();
  ASSERT_TRUE(disk_.clear());
  restart_process();
  EXPECT_FALSE(sink_->staged());
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
}

// STG-07: the process ends between a spill and the commit.
TEST_F(ResumeDiskTest, ACrashKeepsWhatWasSpilled) {
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

// STG-07: an orderly stop keeps what would have waited for the next spill.
TEST_F(ResumeDiskTest, AnOrderlyStopKeepsWhatWasStaged) {
  interrupt_first_sync();
  ASSERT_FALSE(disk_.place()) << "not spilled yet";
  const auto place = sink_->staged();
  const std::uint64_t before = machine_->status().counters.changes_received;
  ASSERT_TRUE(sink_->flush_staged());
  EXPECT_EQ(sink_->staging().memory_bytes(), 0u);
  ASSERT_TRUE(sink_->flush_staged()) << "a second one has nothing to do";
  EXPECT_EQ(disk_.appends(), 1u);
  restart_process();
  EXPECT_EQ(sink_->staged(), place);
  EXPECT_TRUE(goes_on());
  EXPECT_EQ(before + machine_->status().counters.changes_received, 400u);
}

// STG-05, STG-07: what may not be resumed is not worth a byte on disk.
TEST_F(ResumeDiskTest, AStopWritesNothingThatCannotBeResumed) {
  ASSERT_TRUE(sink_->flush_staged()) << "nothing staged";
  mode_ = SyncMode::v1;
  write(400, 10);
  machine_->start();
  ASSERT_FALSE(run(8));
  ASSERT_GT(sink_->staging().bytes(), 0u);
  ASSERT_TRUE(sink_->flush_staged());
  EXPECT_EQ(disk_.appends(), 0u);
}

// STG-02: the store was taken along to another hub, or its log began anew.
TEST_F(ResumeDiskTest, APlaceInTheLogOfAnotherHubIsNotUsed) {
  interrupt_first_sync();
  ASSERT_TRUE(sink_->flush_staged());
  StagePlace place = *disk_.place();
  place.at.era.id.bytes[0] ^= 1;
  ASSERT_TRUE(disk_.append({}, place));
  restart_process();
  ASSERT_TRUE(sink_->staged());
  EXPECT_FALSE(goes_on());
}

TEST_F(ResumeDiskTest, AFlushThatFailsCostsAFirstSync) {
  interrupt_first_sync();
  disk_.fail_next(Error{ErrorCode::resource_exhausted, "no space left on device", {}});
  EXPECT_FALSE(sink_->flush_staged());
  restart_process();
  EXPECT_FALSE(sink_->staged());
  EXPECT_TRUE(run(10'000));
  EXPECT_TRUE(same_as_hub());
}

// STG-07: a stage that was not cleared after its cut became durable is of no use, and of no harm.
TEST_F(ResumeDiskTest, ACrashBetweenTheCommitAndTheClear) {
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
TEST_F(ResumeDiskTest, WhatIsStagedInMemoryIsBounded) {
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
TEST_F(ResumeDiskTest, AFullDiskHoldsAndGoesOnLater) {
  write(2'000, 50);
  machine_->start();
  disk_.fail_appends(Error{ErrorCode::resource_exhausted, "no space left on device", {}});
  EXPECT_TRUE(run(10'000));
  EXPECT_LT(machine_->status().counters.changes_received, 400u) << "the rest came for nothing";
  EXPECT_EQ(machine_->status().held, "disk_full");
  EXPECT_FALSE(replica_.state().cursor);
  EXPECT_EQ(hub_.holds.back(), "disk_full");
  ASSERT_TRUE(sink_->staged());
  const std::uint64_t held_in_memory = sink_->staging().memory_bytes();
  EXPECT_LE(held_in_memory, spill_bytes_ + 1'000);
  for (int attempt = 0; attempt < 10; ++attempt) {
    port_.now_ += 40s;
    pump();
    ASSERT_EQ(machine_->status().held, "disk_full");
  }
  EXPECT_LT(machine_->status().counters.changes_received, 600u) << "every attempt costs a message";
  EXPECT_EQ(sink_->staging().memory_bytes(), held_in_memory) << "and no memory";
  disk_.fail_appends(std::nullopt);
  const std::uint64_t before = machine_->status().counters.changes_received;
  port_.now_ += 40s;
  pump();
  EXPECT_TRUE(same_as_hub());
  EXPECT_EQ(resumes(), 11u);
  EXPECT_LT(machine_->status().counters.changes_received - before, 2'000u);
}

// STG-07: also what has no payload counts: keys and hashes stay in memory.
TEST(CutStagingLimits, EveryChangeCounts) {
  constexpr std::uint64_t kChanges = 10;
  const std::uint64_t each = CutStaging::kItemBytes + left("m0").payload.size();
  CutStaging staging({.max_bytes = kChanges * each}, std::nullopt);
  wire::Intent intent;
  intent.reason = wire::IntentReason::full;
  intent.era.id.bytes[0] = 1;
  staging.begin(intent);
  for (std::uint64_t i = 0; i < kChanges; ++i) {
    ASSERT_TRUE(staging.add({Revision{i + 1}, left("m" + std::to_string(i))}));
  }
  const auto place = staging.staged();
  const Status status = staging.add({Revision{kChanges + 1}, left("mx")});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::too_large);
  EXPECT_EQ(staging.staged(), place) << "nothing of it was taken";
}

}  // namespace
}  // namespace zonesync::testing
