// The contract of ChangeLog except scans: appends, lookups, listings, digests, eras.
#include <algorithm>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

template <class Harness>
using ChangeLogContract = LogContract<Harness>;
TYPED_TEST_SUITE(ChangeLogContract, LogHarnesses, HarnessNames);

TYPED_TEST(ChangeLogContract, NewLogIsEmptyPartialAndHasOneEra) {
  const LogState state = this->log().state();
  EXPECT_FALSE(state.complete);
  EXPECT_FALSE(state.log_id.is_zero());
  EXPECT_EQ(state.head, Revision{0});
  ASSERT_EQ(state.eras.size(), 1u);
  EXPECT_EQ(state.eras[0].start, Revision{0});
  EXPECT_TRUE(this->log().digests().digests.empty());
  EXPECT_TRUE(scan_all(this->log()).empty());
}

TYPED_TEST(ChangeLogContract, AppendedChangeIsReadBackWhole) {
  ASSERT_TRUE(append(this->log(), {{put("a", "one")}}));
  EXPECT_EQ(this->log().state().head, Revision{1});
  const auto entry = this->log().read(Position{Revision{1}, 0});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->change.key, key("a"));
  EXPECT_EQ(entry->change.cls, class_of_key(key("a")));
  EXPECT_EQ(entry->change.kind, ChangeKind::upsert);
  EXPECT_EQ(entry->change.hash, hash_bytes("one"));
  EXPECT_EQ(entry->change.payload.view(), "one");
  EXPECT_FALSE(entry->previous);
}

TYPED_TEST(ChangeLogContract, NamesAndPayloadsMayHoldAnyByte) {
  const std::string odd("a\0b\xff\x01\0", 6);
  const std::string payload("\0\xff\n", 3);
  const ResourceKey first{"T", std::string("\0", 1), "global", odd};
  const ResourceKey second{"T", "", "global", odd};
  ASSERT_TRUE(append(this->log(), {{upsert(first, payload), upsert(second, "x")}}));
  this->reopen();
  const auto latest = this->log().latest(first);
  ASSERT_TRUE(latest && *latest);
  EXPECT_EQ((*latest)->key, first);
  EXPECT_EQ(this->log().read((*latest)->position)->change.payload.view(), payload);
}

TYPED_TEST(ChangeLogContract, WrongFirstRevisionIsRefusedAndChangesNothing) {
  ASSERT_TRUE(append(this->log(), {{put("a", "one")}}));
  for (const std::uint64_t wrong : {0u, 1u, 3u}) {
    const Status status =
        append_raw(this->log(), Segment{{Transaction{Revision{wrong}, {put("b", "x")}}}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::precondition_failed);
  }
  EXPECT_EQ(this->log().state().head, Revision{1});
  EXPECT_TRUE(append(this->log(), {{put("b", "x")}})) << "a refusal does not stop the log";
}

TYPED_TEST(ChangeLogContract, MalformedSegmentsAreInvalid) {
  Change stranger = put("a", "x");
  stranger.cls.mesh = "other";
  Change kindless = put("a", "x");
  kindless.kind = ChangeKind{0};
  const std::vector<Segment> segments = {
      Segment{},
      Segment{{Transaction{Revision{1}, {}}, Transaction{Revision{3}, {}}}},
      Segment{{Transaction{Revision{1}, {put("a", "x"), put("a", "y")}}}},
      Segment{{Transaction{Revision{1}, {put("a", "x"), leave(key("a"))}}}},
      Segment{{Transaction{Revision{1}, {stranger}}}},
      Segment{{Transaction{Revision{1}, {kindless}}}},
  };
  for (const Segment& segment : segments) {
    const Status status = append_raw(this->log(), segment);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::invalid_argument) << status.error().message;
  }
  EXPECT_EQ(this->log().state().head, Revision{0});
}

TYPED_TEST(ChangeLogContract, PreviousNamesTheDirectPredecessor) {
  ASSERT_TRUE(append(this->log(), {{put("a", "one")}}));
  ASSERT_TRUE(append(this->log(), {{put("a", "two")}, {put("b", "x"), leave(key("a"))}}));
  ASSERT_TRUE(append(this->log(), {{put("a", "three")}}));
  const auto entries = scan_all(this->log());
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[1].previous,
            (Previous{Position{Revision{1}, 0}, ChangeKind::upsert, hash_bytes("one")}));
  EXPECT_FALSE(entries[2].previous);
  EXPECT_EQ(entries[3].previous,
            (Previous{Position{Revision{2}, 0}, ChangeKind::upsert, hash_bytes("two")}));
  EXPECT_EQ(entries[4].previous, (Previous{Position{Revision{3}, 1}, ChangeKind::leave, {}}));
}

TYPED_TEST(ChangeLogContract, LatestIsTheLiveClassElseTheNewestTombstone) {
  EXPECT_FALSE(*this->log().latest(key("a")));
  ASSERT_TRUE(append(this->log(), {{upsert(key("a"), "one", "red")}}));
  ASSERT_TRUE(append(this->log(), {{leave(key("a"), "red"), upsert(key("a"), "one", "blue")}}));
  auto latest = this->log().latest(key("a"));
  ASSERT_TRUE(latest && *latest);
  EXPECT_EQ((*latest)->cls.tag, "blue");
  EXPECT_EQ((*latest)->position, (Position{Revision{2}, 1}));
  ASSERT_TRUE(append(this->log(), {{upsert(key("a"), "one", "red"), leave(key("a"), "blue")}}));
  latest = this->log().latest(key("a"));
  EXPECT_EQ((*latest)->cls.tag, "red") << "live, though the tombstone is newer";
  ASSERT_TRUE(append(this->log(), {{leave(key("a"), "red")}}));
  latest = this->log().latest(key("a"));
  EXPECT_EQ((*latest)->kind, ChangeKind::leave);
  EXPECT_EQ((*latest)->position.revision, Revision{4});
  EXPECT_FALSE(*this->log().latest(key("aa"))) << "a longer name is another key";
}

TYPED_TEST(ChangeLogContract, HistoryIsNewestFirstAcrossClassesAndLimited) {
  ASSERT_TRUE(append(this->log(), {{upsert(key("a"), "1", "red")}, {put("b", "x")}}));
  ASSERT_TRUE(append(this->log(), {{leave(key("a"), "red"), upsert(key("a"), "2", "blue")}}));
  ASSERT_TRUE(append(this->log(), {{upsert(key("a"), "3", "blue")}}));
  const auto history = this->log().history(key("a"), 10);
  ASSERT_TRUE(history);
  std::vector<Position> positions;
  for (const LogEntry& entry : *history) positions.push_back(entry.position);
  EXPECT_EQ(positions, (std::vector<Position>{{Revision{4}, 0}, {Revision{3}, 1}, {Revision{3}, 0},
                                              {Revision{1}, 0}}));
  EXPECT_EQ(this->log().history(key("a"), 2)->size(), 2u);
  EXPECT_TRUE(this->log().history(key("nobody"), 2)->empty());
}

TYPED_TEST(ChangeLogContract, ReadOfAnUnknownPositionIsNotFound) {
  ASSERT_TRUE(append(this->log(), {{put("a", "one")}}));
  for (const Position position : {Position{Revision{1}, 1}, Position{Revision{2}, 0}}) {
    const auto entry = this->log().read(position);
    ASSERT_FALSE(entry);
    EXPECT_EQ(entry.error().code, ErrorCode::not_found);
  }
}

TYPED_TEST(ChangeLogContract, ListHoldsLiveResourcesInKeyOrderPageByPage) {
  const ResourceKey other = key("z", "MeshRetry");
  const ResourceKey east = key("a", "MeshTimeout", "east");
  ASSERT_TRUE(append(this->log(), {{put("c", "3"), put("a", "1"), put("b", "2"), put("gone", "x"),
                                    upsert(other, "4"), upsert(east, "5")}}));
  ASSERT_TRUE(append(this->log(), {{leave(key("gone"))}}));
  ListFilter filter;
  filter.type = "MeshTimeout";
  std::vector<std::string> names;
  std::optional<ResourceKey> after;
  do {
    const auto page = this->log().list(filter, after, 2);
    ASSERT_TRUE(page);
    ASSERT_LE(page->entries.size(), 2u);
    for (const auto& entry : page->entries) {
      names.push_back(entry.change.key.name + "@" + entry.change.key.origin);
    }
    after = page->next;
  } while (after);
  EXPECT_EQ(names, (std::vector<std::string>{"a@east", "a@global", "b@global", "c@global"}));
  filter.mesh = "default";
  filter.origin = "east";
  EXPECT_EQ(this->log().list(filter, std::nullopt, 10)->entries.size(), 1u);
  filter.mesh = "";
  EXPECT_TRUE(this->log().list(filter, std::nullopt, 10)->entries.empty());
  ListFilter all;
  all.all_types = true;
  EXPECT_EQ(this->log().list(all, std::nullopt, 10)->entries.size(), 5u);
  EXPECT_EQ(this->log().list(ListFilter{}, std::nullopt, 10).error().code,
            ErrorCode::invalid_argument);
}

TYPED_TEST(ChangeLogContract, DigestsFollowEveryChange) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1"), put("b", "2")}}));
  EXPECT_EQ(this->log().digests().digests, recompute(this->log()));
  ASSERT_TRUE(append(this->log(), {{put("a", "3")}, {leave(key("b")), put("a", "4")}}));
  EXPECT_EQ(this->log().digests().digests, recompute(this->log()));
  EXPECT_EQ(this->log().digests().head, Revision{3});
  EXPECT_EQ(this->log().digests().digests.begin()->second.count, 1u);
  ASSERT_TRUE(append(this->log(), {{leave(key("a"))}, {leave(key("a")), leave(key("never"))}}));
  EXPECT_TRUE(this->log().digests().digests.empty()) << "leaves of what is gone change nothing";
}

TYPED_TEST(ChangeLogContract, ClassChangeMovesBetweenDigests) {
  ASSERT_TRUE(append(this->log(), {{upsert(key("a"), "1", "red")}}));
  ASSERT_TRUE(append(this->log(), {{leave(key("a"), "red"), upsert(key("a"), "1", "blue")}}));
  const auto at = this->log().digests();
  EXPECT_EQ(at.digests.size(), 1u);
  EXPECT_EQ(at.digests.begin()->first.tag, "blue");
  EXPECT_EQ(at.digests, recompute(this->log()));
}

TYPED_TEST(ChangeLogContract, ReopenKeepsEverythingAndAppendsAnEra) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1"), put("b", "2")}, {leave(key("a"))}}));
  ASSERT_TRUE(this->log().declare_complete());
  const LogState before = this->log().state();
  const auto digests = this->log().digests();
  this->reopen();
  const LogState state = this->log().state();
  EXPECT_EQ(state.log_id, before.log_id);
  EXPECT_TRUE(state.complete);
  EXPECT_EQ(state.head, Revision{2});
  ASSERT_EQ(state.eras.size(), 2u);
  EXPECT_EQ(state.eras[0], before.eras[0]);
  EXPECT_EQ(state.eras[1].start, Revision{2});
  EXPECT_NE(state.eras[1].id, state.eras[0].id);
  EXPECT_EQ(this->log().digests().digests, digests.digests);
  EXPECT_EQ((*this->log().latest(key("a")))->kind, ChangeKind::leave);
  EXPECT_EQ(scan_all(this->log()).size(), 3u);
  EXPECT_TRUE(append(this->log(), {{put("c", "3")}}));
}

TYPED_TEST(ChangeLogContract, CursorsAreJudgedByEra) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}, {put("b", "2")}}));
  const EraId first = this->log().state().current_era();
  this->reopen();
  ASSERT_TRUE(append(this->log(), {{put("c", "3")}}));
  const LogState state = this->log().state();
  const auto judge = [&](EraId era, std::uint64_t revision) {
    return judge_cursor(state, Cursor{era, Revision{revision}, {}});
  };
  EXPECT_EQ(judge(first, 2), CursorVerdict::valid);
  EXPECT_EQ(judge(first, 3), CursorVerdict::beyond_era);
  EXPECT_EQ(judge(state.current_era(), 3), CursorVerdict::valid);
  EXPECT_EQ(judge(state.current_era(), 4), CursorVerdict::beyond_era);
  EXPECT_EQ(judge(EraId{random_id()}, 1), CursorVerdict::unknown_era);
}

}  // namespace
}  // namespace zonesync::test
