#include "protocol/flowlog/log_source.hpp"

#include <gtest/gtest.h>

#include "protocol/wire/codec.hpp"
#include "storage/memory/memory_change_log.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kBigTail = 1u << 20;

class LogSourceTest : public ::testing::Test {
 protected:
  LogSourceTest()
      : registry(std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types())),
        view(spec(), registry) {}
  static ViewSpec spec() {
    ViewSpec spec;
    spec.zone = "east";
    return spec;
  }
  static Resource resource(const std::string& name, const std::string& text = "1s",
                           const std::string& origin = "global") {
    Resource resource;
    resource.key = {"MeshTimeout", "default", origin, name};
    resource.spec = "{\"value\":\"" + text + "\"}";
    return resource;
  }
  Change upsert(const Resource& resource) const {
    return wire::make_upsert(class_of(*registry, resource).value(), resource);
  }
  /// One segment of transactions.
  void append(LogSource& source, std::vector<std::vector<Change>> transactions) {
    Segment segment;
    Revision revision = log.state().head;
    for (auto& changes : transactions) {
      revision = revision.next();
      segment.transactions.push_back({revision, std::move(changes)});
    }
    bool ok = false;
    log.append(segment, [&](Status status) { ok = status.has_value(); });
    ASSERT_TRUE(ok);
    source.on_appended(segment);
  }
  /// Every admitted entry from the start, with the page ends that were segment ends.
  std::vector<std::string> read_all(const LogSource& source, std::size_t page_bytes,
                                    std::vector<Revision>* ends = nullptr) {
    std::vector<std::string> names;
    Position at = Position::start();
    while (at < Position::end_of(source.head())) {
      auto page = source.scan(at, view, page_bytes);
      EXPECT_TRUE(page.has_value());
      EXPECT_GT(page->next, at);
      for (const auto& entry : page->entries) names.push_back(entry.change.key.name);
      if (ends && page->at_segment_end) ends->push_back(page->next.revision);
      at = page->next;
    }
    return names;
  }
  std::shared_ptr<const TypeRegistry> registry;
  View view;
  MemoryChangeLog log;
};

TEST_F(LogSourceTest, TailAndLogGiveTheSameEntries) {
  LogSource hot(log, kBigTail);
  LogSource cold(log, 1);  // keeps one segment: reads nearly everything from the log
  for (int i = 0; i < 30; ++i) {
    Segment segment{{{log.state().head.next(), {upsert(resource("n" + std::to_string(i)))}}}};
    log.append(segment, [](Status status) { ASSERT_TRUE(status.has_value()); });
    hot.on_appended(segment);
    cold.on_appended(segment);
  }
  for (const std::size_t page : {1u, 300u, 100'000u}) {
    EXPECT_EQ(read_all(hot, page), read_all(cold, page)) << page;
    EXPECT_EQ(read_all(hot, page).size(), 30u);
  }
}

TEST_F(LogSourceTest, SmallPagesStillMeetEverySegmentEnd) {
  LogSource source(log, kBigTail);
  std::vector<Change> big;
  for (int i = 0; i < 20; ++i) big.push_back(upsert(resource("big" + std::to_string(i))));
  append(source, {big});
  append(source, {{upsert(resource("x"))}, {upsert(resource("y"))}});
  std::vector<Revision> ends;
  EXPECT_EQ(read_all(source, 400, &ends).size(), 22u);
  EXPECT_EQ(ends.back(), Revision{3});
  EXPECT_EQ(ends.front(), Revision{1});
  for (const Revision end : ends) EXPECT_NE(end, Revision{2}) << "inside a segment";
}

TEST_F(LogSourceTest, EntriesOutsideTheViewAreNotRead) {
  LogSource source(log, kBigTail);
  append(source, {{upsert(resource("mine", "1s", "east"))}, {upsert(resource("other"))}});
  EXPECT_EQ(read_all(source, 1000), std::vector<std::string>{"other"});
}

// FLOW-30: what no view admits lies in the log's second range, and nobody is woken for it.
TEST_F(LogSourceTest, WhatNobodyViewsMovesTheHeadAndNotTheViewedHead) {
  const auto unviewed = [](const Class& cls) { return cls.type == "DataplaneInsight"; };
  MemoryChangeLog ranges({.aside = unviewed});
  for (const std::size_t tail : {kBigTail, std::size_t{1}}) {
    LogSource source(ranges, tail);
    EXPECT_EQ(source.viewed_head(), source.head()) << "after a start nothing is known";
    const auto write = [&](const Resource& written) {
      Segment segment{{{ranges.state().head.next(), {upsert(written)}}}};
      ranges.append(segment, [](Status status) { ASSERT_TRUE(status.has_value()); });
      source.on_appended(segment);
    };
    write(resource("a", std::to_string(tail)));
    const Revision viewed = source.head();
    Resource insight = resource("i", "1s", "east");
    insight.key.type = "DataplaneInsight";
    for (int i = 0; i < 3; ++i) {
      insight.spec = "{\"n\":" + std::to_string(i) + "}";
      write(insight);
    }
    EXPECT_EQ(source.viewed_head(), viewed);
    EXPECT_EQ(source.head().value, viewed.value + 3);
    const auto page = source.scan(Position::end_of(viewed), view, 1'000);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->entries.empty());
    EXPECT_TRUE(page->at_head && page->at_segment_end) << "a Mark carries its reader to the head";
    EXPECT_EQ(page->next, Position::end_of(source.head()));
    EXPECT_EQ(source.digest_at(source.head(), view)->count, 1u);
    EXPECT_EQ((*source.fingerprints())->entries.size(), 2u) << "for repairs of either direction";
  }
}

class LogSourceRanges : public LogSourceTest {
 protected:
  void write(LogSource& source, const Resource& written) {
    Segment segment{{{ranges.state().head.next(), {upsert(written)}}}};
    ranges.append(segment, [](Status status) { ASSERT_TRUE(status.has_value()); });
    source.on_appended(segment);
  }
  Resource insight(int i) const {
    Resource made = resource("i", std::to_string(i), "east");
    made.key.type = "DataplaneInsight";
    return made;
  }
  MemoryChangeLog ranges{
      {.aside = [](const Class& cls) { return cls.type == "DataplaneInsight"; }}};
};

// What a type in no view forgets repairs no zone, and makes no list of another type begin anew.
TEST_F(LogSourceRanges, FloorsAreThoseOfWhatFlowsRead) {
  LogSource source(ranges, 1);
  for (int i = 1; i <= 3; ++i) write(source, resource("a", std::to_string(i)));
  for (int i = 0; i < 3; ++i) write(source, insight(i));
  TrimRequest request;
  request.type_floors["DataplaneInsight"] = request.tombstone_floor = Revision{6};
  ASSERT_TRUE(ranges.trim(request)->done);
  source.refresh();
  EXPECT_EQ(ranges.state().trim_floor, Revision{6});
  EXPECT_EQ(source.state().trim_floor, Revision{0});
  EXPECT_EQ(source.state().tombstone_floor, Revision{0});
  const auto known = source.state_at(Revision{2}, "MeshTimeout", std::nullopt, view, 1'000);
  ASSERT_TRUE(known);
  EXPECT_FALSE(known->forgotten);
  ASSERT_EQ(known->entries.size(), 1u);
  EXPECT_EQ(known->entries[0].position.revision, Revision{2});
  EXPECT_TRUE(
      source.state_at(Revision{5}, "DataplaneInsight", std::nullopt, view, 1'000)->forgotten);
}

TEST_F(LogSourceRanges, SegmentsWithNothingToSendDoNotPileUpInTheTail) {
  constexpr std::size_t kTail = 64u << 10;
  LogSource source(ranges, kTail);
  for (int i = 0; i < 600; ++i) write(source, insight(i));
  const Revision head = source.head();
  EXPECT_TRUE(source.digest_at(Revision{head.value - 10}, view));
  EXPECT_FALSE(source.digest_at(Revision{head.value - 300}, view)) << "the tail is bounded";
}

TEST_F(LogSourceTest, DigestIsKnownAtEveryRecentBoundaryAndNowhereElse) {
  LogSource source(log, kBigTail);
  std::vector<Digest> expected;
  Digest sum;
  for (int i = 0; i < 10; ++i) {
    const Change change = upsert(resource("n", std::to_string(i)));
    if (i > 0) sum = Digest{};
    sum.add(fingerprint(change.key), change.hash);
    append(source, {{change}});
    expected.push_back(sum);
  }
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(source.digest_at(Revision{i + 1}, view), expected[i]) << i;
  }
  append(source, {{upsert(resource("a"))}, {upsert(resource("b"))}});
  EXPECT_FALSE(source.digest_at(Revision{11}, view).has_value()) << "inside a segment";
  EXPECT_TRUE(source.digest_at(Revision{12}, view).has_value());
  EXPECT_FALSE(source.digest_at(Revision{13}, view).has_value()) << "beyond the head";
}

TEST_F(LogSourceTest, DigestBeforeTheTailIsUnknown) {
  LogSource source(log, 1);
  for (int i = 0; i < 5; ++i) append(source, {{upsert(resource("n" + std::to_string(i)))}});
  EXPECT_FALSE(source.digest_at(Revision{1}, view).has_value());
  EXPECT_TRUE(source.digest_at(Revision{4}, view).has_value());
  EXPECT_TRUE(source.digest_at(Revision{5}, view).has_value());
}

TEST_F(LogSourceTest, ASourceOverAnOldLogStartsAtItsHead) {
  {
    LogSource first(log, kBigTail);
    append(first, {{upsert(resource("a"))}});
  }
  LogSource second(log, kBigTail);
  EXPECT_EQ(second.head(), Revision{1});
  EXPECT_EQ(read_all(second, 1000).size(), 1u);
  EXPECT_TRUE(second.digest_at(Revision{1}, view).has_value());
}

}  // namespace
}  // namespace zonesync
