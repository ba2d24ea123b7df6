// A zone machine whose link is cut at will, with a stage that stands for a disk.
#pragma once

#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {

using namespace std::chrono_literals;

inline Resource mesh(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Mesh", "", "global", name, spec);
}

inline Change left(const std::string& name) {
  return wire::make_leave(make_change(mesh(name)).cls, mesh(name).key);
}

/// Digits that do not compress well, different for every number.
inline std::string noise(std::uint64_t number, std::size_t bytes) {
  std::string text = "{\"v\":\"";
  std::uint64_t state = number * 0x9e3779b97f4a7c15 + 1;
  while (text.size() < bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text += static_cast<char>('A' + state % 58 % 26);
    text += static_cast<char>('a' + state / 61 % 26);
  }
  return text + "\"}";
}

class ResumeTest : public ZoneTest {
 protected:
  void SetUp() override {
    message_target_bytes_ = 4u << 10;
    stage_ = &disk_;
    spill_bytes_ = 64u << 10;
    restart();
  }

  void write(int count, int per_transaction, std::size_t bytes = 300) {
    std::vector<Change> changes;
    for (int i = 0; i < count; ++i) {
      changes.push_back(make_change(mesh("m" + std::to_string(i), noise(i, bytes))));
      if (static_cast<int>(changes.size()) < per_transaction && i + 1 < count) continue;
      hub_.write(std::exchange(changes, {}));
    }
  }

  /// Delivers the hub's messages up to `messages`, then loses the link with one more on its way.
  /// True: nothing was left to say before that. Counts what travelled down, the lost one too.
  bool run(int messages) {
    open();
    for (int delivered = 0; zone_session_ != nullptr;) {
      port_.now_ += 20ms;
      zone_session_->on_tick(port_.now());
      hub_session_->on_tick(port_.now());
      while (auto up = zone_session_->next_message(port_.now())) {
        hub_session_->on_message(std::move(*up), port_.now());
      }
      auto down = hub_session_->next_message(port_.now());
      if (!down && hub_session_->wants_close()) {
        drop(*hub_session_->wants_close());
        return false;
      }
      if (!down) return true;
      down_bytes_ += down->size();
      if (++delivered > messages) {
        drop();
        return false;
      }
      zone_session_->on_message(std::move(*down), port_.now());
      if (zone_session_->wants_close()) {
        pump();
        return false;
      }
    }
    return false;
  }

  void wait_for_retry() {
    port_.now_ += 2min;
    machine_->on_tick(port_.now());
  }

  void restart_process() {
    restart();
    machine_->start();
  }

  void empty_replica() {
    machine_.reset();
    sink_.reset();
    std::destroy_at(&replica_);
    std::construct_at(&replica_, MemoryReplicaOptions{.durable = true});
    restart();
  }

  /// Cuts until what is left fits into `messages`; the number of attempts.
  int run_to_end(int messages, bool restarts) {
    machine_->start();
    for (int attempt = 1; attempt < 2'000; ++attempt) {
      if (run(messages)) return attempt;
      restarts ? restart_process() : wait_for_retry();
    }
    ADD_FAILURE() << "it never ends";
    return 0;
  }

  [[nodiscard]] bool same_as_hub() const {
    const auto expected = hub_.source_->digest_at(hub_.source_->head(), hub_.down_view_);
    return expected && replica_.state().digest == *expected;
  }
  [[nodiscard]] std::uint64_t resumes() const { return machine_->status().counters.resumes; }

  /// A first sync of 400 meshes in transactions of ten, interrupted; something is staged.
  void interrupt_first_sync() {
    write(400, 10);
    machine_->start();
    ASSERT_FALSE(run(8));
    ASSERT_TRUE(sink_->staged());
    ASSERT_TRUE(sink_->staged()->full);
    ASSERT_FALSE(replica_.state().cursor) << "nothing of an open cut is visible";
  }
  /// Goes on to the end. True: what was staged was used.
  bool goes_on() {
    const std::uint64_t before = resumes();
    wait_for_retry();
    EXPECT_TRUE(run(10'000));
    EXPECT_TRUE(same_as_hub());
    EXPECT_EQ(machine_->status().counters.digest_mismatches, 0u);
    EXPECT_EQ(disk_.place(), std::nullopt) << "nothing is left of an applied cut";
    return resumes() > before;
  }

  MemoryStage disk_{true};
  std::uint64_t down_bytes_ = 0;
};

}  // namespace zonesync::testing
