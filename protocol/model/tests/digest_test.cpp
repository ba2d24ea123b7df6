#include "protocol/model/digest.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace zonesync {
namespace {

struct Item {
  Id128 key;
  Hash128 hash;
};

std::vector<Item> items(int count) {
  std::vector<Item> result;
  for (int i = 0; i < count; ++i) {
    result.push_back({fingerprint({"T", "m", "global", std::to_string(i)}),
                      hash_bytes("spec" + std::to_string(i))});
  }
  return result;
}

TEST(Digest, IsIndependentOfOrder) {
  const std::vector<Item> all = items(50);
  Digest forward, backward;
  for (std::size_t i = 0; i < all.size(); ++i) {
    forward.add(all[i].key, all[i].hash);
    backward.add(all[all.size() - 1 - i].key, all[all.size() - 1 - i].hash);
  }
  EXPECT_EQ(forward, backward);
  EXPECT_EQ(forward.count, 50u);
}

TEST(Digest, RemoveUndoesAddAcrossTheCarry) {
  const std::vector<Item> all = items(200);
  Digest digest;
  for (const Item& item : all) digest.add(item.key, item.hash);
  for (const Item& item : all) digest.remove(item.key, item.hash);
  EXPECT_EQ(digest, Digest{});
}

TEST(Digest, AllButMineIsASubtraction) {
  const std::vector<Item> all = items(40);
  Digest whole, mine, others;
  for (std::size_t i = 0; i < all.size(); ++i) {
    whole.add(all[i].key, all[i].hash);
    (i % 3 == 0 ? mine : others).add(all[i].key, all[i].hash);
  }
  Digest rest = whole;
  rest -= mine;
  EXPECT_EQ(rest, others);
  rest += mine;
  EXPECT_EQ(rest, whole);
}

TEST(Digest, DependsOnKeyAndContent) {
  const std::vector<Item> all = items(2);
  Digest a, b, crossed;
  a.add(all[0].key, all[0].hash);
  b.add(all[1].key, all[0].hash);
  crossed.add(all[0].key, all[1].hash);
  EXPECT_NE(a, b);
  EXPECT_NE(a, crossed);
}

TEST(Digest, TextHasCountAndHex) {
  EXPECT_EQ(to_string(Digest{}), "0:00000000000000000000000000000000");
  EXPECT_EQ(to_string(Digest{0x1f, 0xa000000000000000u, 3}),
            "3:a000000000000000000000000000001f");
}

}  // namespace
}  // namespace zonesync
