// The contract of the second range, and of floors that belong to a type.
#include <algorithm>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

ResourceKey insight(const std::string& name) { return key(name, kAsideType, "east"); }

template <class Harness>
class RangeContract : public LogContract<Harness> {
 protected:
  /// A policy at 1 and 3, an insight at 2 and 4, then one transaction of both.
  void fill() {
    ASSERT_TRUE(append(this->log(), {{put("a", "1")}}));
    ASSERT_TRUE(append(this->log(), {{upsert(insight("i"), "1")}, {put("a", "2")}}));
    ASSERT_TRUE(append(this->log(), {{upsert(insight("i"), "2")}}));
    ASSERT_TRUE(append(this->log(), {{put("b", "1"), upsert(insight("j"), "1")}}));
  }
  std::vector<std::uint64_t> revisions(bool viewed) {
    ScanOptions options;
    options.viewed_only = viewed;
    if (viewed) options.admits = [](const Class& cls) { return !aside_rule(cls); };
    std::vector<std::uint64_t> found;
    for (const LogEntry& entry : scan_all(this->log(), Position::start(), options)) {
      found.push_back(entry.position.revision.value);
    }
    return found;
  }
  /// False = this log has no floors of types.
  bool trim(TrimRequest request) {
    request.max_visited = 2;
    for (;;) {
      const auto progress = this->log().trim(request);
      if (!progress) {
        EXPECT_EQ(progress.error().code, ErrorCode::unsupported) << describe(progress.error());
        return false;
      }
      if (progress->done) return true;
    }
  }
};
TYPED_TEST_SUITE(RangeContract, LogHarnesses, HarnessNames);

TYPED_TEST(RangeContract, OneOrderOverBothRangesAndViewedScansSkipTheSecond) {
  this->fill();
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 5}));
  EXPECT_EQ(this->revisions(true), (std::vector<std::uint64_t>{1, 3, 5}));
  this->reopen();
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 5}));
  EXPECT_EQ(this->revisions(true), (std::vector<std::uint64_t>{1, 3, 5}));
}

TYPED_TEST(RangeContract, AViewedScanEndsAtTheHeadAlsoBehindNothingButTheSecondRange) {
  this->fill();
  ASSERT_TRUE(append(this->log(), {{upsert(insight("i"), "3")}, {upsert(insight("i"), "4")}}));
  ScanOptions options;
  options.viewed_only = true;
  options.admits = [](const Class& cls) { return !aside_rule(cls); };
  const auto page = this->log().scan(Position::end_of(Revision{5}), options);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->entries.empty());
  EXPECT_EQ(page->next, Position::end_of(Revision{7}));
  EXPECT_TRUE(page->at_head);
  EXPECT_TRUE(page->at_segment_end);
}

TYPED_TEST(RangeContract, EverythingElseKnowsNoRanges) {
  this->fill();
  ASSERT_TRUE(append(this->log(), {{leave(insight("j"))}}));
  this->reopen();
  const auto history = this->log().history(insight("i"), 10);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ(history->front().change.payload.view(), "2");
  EXPECT_EQ((*this->log().latest(insight("j")))->kind, ChangeKind::leave);
  EXPECT_EQ(this->log().read(Position{Revision{5}, 1})->change.key, insight("j"));
  EXPECT_EQ((*this->log().entry_at(insight("i"), Revision{3}))->change.payload.view(), "1");
  ListFilter filter;
  filter.type = kAsideType;
  EXPECT_EQ(this->log().list(filter, std::nullopt, 10)->entries.size(), 1u);
  filter.at = Revision{5};
  EXPECT_EQ(this->log().list(filter, std::nullopt, 10)->entries.size(), 2u);
  EXPECT_EQ(this->log().digests().digests, recompute(this->log()));
}

TYPED_TEST(RangeContract, TrimmingReachesBothRanges) {
  this->fill();
  ASSERT_TRUE(append(this->log(), {{leave(insight("i"))}}));
  TrimRequest request;
  request.floor = request.tombstone_floor = Revision{6};
  ASSERT_TRUE(this->trim(request));
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{3, 5, 5}));
  EXPECT_FALSE(*this->log().latest(insight("i")));
}

TYPED_TEST(RangeContract, ATypesFloorLetsItsOwnEntriesGoAndNoOthers) {
  this->fill();
  TrimRequest request;
  request.type_floors[kAsideType] = Revision{5};
  if (!this->trim(request)) return;  // it has no floors of types
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{1, 3, 4, 5, 5}));
  EXPECT_EQ(this->log().state().trim_floor, Revision{5}) << "the highest";
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{5});
  EXPECT_EQ(this->log().trim_floor_of("MeshTimeout"), Revision{0});
  EXPECT_EQ(this->log().viewed_floor(), Revision{0}) << "no viewed type may lack anything";
  EXPECT_EQ(this->log().history(key("a"), 10)->size(), 2u);
}

// A retention of a second for what nobody views must not make one cut of what zones catch up with.
TYPED_TEST(RangeContract, AViewedScanMeetsEverySegmentEndAboveItsOwnFloor) {
  this->fill();
  TrimRequest request;
  request.type_floors[kAsideType] = Revision{5};
  if (!this->trim(request)) return;  // it has no floors of types
  this->reopen();
  ScanOptions options;
  options.viewed_only = true;
  options.max_entries = 1;
  const auto first = this->log().scan(Position::start(), options);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->at_segment_end);
  EXPECT_LT(first->next, Position::end_of(Revision{5}));
  options.viewed_only = false;  // this one reads what was trimmed up to 5
  Position next = Position::start();
  for (;;) {
    const auto page = this->log().scan(next, options);
    ASSERT_TRUE(page);
    EXPECT_TRUE(!page->at_segment_end || page->next >= Position::end_of(Revision{5}));
    if (page->at_head) break;
    next = page->next;
  }
}

// A reader of what zones view may go on behind leaves that none of its types lost.
TYPED_TEST(RangeContract, AViewedScanHasTheFloorsOfWhatItReads) {
  this->fill();
  TrimRequest request;
  request.floor = Revision{1};
  request.tombstone_floor = Revision{5};
  request.type_floors[kAsideType] = Revision{5};
  if (!this->trim(request)) return;  // it has no floors of types
  ScanOptions options;
  const auto all = this->log().scan(Position::start(), options);
  options.viewed_only = true;
  const auto viewed = this->log().scan(Position::start(), options);
  EXPECT_EQ(all->trim_floor, Revision{5});
  EXPECT_EQ(all->tombstone_floor, Revision{5});
  EXPECT_EQ(viewed->trim_floor, Revision{1});
  EXPECT_EQ(viewed->tombstone_floor, Revision{1});
  request.type_floors["MeshTimeout"] = Revision{4};  // zones view it: its leaves count
  ASSERT_TRUE(this->trim(request));
  const auto later = this->log().scan(Position::start(), options);
  EXPECT_EQ(this->log().viewed_floor(), Revision{4});
  EXPECT_EQ(later->trim_floor, Revision{4});
  EXPECT_EQ(later->tombstone_floor, Revision{4});
}

TYPED_TEST(RangeContract, ATypeMayKeepMoreThanTheOthers) {
  this->fill();
  TrimRequest request;
  request.floor = Revision{5};
  request.type_floors[kAsideType] = Revision{3};
  if (!this->trim(request)) return;  // it has no floors of types
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{2, 3, 4, 5, 5}));
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{3});
  EXPECT_EQ(this->log().viewed_floor(), Revision{5});
}

// Else the upsert before it would stand there without its leave: a resource that does not exist.
TYPED_TEST(RangeContract, ALeaveStaysAsLongAsItsTypesFloorKeepsWhatItReplaced) {
  ASSERT_TRUE(append(this->log(), {{upsert(insight("i"), "1")}, {leave(insight("i"))}}));
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}, {leave(key("a"))}}));
  TrimRequest request;
  request.floor = request.tombstone_floor = Revision{4};
  request.type_floors[kAsideType] = Revision{1};
  if (!this->trim(request)) return;  // it has no floors of types
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(this->log().state().tombstone_floor, Revision{4});
  request.type_floors[kAsideType] = Revision{4};
  ASSERT_TRUE(this->trim(request));
  EXPECT_TRUE(this->revisions(false).empty());
}

TYPED_TEST(RangeContract, FloorsOfTypesSurviveAReopenNeverSinkAndFollowOnceTheyAreNotNamed) {
  this->fill();
  TrimRequest request;
  request.floor = Revision{2};
  request.type_floors[kAsideType] = Revision{4};
  if (!this->trim(request)) return;  // it has no floors of types
  this->reopen();
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{4});
  request.type_floors[kAsideType] = Revision{1};
  ASSERT_TRUE(this->trim(request));
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{4});
  request.type_floors.clear();
  request.floor = Revision{3};
  ASSERT_TRUE(this->trim(request));
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{4});
  request.floor = Revision{5};
  ASSERT_TRUE(this->trim(request));
  EXPECT_EQ(this->log().trim_floor_of(kAsideType), Revision{5});
  EXPECT_EQ(this->revisions(false), (std::vector<std::uint64_t>{3, 4, 5, 5}));
}

TYPED_TEST(RangeContract, ATypeThatIsNamedLaterStartsWhereTheOthersAre) {
  this->fill();
  TrimRequest request;
  request.floor = Revision{4};
  ASSERT_TRUE(this->trim(request));
  request.type_floors["MeshTimeout"] = Revision{1};
  if (!this->trim(request)) return;  // it has no floors of types
  EXPECT_EQ(this->log().trim_floor_of("MeshTimeout"), Revision{4}) << "what is gone is gone";
}

TYPED_TEST(RangeContract, ImpossibleFloorsOfTypesAreRefused) {
  this->fill();
  TrimRequest beyond;
  beyond.type_floors["MeshTimeout"] = Revision{6};
  TrimRequest many;
  for (std::size_t i = 0; i <= kTrimTypesMax; ++i) {
    many.type_floors["Type" + std::to_string(i)] = Revision{1};
  }
  for (const TrimRequest& request : {beyond, many}) {
    const auto progress = this->log().trim(request);
    ASSERT_FALSE(progress);
    EXPECT_TRUE(progress.error().code == ErrorCode::invalid_argument ||
                progress.error().code == ErrorCode::unsupported);
  }
  EXPECT_EQ(this->log().state().trim_floor, Revision{0});
}

// -- the hub's log: what an older version or another rule left behind -----------------------------

class RocksDbRanges : public ::testing::Test {
 protected:
  std::unique_ptr<RocksDbChangeLog> open(AsideRule rule) {
    RocksDbOptions options;
    options.create = true;
    options.reserve_bytes = 0;
    options.aside = std::move(rule);
    auto log = RocksDbChangeLog::open(directory_.file("log"), options);
    if (!log) ADD_FAILURE() << describe(log.error());
    return log ? std::move(*log) : nullptr;
  }
  static std::size_t viewed(const ChangeLog& log) {
    ScanOptions options;
    options.viewed_only = true;
    return scan_all(log, Position::start(), options).size();
  }
  static void trim_all(ChangeLog& log) {
    TrimRequest request;
    request.floor = log.state().head;
    ASSERT_TRUE(log.trim(request)->done);
  }
  TempDir directory_;
};

TEST_F(RocksDbRanges, WhatWasWrittenBeforeTheRuleStaysInTheFirstRangeAndIsTrimmedThere) {
  {
    const auto log = open({});
    ASSERT_TRUE(append(*log, {{upsert(insight("i"), "1")}, {upsert(insight("j"), "1")}}));
  }
  const auto log = open(aside_rule);
  ASSERT_TRUE(append(*log, {{upsert(insight("i"), "2")}}));
  EXPECT_EQ(viewed(*log), 2u) << "entries of before; no view admits them";
  EXPECT_EQ(scan_all(*log).size(), 3u);
  trim_all(*log);
  EXPECT_EQ(viewed(*log), 1u);
  EXPECT_EQ(scan_all(*log).size(), 2u);
  EXPECT_EQ(log->history(insight("i"), 10)->size(), 1u);
}

// The rule takes a lock of its owner, who may hold it while he reads the log.
TEST_F(RocksDbRanges, TheRuleIsNeverAskedUnderTheLogsLock) {
  const ChangeLog* reads = nullptr;
  std::size_t asked = 0;
  const auto log = open([&](const Class& cls) {
    ++asked;
    if (reads != nullptr) (void)reads->state();  // would wait for itself
    return aside_rule(cls);
  });
  reads = log.get();
  ASSERT_TRUE(append(*log, {{upsert(insight("i"), "1")}, {put("a", "1")}}));
  TrimRequest request;
  request.type_floors[kAsideType] = request.type_floors["MeshTimeout"] = Revision{1};
  ASSERT_TRUE(log->trim(request)->done);
  asked = 0;
  EXPECT_EQ(viewed(*log), 1u);
  EXPECT_EQ(log->viewed_floor(), Revision{1});
  EXPECT_GT(asked, 0u);
}

TEST_F(RocksDbRanges, ATypeThatZonesViewNowIsNotLeftOutOfViewedScans) {
  {
    const auto log = open(aside_rule);
    ASSERT_TRUE(append(*log, {{upsert(insight("i"), "1")}, {upsert(insight("j"), "1")}}));
    EXPECT_EQ(viewed(*log), 0u);
  }
  {
    const auto log = open([](const Class&) { return false; });
    EXPECT_EQ(viewed(*log), 2u) << "they lie in the second range, and somebody wants them";
    ASSERT_TRUE(append(*log, {{upsert(insight("i"), "2")}}));
    EXPECT_EQ(viewed(*log), 3u);
    trim_all(*log);
    EXPECT_EQ(viewed(*log), 2u) << "the predecessor went from the other range";
  }
  const auto log = open(aside_rule);  // and back
  ASSERT_TRUE(append(*log, {{upsert(insight("i"), "3")}}));
  EXPECT_EQ(scan_all(*log).size(), 3u);
  trim_all(*log);
  EXPECT_EQ(scan_all(*log).size(), 2u);
  EXPECT_EQ(log->digests().digests, recompute(*log));
}

}  // namespace
}  // namespace zonesync::test
