// The estimate is read in steps behind the start; what changes meanwhile counts once.
#include "server/hub/v1_estimate.hpp"

#include <gtest/gtest.h>

#include "storage/memory/memory_change_log.hpp"

namespace zonesync::hub {
namespace {

class V1EstimateTest : public ::testing::Test {
 protected:
  static Change change(int name, std::size_t bytes, const std::string& origin = "global") {
    const ResourceKey key{"MeshTrafficPermission", "default", origin, "n" + std::to_string(name)};
    const std::string payload(bytes, 'x');
    return {bytes > 0 ? ChangeKind::upsert : ChangeKind::leave,
            Class{key.type, key.mesh, key.origin, {}}, key, hash_bytes(payload),
            SharedBytes(payload)};
  }
  Segment append(std::vector<Change> changes) {
    Segment segment{{{log.state().head.next(), std::move(changes)}}};
    log.append(segment, [](const Status& status) { ASSERT_TRUE(status.has_value()); });
    return segment;
  }
  std::uint64_t at_once(const std::string& zone) {
    V1Estimate whole(types);
    whole.begin(log);
    EXPECT_EQ(whole.load_some(log, 100'000).value(), false);
    return whole.cost_of_reconnect(zone);
  }

  std::shared_ptr<const TypeRegistry> types =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  MemoryChangeLog log;
};

TEST_F(V1EstimateTest, InStepsItIsTheSameAsAtOnceWhateverChangesMeanwhile) {
  for (int i = 0; i < 40; ++i) append({change(i, 100 + static_cast<std::size_t>(i))});
  append({change(3, 500), change(4, 0), change(50, 70, "east")});
  V1Estimate estimate(types);
  estimate.begin(log);
  int step = 0;
  for (bool more = true; more; ++step) {
    auto read = estimate.load_some(log, 7);
    ASSERT_TRUE(read) << describe(read.error());
    more = *read;
    if (step == 0) estimate.on_segment(append({change(1, 900), change(30, 0), change(60, 40)}));
    if (step == 2) estimate.on_segment(append({change(30, 20), change(2, 10)}));
  }
  EXPECT_GT(step, 4);
  for (const char* zone : {"east", "west"}) {
    EXPECT_EQ(estimate.cost_of_reconnect(zone), at_once(zone)) << zone;
  }
  EXPECT_EQ(estimate.load_some(log, 7).value(), false) << "nothing is left";
}

TEST_F(V1EstimateTest, AnEmptyLogIsReadAtOnce) {
  V1Estimate estimate(types);
  estimate.begin(log);
  EXPECT_EQ(estimate.load_some(log, 1).value(), false);
  EXPECT_EQ(estimate.cost_of_reconnect("east"), 0u);
}

}  // namespace
}  // namespace zonesync::hub
