// Random conversations: both logs change, connections break, commits fail, wait and end late. After
// every applied cut the replica is compared with a model that knows nothing of flows (promise P1).
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::Peer;
using testing::SessionPair;
using testing::timeout;

constexpr int kSeeds = 200;
constexpr int kSteps = 60;
constexpr int kKeys = 12;

/// What the view of one log holds at every revision, written down as the test writes.
struct Model {
  using State = std::map<ResourceKey, std::string>;
  std::vector<State> at{State{}};           // by revision
  std::map<ResourceKey, bool> present;      // also what the view does not show
};

class Conversation {
 public:
  /// Every session is in one of `modes`.
  Conversation(unsigned seed, std::vector<SyncMode> modes)
      : random_(seed),
        modes_(std::move(modes)),
        pair_(pick<std::size_t>({1, 50'000, limits::kHotTailBytes})) {
    watch(pair_.hub.sink, zone_model_);
    watch(pair_.zone.sink, hub_model_);
    pair_.tap = [this](SessionRole, std::string&) { return !lossy_ || !chance(3); };
  }

  void run() {
    connect();
    for (int i = 0; i < kSteps && !::testing::Test::HasFailure(); ++i) step();
    heal();
  }

 private:
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename T>
  T pick(std::vector<T> from) {
    return from[below(static_cast<unsigned>(from.size()))];
  }

  void watch(testing::MapSink& sink, const Model& model) {
    sink.on_applied = [this, &sink, &model] {
      const Revision at = sink.durable_cursor->revision;
      ASSERT_LT(at.value, model.at.size());
      Model::State got;
      for (const auto& [key, item] : sink.items) {
        got[key] = wire::resource_of(item.payload).value().spec;
      }
      EXPECT_TRUE(got == model.at[at.value]) << "the replica differs at revision " << at.value;
      Revision& newest = newest_[&sink];
      EXPECT_GE(at, newest) << "a cursor went back";
      newest = at;
    };
  }

  void write(Peer& peer, Model& model) {
    std::vector<Resource> upserts;
    std::vector<ResourceKey> leaves;
    Model::State state = model.at.back();
    for (int key = static_cast<int>(below(3)); key < kKeys; key += 1 + static_cast<int>(below(9))) {
      const std::string name = "r" + std::to_string(key);
      const std::size_t size = pick<std::size_t>({1, 10, 500, 5'000, chance(3) ? 300'000u : 9u});
      const std::string text = std::to_string(random_()) + std::string(size, 'x');
      const bool at_hub = peer.role == SessionRole::hub;
      Resource resource = at_hub ? timeout(name, text) : dataplane(name, text);
      if (model.present[resource.key] && chance(30)) {
        leaves.push_back(resource.key);
        model.present[resource.key] = false;
        state.erase(resource.key);
        continue;
      }
      model.present[resource.key] = true;
      const bool home = chance(15);
      if (home) resource.labels[std::string(kSyncLabel)] = "disabled";
      if (home) state.erase(resource.key);
      else state[resource.key] = resource.spec;
      upserts.push_back(std::move(resource));
    }
    if (upserts.empty() && leaves.empty()) return;
    model.at.push_back(std::move(state));
    ASSERT_EQ(peer.write(upserts, leaves).value, model.at.size() - 1);
  }

  void connect() {
    if (pair_.zone.session && !pair_.zone.closed) return;
    for (Peer* peer : {&pair_.hub, &pair_.zone}) {
      if (chance(50)) peer->session.reset();  // completions may find nobody
      while (!peer->sink.pending.empty()) peer->sink.complete_one();
    }
    syncs_.clear();
    pair_.hub.synced.clear();
    pair_.zone.synced.clear();
    pair_.hub.mode = pair_.zone.mode = modes_.size() > 1 ? pick(modes_) : modes_.front();
    pair_.hub.window_bytes = pick<std::uint64_t>({1, 1'000, 20'000, 64u << 10, 4u << 20});
    pair_.zone.window_bytes = pick<std::uint64_t>({1, 1'000, 20'000, 64u << 10, 4u << 20});
    pair_.connect();
  }

  void fail_next(Peer& peer) {
    using Kind = CutFailure::Kind;
    const Kind kind = pick<Kind>({Kind::digest_mismatch, Kind::hold, Kind::hold, Kind::stale});
    const std::string reason = pick<std::string>({"disk_full", "queue_full", "mass_delete"});
    peer.sink.fail_next_commit =
        CutFailure{kind, {ErrorCode::precondition_failed, "the test says so", ""}, reason};
  }

  void sync() {
    if (pair_.zone.session->sync(next_sync_)) syncs_[next_sync_] = pair_.zone.source.head();
    ++next_sync_;
  }

  /// A new start of one side's log while nobody is connected.
  void reopen(Peer& peer) {
    pair_.cut();
    peer.log.reopen();
    peer.source.refresh();
  }

  void step() {
    Peer& peer = chance(50) ? pair_.hub : pair_.zone;
    Model& model = &peer == &pair_.hub ? hub_model_ : zone_model_;
    const unsigned dice = below(100);
    if (dice < 30) write(peer, model);
    else if (dice < 60) pair_.pump(1 + below(6));
    else if (dice < 64) pair_.cut();
    else if (dice < 66) lossy_ = !lossy_;
    else if (dice < 72) fail_next(peer);
    else if (dice < 76) peer.sink.deferred = !peer.sink.deferred;
    else if (dice < 84) complete_one(peer);
    else if (dice < 86) want_full(peer);
    else if (dice < 88) peer.log.trim(Revision{below(static_cast<unsigned>(model.at.size()))});
    else if (dice < 90) reopen(peer);
    else if (dice < 95) sync();
    else pair_.advance(std::chrono::milliseconds(pick<int>({20, 1'500, 11'000})));
    if (chance(50)) release(peer);
    check();
    if (pair_.zone.closed) connect();
  }

  void complete_one(Peer& peer) {
    if (!peer.sink.pending.empty()) peer.sink.complete_one();
  }
  void want_full(Peer& peer) {
    if (auto* receiver = open_receiver(peer)) receiver->want_full("asked");
  }
  void release(Peer& peer) {
    auto* receiver = open_receiver(peer);
    if (receiver && receiver->held()) receiver->retry_held();
  }
  FlowReceiver* open_receiver(Peer& peer) {
    return peer.session && !peer.closed ? peer.session->receiver() : nullptr;
  }

  /// Acked = durable; a Sync is answered behind what was published before it.
  void check() {
    const auto both = {std::pair{&pair_.hub, &pair_.zone}, std::pair{&pair_.zone, &pair_.hub}};
    for (auto [from, to] : both) {
      if (!from->session || from->closed || !from->session->sender()) continue;
      const auto& acked = from->session->sender()->acked();
      if (!acked || acked->view != from->session->sender()->view().id()) continue;
      ASSERT_TRUE(to->sink.durable_cursor.has_value());
      EXPECT_LE(acked->revision, to->sink.durable_cursor->revision) << "acked, not durable";
    }
    for (const wire::Synced& answer : pair_.zone.synced) {
      ASSERT_TRUE(pair_.hub.sink.durable_cursor.has_value());
      EXPECT_GE(pair_.hub.sink.durable_cursor->revision, syncs_[answer.id]) << "Synced too early";
    }
    for (const Peer* peer : {&pair_.hub, &pair_.zone}) {
      if (!peer->closed) continue;
      EXPECT_NE(peer->closed->code, close_code::kMalformed) << peer->closed->reason;
      EXPECT_NE(peer->closed->code, close_code::kCreditViolated) << peer->closed->reason;
    }
  }

  void heal() {
    lossy_ = false;
    for (Peer* peer : {&pair_.hub, &pair_.zone}) {
      peer->sink.deferred = false;
      peer->sink.fail_next_commit.reset();
      while (!peer->sink.pending.empty()) peer->sink.complete_one();
    }
    for (int round = 0; round < 4; ++round) {
      connect();
      pair_.pump();
      release(pair_.hub);
      release(pair_.zone);
      pair_.advance(std::chrono::seconds(2));
      check();
    }
    EXPECT_TRUE(pair_.converged());
  }

  std::mt19937_64 random_;
  std::vector<SyncMode> modes_;
  SessionPair pair_;
  Model hub_model_;
  Model zone_model_;
  bool lossy_ = false;
  std::uint64_t next_sync_ = 1;
  std::map<std::uint64_t, Revision> syncs_;  // id -> what it must stand behind
  std::map<const testing::MapSink*, Revision> newest_;
};

class Conversations : public ::testing::TestWithParam<std::vector<SyncMode>> {};

// V1-02, V1-06, V1-07: lists lead to the same replicas, and a session in the other mode goes on
// where the one before stopped.
TEST_P(Conversations, EveryRandomOneConvergesAndEveryCutIsExact) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Conversation(seed, GetParam()).run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

using Modes = std::vector<SyncMode>;
INSTANTIATE_TEST_SUITE_P(Modes, Conversations,
                         ::testing::Values(Modes{SyncMode::delta}, Modes{SyncMode::v1},
                                           Modes{SyncMode::delta, SyncMode::v1}),
                         [](const auto& each) {
                           if (each.param.size() > 1) return std::string("switching");
                           return std::string(to_string(each.param.front()));
                         });

}  // namespace
}  // namespace zonesync
