// The contract of ChangeLog::scan: pages, limits, segment ends, readers during appends.
#include <atomic>
#include <thread>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

template <class Harness>
using ScanContract = LogContract<Harness>;
TYPED_TEST_SUITE(ScanContract, LogHarnesses, HarnessNames);

TYPED_TEST(ScanContract, EmptyLogIsOneFinishedPage) {
  const auto page = this->log().scan(Position::start(), {});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->entries.empty());
  EXPECT_EQ(page->next, Position::start());
  EXPECT_TRUE(page->at_head);
  EXPECT_TRUE(page->at_segment_end);
}

TYPED_TEST(ScanContract, PageReachesTheHeadOverTransactionsWithoutChanges) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}, {}}));
  const auto page = this->log().scan(Position::start(), {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->next, Position::end_of(Revision{2}));
  EXPECT_TRUE(page->at_segment_end);
  EXPECT_TRUE(page->at_head);
}

TYPED_TEST(ScanContract, ResumesAfterAPosition) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1"), put("b", "2")}, {put("c", "3")}}));
  EXPECT_EQ(scan_all(this->log(), Position{Revision{1}, 0}).size(), 2u);
  EXPECT_EQ(scan_all(this->log(), Position::end_of(Revision{1})).size(), 1u);
  EXPECT_EQ(scan_all(this->log(), Position::end_of(Revision{2})).size(), 0u);
}

TYPED_TEST(ScanContract, LimitedPageEndsAtTheLastSegmentEndItPassed) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}, {put("b", "2")}}));
  ASSERT_TRUE(append(this->log(), {{put("c", "3")}, {put("d", "4")}}));
  ScanOptions options;
  options.max_entries = 3;
  const auto page = this->log().scan(Position::start(), options);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 2u) << "the third entry belongs to an unfinished segment";
  EXPECT_EQ(page->next, Position::end_of(Revision{2}));
  EXPECT_TRUE(page->at_segment_end);
  EXPECT_FALSE(page->at_head);
}

TYPED_TEST(ScanContract, SegmentLargerThanThePageEndsInTheMiddle) {
  std::vector<Change> changes;
  for (int i = 0; i < 10; ++i) changes.push_back(put("n" + std::to_string(i), "x"));
  ASSERT_TRUE(append(this->log(), {{put("first", "1")}}));
  ASSERT_TRUE(append(this->log(), {changes, {put("last", "x")}}));
  ScanOptions options;
  options.max_entries = 4;
  const auto first = this->log().scan(Position::start(), options);
  EXPECT_EQ(first->next, Position::end_of(Revision{1}));
  EXPECT_TRUE(first->at_segment_end);
  const auto second = this->log().scan(first->next, options);
  EXPECT_EQ(second->next, (Position{Revision{2}, 3}));
  EXPECT_FALSE(second->at_segment_end);
  const auto third = this->log().scan(Position{Revision{2}, 5}, options);
  EXPECT_EQ(third->next, Position::end_of(Revision{2}));
  EXPECT_FALSE(third->at_segment_end) << "its segment goes on to revision 3";
  EXPECT_EQ(scan_all(this->log(), Position::start(), options).size(), 12u);
}

TYPED_TEST(ScanContract, ByteLimitAlwaysLetsTheFirstEntryPass) {
  ASSERT_TRUE(append(this->log(), {{put("a", std::string(1'000, 'x'))}}));
  ASSERT_TRUE(append(this->log(), {{put("b", std::string(60, 'x'))}}));
  ASSERT_TRUE(append(this->log(), {{put("c", std::string(60, 'x'))}}));
  ScanOptions options;
  options.max_bytes = 100;
  const auto page = this->log().scan(Position::start(), options);
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->next, Position::end_of(Revision{1}));
  EXPECT_EQ(this->log().scan(page->next, options)->entries.size(), 1u);
}

TYPED_TEST(ScanContract, VisitLimitBoundsACallThatAdmitsNothing) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(append(this->log(), {{put("a" + std::to_string(i), "x")}}));
  }
  ScanOptions options;
  options.max_visited = 2;
  options.admits = [](const Class&) { return false; };
  const auto page = this->log().scan(Position::start(), options);
  EXPECT_TRUE(page->entries.empty());
  EXPECT_EQ(page->next, Position::end_of(Revision{2}));
  EXPECT_FALSE(page->at_head);
  EXPECT_TRUE(scan_all(this->log(), Position::start(), options).empty());
}

TYPED_TEST(ScanContract, OnlyAdmittedClassesCountAgainstTheLimits) {
  std::vector<Change> changes;
  for (int i = 0; i < 50; ++i) changes.push_back(put("n" + std::to_string(i), "x"));
  changes.push_back(upsert(key("wanted", "MeshRetry"), "y"));
  ASSERT_TRUE(append(this->log(), {changes}));
  ScanOptions options;
  options.max_entries = 1;
  options.max_bytes = 1;
  options.admits = [](const Class& cls) { return cls.type == "MeshRetry"; };
  const auto page = this->log().scan(Position::start(), options);
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].change.key.name, "wanted");
  EXPECT_TRUE(page->at_head);
}

TYPED_TEST(ScanContract, HugeTransactionCrossesPagesInOrder) {
  std::vector<Change> changes;
  for (int i = 0; i < 2'500; ++i) changes.push_back(put("n" + std::to_string(i), "payload"));
  ASSERT_TRUE(append(this->log(), {changes}));
  const auto entries = scan_all(this->log());
  ASSERT_EQ(entries.size(), changes.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    ASSERT_EQ(entries[i].position, (Position{Revision{1}, i}));
  }
}

TYPED_TEST(ScanContract, SegmentEndsSurviveAReopen) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}, {put("b", "2")}}));
  ASSERT_TRUE(append(this->log(), {{put("c", "3")}}));
  this->reopen();
  ScanOptions options;
  options.max_entries = 1;
  const auto middle = this->log().scan(Position::start(), options);
  EXPECT_EQ(middle->next, Position::end_of(Revision{1}));
  EXPECT_FALSE(middle->at_segment_end);
  const auto end = this->log().scan(middle->next, options);
  EXPECT_EQ(end->next, Position::end_of(Revision{2}));
  EXPECT_TRUE(end->at_segment_end);
}

// Each segment sets `left` and `right` to the same payload: a reader must never see them differ.
TYPED_TEST(ScanContract, ReaderDuringAppendsSeesOnlyWholeSegments) {
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0;
  ChangeLog& log = this->log();
  std::thread reader([&] {
    while (!stop) {
      const auto page = log.scan(Position::start(), {});
      ASSERT_TRUE(page);
      ASSERT_EQ(page->entries.size() % 2, 0u);
      ASSERT_TRUE(page->at_segment_end);
      const auto left = log.history(key("left"), 1'000);
      const auto right = log.history(key("right"), 1'000);
      ASSERT_TRUE(left && right);
      ASSERT_LE(left->size(), right->size()) << "left was read first";
      ASSERT_LE(log.digests().digests.size(), 1u);
      ++rounds;
    }
  });
  for (int i = 0; i < 100 || rounds < 3; ++i) {
    ASSERT_TRUE(append(log, {{put("left", std::to_string(i))}, {put("right", std::to_string(i))}}));
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace zonesync::test
