// Random operations on every change log, compared with a naive model. The seed is fixed and shown.
#include <map>
#include <random>

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

constexpr std::uint32_t kSeed = 20'240'611;

template <class Harness>
class RandomContract : public LogContract<Harness> {
 protected:
  using Slot = std::pair<std::string, std::string>;  // name, tag

  void append_random_segment(std::mt19937& random) {
    std::vector<std::vector<Change>> transactions(1 + random() % 3);
    for (auto& changes : transactions) {
      std::map<std::string, bool> named;
      for (std::size_t i = random() % 5; i > 0; --i) {
        const std::string name = "n" + std::to_string(random() % 12);
        if (named[name]) continue;
        named[name] = true;
        random_change(random, name, changes);
      }
    }
    ASSERT_TRUE(append(this->log(), transactions));
    for (const auto& changes : transactions) {
      for (const Change& change : changes) model_.push_back(change);
    }
  }

  // Keeps at most one class of a name alive, as the hub's ingest does.
  void random_change(std::mt19937& random, const std::string& name, std::vector<Change>& changes) {
    const std::string tag = random() % 4 == 0 ? "red" : "";
    const std::string payload(random() % 200, static_cast<char>('a' + random() % 26));
    const auto live = live_.find(name);
    if (live != live_.end() && (random() % 3 == 0 || live->second != tag)) {
      changes.push_back(leave(key(name), live->second));
      const bool moves = live->second != tag;
      live_.erase(live);
      if (!moves) return;
    }
    changes.push_back(upsert(key(name), payload, tag));
    live_[name] = tag;
  }

  void compare() {
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    ScanOptions options;
    options.max_entries = 7;
    options.max_bytes = 300;
    const auto entries = scan_all(this->log(), Position::start(), options);
    ASSERT_EQ(entries.size(), model_.size());
    std::map<Slot, Previous> latest;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const LogEntry& entry = entries[i];
      ASSERT_EQ(entry.change.key, model_[i].key);
      ASSERT_EQ(entry.change.payload, model_[i].payload);
      const Slot slot{entry.change.key.name, entry.change.cls.tag};
      const auto before = latest.find(slot);
      ASSERT_EQ(entry.previous.has_value(), before != latest.end());
      if (entry.previous) {
        ASSERT_EQ(*entry.previous, before->second);
      }
      latest[slot] = Previous{entry.position, entry.change.kind, entry.change.hash};
    }
    for (const auto& [name, tag] : live_) {
      const auto found = this->log().latest(key(name));
      ASSERT_TRUE(found && *found);
      ASSERT_EQ((*found)->kind, ChangeKind::upsert);
      ASSERT_EQ((*found)->cls.tag, tag);
    }
    ListFilter filter;
    filter.type = "MeshTimeout";
    ASSERT_EQ(this->log().list(filter, std::nullopt, 1'000)->entries.size(), live_.size());
    ASSERT_EQ(this->log().digests().digests, recompute(this->log()));
  }

  /// The state at a past revision, told from the entries alone.
  void compare_past(Revision past) {
    SCOPED_TRACE("at revision " + std::to_string(past.value));
    std::map<std::string, LogEntry> newest;
    for (const LogEntry& entry : scan_all(this->log())) {
      if (entry.position.revision <= past) newest[entry.change.key.name] = entry;
    }
    ListFilter filter;
    filter.type = "MeshTimeout";
    filter.at = past;
    const auto listed = this->log().list(filter, std::nullopt, 1'000);
    ASSERT_TRUE(listed.has_value());
    auto shown = listed->entries.begin();
    for (const auto& [name, entry] : newest) {
      const auto found = this->log().entry_at(key(name), past);
      ASSERT_TRUE(found && *found);
      ASSERT_EQ((*found)->position, entry.position);
      if (entry.change.kind == ChangeKind::leave) continue;
      ASSERT_NE(shown, listed->entries.end());
      ASSERT_EQ(shown->position, entry.position);
      ++shown;
    }
    ASSERT_EQ(shown, listed->entries.end());
    const auto never = this->log().entry_at(key("never"), past);
    ASSERT_TRUE(never && !*never);
  }

  std::vector<Change> model_;
  std::map<std::string, std::string> live_;
};
TYPED_TEST_SUITE(RandomContract, LogHarnesses, HarnessNames);

TYPED_TEST(RandomContract, EqualsTheModelAcrossReopens) {
  std::mt19937 random(kSeed);
  for (int step = 0; step < 120; ++step) {
    ASSERT_NO_FATAL_FAILURE(this->append_random_segment(random));
    if (step % 40 == 39) this->reopen();
    if (step % 10 == 9) {
      ASSERT_NO_FATAL_FAILURE(this->compare());
      const Revision past{random() % (this->log().state().head.value + 1)};
      ASSERT_NO_FATAL_FAILURE(this->compare_past(past));
    }
  }
}

}  // namespace
}  // namespace zonesync::test
