// One random history, played in delta, in v1 and with switches between: the same replicas, the same
// verdicts, and no removal on the way of what the sender's log holds (promises P1, P5, P8; V1-07).
#include <map>
#include <random>
#include <set>

#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

constexpr unsigned kSeeds = 250;
constexpr int kSteps = 50;
constexpr unsigned kKeys = 9;
using Modes = std::vector<SyncMode>;

/// What a side holds and thinks of it, comparable.
using Content = std::map<ResourceKey, std::string>;

Content content_of(const ReplicaStore& replica) {
  Content content;
  replica.snapshot()->for_each([&](const ReplicaEntry& entry) {
    content[entry.change.key] =
        std::to_string(entry.revision.value) + ' ' + to_hex(entry.change.hash.id) +
        (entry.reject ? " refused: " + entry.reject->code : "") + ' ' +
        std::string(entry.active().view());
  });
  return content;
}

class Play : public ZoneTest {
 public:
  Play(unsigned seed, Modes modes) : random_(seed), choice_(seed), modes_(std::move(modes)) {
    SetUp();
    sink_->set_validator("MeshTimeout", [](const Resource& resource) -> std::optional<Reject> {
      if (resource.spec.find("bad") == std::string::npos) return std::nullopt;
      return Reject{"bad", "/spec", "the test says so", false};
    });
    machine_->start();
  }
  void TestBody() override {}

  void run() {
    open();
    for (int i = 0; i < kSteps; ++i) step();
    if (!zone_session_) open();
    pump();
    check_removals();
    port_.now_ += std::chrono::seconds(12);
    pump();
  }

  Content zone() const { return content_of(replica_); }
  Content hub() const { return content_of(hub_.up_replica_); }
  /// The hub's list of what the zone refuses, from the verdicts as they came.
  std::set<std::string> refused() const {
    std::map<ResourceKey, std::string> open;
    for (const Verdict& verdict : hub_.verdicts) {
      if (verdict.accepted) open.erase(verdict.key);
      else open[verdict.key] = std::to_string(verdict.revision.value) + ' ' + verdict.reject.code;
    }
    std::set<std::string> all;
    for (const auto& [key, why] : open) all.insert(to_string(key) + ' ' + why);
    return all;
  }
  std::set<std::string> open_here() const {
    std::set<std::string> all;
    for (const Verdict& verdict : sink_->open_verdicts()) {
      all.insert(to_string(verdict.key) + ' ' + std::to_string(verdict.revision.value) + ' ' +
                 verdict.reject.code);
    }
    return all;
  }
  bool converged() {
    return hub_.source_->digest_at(hub_.source_->head(), hub_.down_view_) ==
               replica_.state().digest &&
           outbox_->source().digest_at(outbox_->head(), hub_.up_view_) ==
               hub_.up_replica_.state().digest;
  }

 private:
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }

  void open() {
    mode_ = modes_[choice_() % modes_.size()];  // not from random_: the script stays the same
    machine_->reconnect_now();
    connect();
  }

  void step() {
    const unsigned dice = below(100);
    const unsigned pumps = below(2);
    if (dice < 55) {
      write();
    } else if (dice < 80) {
      publish();
    } else if (zone_session_) {
      drop();
    } else {
      open();
    }
    if (zone_session_ && pumps > 0) pump();
    check_removals();
  }

  void write() {
    std::vector<Change> changes;
    for (unsigned i = below(3); i < kKeys; i += 1 + below(4)) {
      const bool retry = i % 3 == 0;
      Resource resource = make_resource(retry ? "MeshRetry" : "MeshTimeout", "default", "global",
                                        "r" + std::to_string(i));
      const auto live = live_.find(resource.key);
      const unsigned dice = below(10);
      if (dice < 3 && live != live_.end()) {
        changes.push_back(wire::make_leave(live->second, resource.key));
        live_.erase(live);
        continue;
      }
      resource.spec = dice < 6 ? R"({"v":"bad)" : R"({"v":"good)";
      resource.spec += std::to_string(below(4)) + "\"}";
      if (dice == 9) resource.labels[std::string(kSyncLabel)] = "disabled";
      Change change = make_change(resource);
      if (live != live_.end() && live->second != change.cls) {
        changes.push_back(wire::make_leave(live->second, resource.key));
      }
      live_[resource.key] = change.cls;
      changes.push_back(std::move(change));
    }
    if (changes.empty()) return;
    hub_.write(std::move(changes));
    std::set<ResourceKey> visible;
    for (const auto& [key, cls] : live_) {
      if (hub_.down_view_.admits(cls)) visible.insert(key);
    }
    visible_at_[hub_.source_->head()] = std::move(visible);
  }

  void publish() {
    const std::string name = "d" + std::to_string(below(5));
    OutboxOp op;
    op.key = {"Dataplane", "default", "east", name};
    if (below(3) > 0) {
      op.resource = make_resource("Dataplane", "default", "east", name,
                                  "{\"v\":" + std::to_string(below(9)) + "}");
    }
    machine_->publish({op}, [](const Result<OutboxResult>&) {});
  }

  void check_removals() {
    for (; checked_ < port_.cuts.size(); ++checked_) {
      const AppliedCut& cut = port_.cuts[checked_];
      if (cut.initial) continue;
      auto at = visible_at_.upper_bound(cut.cursor->revision);
      if (at == visible_at_.begin()) continue;
      const auto& visible = std::prev(at)->second;
      for (const AppliedChange& change : cut.changes) {
        EXPECT_FALSE(change.payload.empty() && visible.contains(change.key))
            << to_string(change.key) << " was removed at " << cut.cursor->revision.value;
      }
    }
  }

  std::mt19937 random_;
  std::mt19937 choice_;
  const Modes modes_;
  std::map<ResourceKey, Class> live_;
  std::map<Revision, std::set<ResourceKey>> visible_at_;
  std::size_t checked_ = 0;
};

TEST(Parity, AnyHistoryEndsAlikeInDeltaInV1AndThroughSwitches) {
  std::size_t refusals = 0;
  for (unsigned seed = 0; seed < kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play delta(seed, {SyncMode::delta});
    delta.run();
    ASSERT_TRUE(delta.converged());
    EXPECT_EQ(delta.refused(), delta.open_here());
    refusals += delta.open_here().size();
    for (const Modes& modes : {Modes{SyncMode::v1}, Modes{SyncMode::delta, SyncMode::v1}}) {
      Play other(seed, modes);
      other.run();
      ASSERT_TRUE(other.converged());
      EXPECT_EQ(other.zone(), delta.zone());
      EXPECT_EQ(other.hub(), delta.hub());
      EXPECT_EQ(other.open_here(), delta.open_here());
      EXPECT_EQ(other.refused(), other.open_here());
    }
  }
  EXPECT_GT(refusals, kSeeds) << "the histories are meant to hold verdicts";
}

}  // namespace
}  // namespace zonesync::testing
