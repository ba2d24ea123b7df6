#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "client-sdk/agent/mirror_worker.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"
#include "protocol/text/resource_text.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

class MirrorWorkerTest : public ::testing::Test {
 protected:
  void start() {
    MirrorWorker::Options options;
    options.mirror.dir = mirror_dir();
    options.mirror.zone = "west";
    options.log_cuts = true;
    worker_ = std::make_unique<MirrorWorker>(options, steady_clock(), log_, [this] {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
  }
  fs::path mirror_dir() const { return dir_.path() / "mirror"; }

  client::Cut cut(std::uint64_t revision, const std::vector<Resource>& upserts, bool initial) {
    ReplicaSnapshot::Builder builder(replica_);
    client::Cut result{Revision{revision}, {}, {}, initial, {}, client::Snapshot(replica_, false)};
    for (const Resource& resource : upserts) {
      const Class cls{resource.key.type, resource.key.mesh, resource.key.origin, ""};
      ReplicaEntry entry;
      entry.revision = Revision{revision};
      entry.change = wire::make_upsert(cls, resource);
      builder.put(std::move(entry));
      result.changes.push_back({resource.key, resource, Revision{revision}});
    }
    replica_ = builder.finish(Cursor{{}, Revision{revision}, {}});
    result.snapshot = client::Snapshot(replica_, false);
    return result;
  }
  void wait_for(const std::function<bool(const MirrorStatus&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::unique_lock lock(mutex_);
    while (!wanted(worker_->status())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      changed_.wait_for(lock, 100ms);
    }
  }

  TemporaryDirectory dir_;
  std::shared_ptr<CapturingLogger> log_ = std::make_shared<CapturingLogger>();
  std::shared_ptr<const ReplicaSnapshot> replica_ = std::make_shared<const ReplicaSnapshot>();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<MirrorWorker> worker_;
};

TEST_F(MirrorWorkerTest, FollowsCutsAndReconcilesTheFirst) {
  start();
  const Resource first = make_resource("MeshTimeout", "default", "global", "a", 1);
  const Resource second = make_resource("MeshTimeout", "default", "global", "b", 2);
  worker_->push(cut(1, {first}, true));
  worker_->push(cut(2, {second}, false));
  wait_for([](const MirrorStatus& status) { return status.revision == Revision{2}; });
  const fs::path leaf = mirror_dir() / "current/default/MeshTimeout/global";
  EXPECT_EQ(slurp(leaf / "a.json"), resource_to_json(first));
  EXPECT_EQ(slurp(leaf / "b.json"), resource_to_json(second));
  EXPECT_GE(log_->count("agent.mirror.switched"), 1u);
}

TEST_F(MirrorWorkerTest, AWriteErrorIsShownAndTriedAgain) {
  spill(mirror_dir(), "a file where the mirror should be");
  start();
  worker_->push(cut(1, {make_resource("Mesh", "", "global", "m", 1)}, true));
  wait_for([](const MirrorStatus& status) { return !status.error.empty(); });
  EXPECT_FALSE(worker_->status().revision.has_value());
  fs::remove(mirror_dir());
  wait_for([](const MirrorStatus& status) { return status.revision == Revision{1}; });
  EXPECT_EQ(worker_->status().error, "");
  EXPECT_EQ(log_->count("agent.mirror.failed"), 1u);
}

}  // namespace
}  // namespace zonesync::agent
