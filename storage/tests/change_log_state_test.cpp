// Listings as of an older revision, against a model of every revision: what v1 lists are read from.
#include <map>
#include <random>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

template <class Harness>
using ChangeLogState = LogContract<Harness>;
TYPED_TEST_SUITE(ChangeLogState, LogHarnesses, HarnessNames);

using State = std::map<std::string, std::string>;  // name -> tag/payload

State read_state(const ChangeLog& log, Revision at, std::size_t max_bytes,
                 std::size_t max_visited) {
  State state;
  ListFilter filter;
  filter.type = "MeshTimeout";
  filter.at = at;
  filter.admits = [](const Class& cls) { return cls.tag != "hidden"; };
  filter.max_bytes = max_bytes;
  filter.max_visited = max_visited;
  std::optional<ResourceKey> after;
  for (int pages = 0; pages < 1'000; ++pages) {
    const auto page = log.list(filter, after, 1'000'000);
    if (!page) {
      ADD_FAILURE() << describe(page.error());
      break;
    }
    for (const LogEntry& entry : page->entries) {
      const std::string content = entry.change.cls.tag + "/" +
                                  std::string(entry.change.payload.view());
      EXPECT_TRUE(state.emplace(entry.change.key.name, content).second) << "listed twice";
      EXPECT_LE(entry.position.revision, at);
    }
    if (!page->next) return state;
    after = page->next;
  }
  ADD_FAILURE() << "the listing does not end";
  return state;
}

TYPED_TEST(ChangeLogState, EveryRevisionIsReadBackPageByPage) {
  std::mt19937 random(7);
  std::vector<State> model{State{}};
  std::map<std::string, std::string> tags;  // of what is live
  for (int revision = 1; revision <= 60; ++revision) {
    std::vector<Change> changes{upsert(key("other", "MeshRetry"), std::to_string(revision))};
    for (int i = 0; i < 8; ++i) {
      if (random() % 3 != 0) continue;
      const std::string name = "n" + std::to_string(i);
      const auto live = tags.find(name);
      if (live != tags.end() && random() % 3 == 0) {
        changes.push_back(leave(key(name), live->second));
        tags.erase(live);
        continue;
      }
      const std::string tag = random() % 3 == 0 ? "hidden" : random() % 3 == 0 ? "x" : "";
      if (live != tags.end() && live->second != tag) {
        changes.push_back(leave(key(name), live->second));
      }
      changes.push_back(upsert(key(name), name + std::to_string(revision), tag));
      tags[name] = tag;
    }
    State state;
    ASSERT_TRUE(append(this->log(), {std::move(changes)}));
    ListFilter now;
    now.type = "MeshTimeout";
    const auto page = this->log().list(now, std::nullopt, 1'000);
    ASSERT_TRUE(page);
    for (const LogEntry& entry : page->entries) {
      if (entry.change.cls.tag == "hidden") continue;
      state[entry.change.key.name] =
          entry.change.cls.tag + "/" + std::string(entry.change.payload.view());
    }
    model.push_back(std::move(state));
  }
  for (std::uint64_t at = 0; at < model.size(); ++at) {
    EXPECT_EQ(read_state(this->log(), Revision{at}, 1u << 20, 1'000), model[at]) << at;
    EXPECT_EQ(read_state(this->log(), Revision{at}, 1, 2), model[at]) << at << " in small pages";
  }
}

TYPED_TEST(ChangeLogState, AStateThatWasTrimmedIsBelowTheFloorAfterTheCall) {
  ASSERT_TRUE(append(this->log(), {{put("a", "1")}}));
  ASSERT_TRUE(append(this->log(), {{put("a", "2")}}));
  TrimRequest request;
  request.floor = Revision{2};
  auto progress = this->log().trim(request);
  while (progress && !progress->done) progress = this->log().trim(request);
  ASSERT_TRUE(progress);
  ListFilter filter;
  filter.type = "MeshTimeout";
  filter.at = Revision{1};
  const auto page = this->log().list(filter, std::nullopt, 10);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->entries.empty());
  EXPECT_GT(this->log().state().trim_floor, Revision{1}) << "how a reader notices";
}

}  // namespace
}  // namespace zonesync::test
