// What only the in-memory log can do: the simulator's disk.
#include "storage/memory/memory_change_log.hpp"

#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

Segment segment(std::uint64_t revision, const std::string& name) {
  return Segment{{Transaction{Revision{revision}, {put(name, name)}}}};
}

class ManualSync : public ::testing::Test {
 protected:
  void append(std::uint64_t revision, const std::string& name) {
    log_.append(segment(revision, name), [this, revision](Status status) {
      EXPECT_TRUE(status);
      answered_.push_back(revision);
    });
  }
  MemoryChangeLog log_{MemoryChangeLogOptions{.manual_sync = true}};
  std::vector<std::uint64_t> answered_;
};

TEST_F(ManualSync, NothingIsAnsweredOrVisibleBeforeSync) {
  append(1, "a");
  append(2, "b");
  EXPECT_TRUE(answered_.empty());
  EXPECT_EQ(log_.state().head, Revision{0});
  EXPECT_EQ(log_.unsynced(), 2u);
  log_.sync();
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(log_.state().head, Revision{2});
}

TEST_F(ManualSync, CrashLosesTheUnsyncedAndNeverAnswersThem) {
  append(1, "a");
  log_.sync();
  append(2, "b");
  log_.crash();
  log_.reopen();
  EXPECT_EQ(log_.state().head, Revision{1});
  EXPECT_EQ(log_.state().eras.size(), 2u);
  append(2, "c");
  log_.sync();
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(*log_.latest(key("c")));
  EXPECT_FALSE(*log_.latest(key("b")));
}

TEST_F(ManualSync, CrashMayKeepSomeOfTheUnsynced) {
  append(1, "a");
  append(2, "b");
  log_.crash(1);
  log_.reopen();
  EXPECT_TRUE(answered_.empty());
  EXPECT_EQ(log_.state().head, Revision{1});
}

TEST(MemoryChangeLog, RewoundDiskShowsInCursors) {
  MemoryChangeLog log;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(log, {{put("a", std::to_string(i))}}));
  ASSERT_TRUE(append(log, {{leave(key("a")), put("b", "x")}}));
  const EraId era = log.state().current_era();
  log.rewind_to(Revision{2});
  log.reopen();
  EXPECT_EQ(judge_cursor(log.state(), Cursor{era, Revision{3}, {}}), CursorVerdict::beyond_era);
  EXPECT_EQ(judge_cursor(log.state(), Cursor{era, Revision{2}, {}}), CursorVerdict::valid);
  EXPECT_EQ((*log.latest(key("a")))->position.revision, Revision{2});
  EXPECT_FALSE(*log.latest(key("b")));
  EXPECT_EQ(log.digests().digests, recompute(log));
  EXPECT_TRUE(append(log, {{put("c", "x")}}));
}

TEST(MemoryChangeLog, FailureStopsTheLogUntilItIsReopened) {
  MemoryChangeLog log;
  log.fail_next(Error{ErrorCode::storage_io, "disk", ""});
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::storage_io);
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::storage_io);
  EXPECT_EQ(log.declare_complete().error().code, ErrorCode::storage_io);
  log.reopen();
  EXPECT_TRUE(append(log, {{put("a", "1")}}));
}

TEST(MemoryChangeLog, FullDiskStopsNothing) {
  MemoryChangeLog log;
  log.fail_next(Error{ErrorCode::resource_exhausted, "full", ""});
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(append(log, {{put("a", "1")}}));
}

TEST(MemoryChangeLog, TrimKeepsTheNewestOfEveryKeyAndWhatOldCursorsNeed) {
  MemoryChangeLog log;
  ASSERT_TRUE(append(log, {{put("a", "1"), put("b", "1")}}));
  ASSERT_TRUE(append(log, {{put("a", "2")}}));
  ASSERT_TRUE(append(log, {{put("a", "3")}}));
  ASSERT_TRUE(append(log, {{put("b", "2")}}));
  log.trim(Revision{3});
  EXPECT_EQ(log.state().trim_floor, Revision{3});
  const auto entries = scan_all(log);
  ASSERT_EQ(entries.size(), 3u) << "b's first entry stays: its successor is above the floor";
  EXPECT_EQ(log.read(Position{Revision{1}, 0}).error().code, ErrorCode::not_found);
  EXPECT_EQ(log.history(key("a"), 10)->size(), 1u);
  EXPECT_EQ(log.digests().digests, recompute(log));
}

TEST(MemoryChangeLog, ATrimAtOrBelowTheFloorChangesNothing) {
  MemoryChangeLog log;
  log.trim(Revision{0});
  ASSERT_TRUE(append(log, {{put("a", "1")}}));
  ASSERT_TRUE(append(log, {{put("a", "2")}}));
  log.trim(Revision{0});
  EXPECT_EQ(scan_all(log).size(), 2u);
  log.trim(Revision{2});
  log.trim(Revision{1});
  EXPECT_EQ(log.state().trim_floor, Revision{2});
  EXPECT_EQ(scan_all(log).size(), 1u);
}

TEST(MemoryChangeLog, OnlyTheNewestThousandErasAreKept) {
  MemoryChangeLog log;
  const EraId first = log.state().current_era();
  for (int i = 0; i < 1'000; ++i) log.reopen();
  EXPECT_EQ(log.state().eras.size(), 1'000u);
  EXPECT_EQ(judge_cursor(log.state(), Cursor{first, Revision{0}, {}}), CursorVerdict::unknown_era);
}

TEST(MemoryChangeLog, InjectedIdsMakeRunsEqual) {
  std::uint8_t next = 0;
  MemoryChangeLogOptions options;
  options.ids = [&] {
    Id128 id;
    id.bytes[0] = ++next;
    return id;
  };
  const MemoryChangeLog log(options);
  EXPECT_EQ(log.state().log_id.bytes[0], 1);
  EXPECT_EQ(log.state().current_era().id.bytes[0], 2);
}

}  // namespace
}  // namespace zonesync::test
