// Issue 2, Must show 7: a first sync larger than every window over a slow link; flat hub memory.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

constexpr std::size_t kResources = 6'400;
constexpr std::size_t kResourceBytes = 32u << 10;  // 200 MiB in all
constexpr std::size_t kPerTransaction = 100;
constexpr std::uint64_t kLinkBytesPerSecond = 25u << 20;
constexpr std::size_t kMemoryKib = 64u << 10;      // 16 windows

TEST(LargeSync, TwoHundredMegabytesOverASlowLinkWithFlatHubMemory) {
  Cluster cluster({});
  for (std::size_t i = 0; i < kResources; i += kPerTransaction) {
    ASSERT_GT(cluster.put_many("big", static_cast<int>(i), static_cast<int>(i + kPerTransaction),
                               std::string(kResourceBytes, static_cast<char>('a' + i % 26))),
              0u);
  }
  auto& slot = cluster.agents["east"];
  slot = std::make_unique<AgentUnderTest>(cluster.workspace, cluster.hub, "east");
  slot->proxy().limit(ProxyDirection::to_client, kLinkBytesPerSecond);

  const std::size_t before = cluster.hub.resident_kib();
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> most{0};
  std::thread watcher([&] {
    while (!stop) {
      most = std::max(most.load(), cluster.hub.resident_kib());
      std::this_thread::yield();
    }
  });
  slot->start();
  const auto converged = cluster.converges();
  stop = true;
  watcher.join();
  ASSERT_TRUE(converged);
  EXPECT_EQ(slot->mirror_files().size(), kResources);
  EXPECT_GE(slot->proxy().counters().bytes_to_client, kResources * kResourceBytes);
  EXPECT_LE(most.load(), before + kMemoryKib)
      << "KiB before " << before << ", most " << most.load();
  RecordProperty("hub_resident_kib_before", std::to_string(before));
  RecordProperty("hub_resident_kib_most", std::to_string(most.load()));
}

}  // namespace
}  // namespace zonesync::integration
