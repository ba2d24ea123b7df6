// The contract of trimming: what goes, what stays, and what every reader still sees.
#include <algorithm>
#include <map>
#include <random>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

template <class Harness>
class TrimContract : public LogContract<Harness> {
 protected:
  void put_one(const std::string& name, const std::string& payload) {
    ASSERT_TRUE(append(this->log(), {{put(name, payload)}}));
  }
  void leave_one(const std::string& name) {
    ASSERT_TRUE(append(this->log(), {{leave(key(name))}}));
  }

  /// Until done, in steps of `max_visited`.
  std::size_t trim(std::uint64_t floor, std::uint64_t tombstones, std::size_t max_visited = 3) {
    std::size_t removed = 0;
    for (int step = 0; step < 100'000; ++step) {
      const auto progress =
          this->log().trim(TrimRequest{Revision{floor}, Revision{tombstones}, max_visited});
      if (!progress) {
        ADD_FAILURE() << describe(progress.error());
        return removed;
      }
      removed += progress->removed;
      if (progress->done) return removed;
    }
    ADD_FAILURE() << "trimming never ends";
    return removed;
  }
  std::vector<Position> positions() {
    std::vector<Position> found;
    for (const LogEntry& entry : scan_all(this->log())) found.push_back(entry.position);
    return found;
  }
};
TYPED_TEST_SUITE(TrimContract, LogHarnesses, HarnessNames);

TYPED_TEST(TrimContract, AnEntryGoesOnlyWhenItsDirectSuccessorIsAtOrBelowTheFloor) {
  for (const char* payload : {"1", "2", "3"}) this->put_one("a", payload);
  this->put_one("b", "1");
  this->put_one("a", "4");
  EXPECT_EQ(this->trim(2, 0), 1u);
  EXPECT_EQ(this->positions().front(), (Position{Revision{2}, 0})) << "its successor is 3";
  EXPECT_EQ(this->trim(4, 0), 1u);
  EXPECT_EQ(this->positions(), (std::vector<Position>{{Revision{3}, 0}, {Revision{4}, 0},
                                                      {Revision{5}, 0}}));
  EXPECT_EQ(this->trim(4, 0), 0u) << "the same again changes nothing";
  EXPECT_EQ(this->log().state().trim_floor, Revision{4});
  EXPECT_EQ(this->log().history(key("a"), 10)->size(), 2u);
  EXPECT_EQ(this->log().digests().digests, recompute(this->log()));
}

TYPED_TEST(TrimContract, TombstonesGoOnlyByTheirOwnFloor) {
  this->put_one("a", "1");
  this->leave_one("a");
  this->put_one("b", "1");
  EXPECT_EQ(this->trim(3, 0), 1u);
  ASSERT_TRUE(*this->log().latest(key("a")));
  EXPECT_EQ((*this->log().latest(key("a")))->kind, ChangeKind::leave);
  EXPECT_EQ(this->trim(3, 1), 0u) << "the leave is above";
  EXPECT_EQ(this->trim(3, 2), 1u);
  EXPECT_FALSE(*this->log().latest(key("a")));
  EXPECT_EQ(this->log().state().tombstone_floor, Revision{2});
  this->put_one("a", "again");
  EXPECT_FALSE(scan_all(this->log()).back().previous) << "nothing is known to have been before";
}

TYPED_TEST(TrimContract, ADeleteAtTheFloorIsNeverMissed) {
  this->put_one("a", "1");
  const EraId era = this->log().state().current_era();
  this->leave_one("a");
  this->put_one("b", "1");
  this->trim(2, 1);
  const Cursor old{era, Revision{1}, {}};
  EXPECT_EQ(judge_cursor(this->log().state(), old), CursorVerdict::valid);
  const auto entries = scan_all(this->log(), Position::end_of(Revision{1}));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].change.kind, ChangeKind::leave);
  this->trim(2, 2);
  EXPECT_EQ(judge_cursor(this->log().state(), old), CursorVerdict::below_tombstones);
}

TYPED_TEST(TrimContract, FloorsSurviveAReopenAndNeverSink) {
  for (const char* payload : {"1", "2", "3"}) this->put_one("a", payload);
  this->leave_one("b");
  this->trim(3, 2);
  this->reopen();
  EXPECT_EQ(this->log().state().trim_floor, Revision{3});
  EXPECT_EQ(this->log().state().tombstone_floor, Revision{2});
  EXPECT_EQ(this->trim(1, 1), 0u);
  EXPECT_EQ(this->log().state().trim_floor, Revision{3});
  EXPECT_EQ(this->positions().size(), 2u);
  EXPECT_EQ(scan_all(this->log()).size(), 2u);
}

TYPED_TEST(TrimContract, ImpossibleFloorsAreRefused) {
  this->put_one("a", "1");
  for (const TrimRequest& request : {TrimRequest{Revision{2}, Revision{0}},
                                     TrimRequest{Revision{0}, Revision{1}}}) {
    const auto progress = this->log().trim(request);
    ASSERT_FALSE(progress);
    EXPECT_EQ(progress.error().code, ErrorCode::invalid_argument);
  }
  EXPECT_EQ(this->log().state().trim_floor, Revision{0});
}

// -- against a model ------------------------------------------------------------------------------

using Content = std::map<std::pair<ResourceKey, std::string>, std::string>;  // key, tag -> payload

void apply(Content& content, const Change& change) {
  const std::pair slot{change.key, change.cls.tag};
  if (change.kind == ChangeKind::leave) {
    content.erase(slot);
  } else {
    content[slot] = std::string(change.payload.view());
  }
}

template <class Harness>
class TrimModel : public TrimContract<Harness> {
 protected:
  /// Of several types, one of them in the second range.
  static ResourceKey key_of(const std::string& name) {
    if (name < "n3") return key(name);
    return key(name, name < "n6" ? kAsideType : "MeshTrace");
  }

  void append_random(std::mt19937& random) {
    std::vector<std::vector<Change>> transactions(1 + random() % 3);
    for (auto& changes : transactions) {
      std::map<std::string, bool> named;
      for (std::size_t i = random() % 4; i > 0; --i) {
        const std::string name = "n" + std::to_string(random() % 8);
        if (std::exchange(named[name], true)) continue;
        const std::string tag = random() % 3 == 0 ? "red" : "";
        const ResourceKey named_key = key_of(name);
        changes.push_back(random() % 3 == 0
                              ? leave(named_key, tag)
                              : upsert(named_key, std::to_string(random()), tag));
      }
    }
    ASSERT_TRUE(append(this->log(), transactions));
    for (const auto& changes : transactions) {
      for (const Change& change : changes) apply(now_, change);
      states_.push_back(now_);
    }
  }

  void trim_some(std::mt19937& random) {
    const LogState state = this->log().state();
    TrimRequest request;
    request.floor = Revision{random() % (state.head.value + 1)};
    const Revision floor = std::max(request.floor, state.trim_floor);
    const std::uint64_t highest = random() % 4 == 0 ? floor.value : floor.value / 2;
    request.tombstone_floor = Revision{random() % (highest + 1)};
    request.max_visited = 1 + random() % 12;
    auto progress = this->log().trim(request);
    for (const char* type : {kAsideType, "MeshTrace"}) {
      if (random() % 2 == 0) continue;
      request.type_floors[type] = Revision{random() % (state.head.value + 1)};
    }
    if (!request.type_floors.empty()) progress = this->log().trim(request);
    const bool no_types = !progress && progress.error().code == ErrorCode::unsupported;
    ASSERT_TRUE(progress || no_types) << describe(progress.error());
  }

  /// A receiver at revision `from` reads on in small pages; `between` may trim between them. Its
  /// state at every place where a cut may end is one that existed.
  void follow(Revision from, const std::function<void()>& between, bool viewed = false) {
    Content content = seen(states_[from.value], viewed);
    Revision floor_seen;
    Position at = Position::end_of(from);
    ScanOptions options;
    options.max_entries = 3;
    options.viewed_only = viewed;
    if (viewed) options.admits = [](const Class& cls) { return !aside_rule(cls); };
    bool cut_at_head = from == this->log().state().head;
    for (;;) {
      auto page = this->log().scan(at, options);
      ASSERT_TRUE(page) << describe(page.error());
      if (at < Position::end_of(page->tombstone_floor)) return;  // says that leaves may be missing
      floor_seen = std::max(floor_seen, page->trim_floor);
      for (const LogEntry& entry : page->entries) apply(content, entry.change);
      at = page->next;
      if (page->at_segment_end && at.revision >= floor_seen) {
        ASSERT_EQ(content, seen(states_[at.revision.value], viewed)) << "at " << at.revision.value;
        cut_at_head = page->at_head;
      }
      if (page->at_head) break;
      between();
    }
    ASSERT_TRUE(cut_at_head) << "a reader that reached the head may end its cut there";
  }

  static Content seen(Content content, bool viewed) {
    if (viewed) {
      std::erase_if(content, [](const auto& item) { return item.first.first.type == kAsideType; });
    }
    return content;
  }

  Content now_;
  std::vector<Content> states_{Content{}};  // by revision
};
TYPED_TEST_SUITE(TrimModel, LogHarnesses, HarnessNames);

TYPED_TEST(TrimModel, NoReaderEverSeesAStateThatDidNotExist) {
  constexpr std::uint32_t kSeed = 20'261'122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  for (int step = 0; step < 60; ++step) {
    ASSERT_NO_FATAL_FAILURE(this->append_random(random));
    if (random() % 2 == 0) {
      ASSERT_NO_FATAL_FAILURE(this->trim_some(random));
    }
    if (random() % 15 == 0) this->reopen();
    const LogState state = this->log().state();
    for (int reader = 0; reader < 4; ++reader) {
      const bool viewed = reader % 2 == 0;
      const Revision floor = viewed ? this->log().viewed_floor() : state.head;
      const std::uint64_t lowest = std::min(state.tombstone_floor, floor).value;
      const Revision from{lowest + random() % (state.head.value - lowest + 1)};
      const auto trim = [&] {
        if (random() % 3 == 0) this->trim_some(random);
      };
      ASSERT_NO_FATAL_FAILURE(this->follow(from, trim, viewed));
    }
    ASSERT_NO_FATAL_FAILURE(this->follow(Revision{0}, [] {}));
    ASSERT_EQ(this->log().digests().digests, recompute(this->log()));
  }
}

}  // namespace
}  // namespace zonesync::test
