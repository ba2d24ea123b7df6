// Compressed forms and patches of a log's entries: made once, bounded, never from what is gone.
#include <gtest/gtest.h>

#include "protocol/core/patch_sender.hpp"
#include "protocol/flowlog/log_source.hpp"
#include "protocol/wire/codec.hpp"
#include "storage/memory/memory_change_log.hpp"

namespace zonesync {
namespace {

std::string text(std::size_t words, unsigned seed) {
  std::string out;
  for (std::size_t i = 0; i < words; ++i) {
    seed = seed * 1664525u + 1013904223u;
    out += std::to_string(seed) + ' ';
  }
  return out;
}

class PackTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  void write(const std::string& spec) {
    Resource resource;
    resource.key = {"MeshTimeout", "default", "global", "a"};
    resource.spec = spec;
    const Class cls{"MeshTimeout", "default", "global", ""};
    const Segment segment{{{source.head().next(), {wire::make_upsert(cls, resource)}}}};
    log.append(segment, [](Status status) { ASSERT_TRUE(status.has_value()); });
    source.on_appended(segment);
  }
  /// As a sender would meet it, from memory or from the log.
  LogEntry newest() {
    ViewSpec spec;
    spec.zone = "east";
    const View view(spec, registry);
    const Position before = Position::end_of(Revision{source.head().value - 1});
    return source.scan(before, view, 1u << 20).value().entries.at(0);
  }

  std::shared_ptr<const TypeRegistry> registry =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  MemoryChangeLog log;
  LogSource source{log, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Tails, PackTest, ::testing::Values(1u, 1u << 20));

// ZIP-13
TEST_P(PackTest, APatchLeadsFromTheDirectPredecessorAndIsMadeOnce) {
  const std::string base = text(500, 1);
  write(base);
  EXPECT_EQ(source.patch(newest()), nullptr) << "nothing was before";
  write(base + "1");
  write(base + "2");
  const auto patch = source.patch(newest());
  ASSERT_NE(patch, nullptr);
  EXPECT_EQ(source.patch(newest()), patch) << "the same bytes for every session";
  const auto middle = log.read(Position{Revision{2}, 0}).value();
  EXPECT_EQ(wire::decode_patch(*patch)->base, middle.change.hash);
  EXPECT_EQ(source.version(middle.change.key, middle.change.hash).size(), 0u) << "not live";
  const LogEntry live = newest();
  EXPECT_EQ(source.version(live.change.key, live.change.hash), live.change.payload);
}

// ZIP-13
TEST_P(PackTest, WhatIsTrimmedIsNoBase) {
  const std::string base = text(500, 1);
  write(base);
  write(base + "1");
  const LogEntry entry = newest();
  log.trim(Revision{2});
  source.refresh();
  EXPECT_EQ(source.patch(entry), nullptr);
}

// ZIP-01
TEST_P(PackTest, FramesAreMadeOnceAndOnlyWhereTheyPay) {
  write(text(500, 1));
  const auto frames = source.compressed(newest());
  ASSERT_NE(frames, nullptr);
  EXPECT_EQ(frames->size(), 1u);
  EXPECT_EQ(source.compressed(newest()), frames);
  write("{}");
  EXPECT_EQ(source.compressed(newest()), nullptr);
}

TEST(PackCache, ForgetsTheOldestBeyondItsBytes) {
  PackCache cache(10'000);
  unsigned made = 0;
  const auto ask = [&](std::uint64_t revision) {
    return cache.patch(Position{Revision{revision}, 0}, [&] {
      ++made;
      return std::make_shared<const std::string>(1'000, 'x');
    });
  };
  for (std::uint64_t revision = 1; revision <= 20; ++revision) ask(revision);
  EXPECT_EQ(made, 20u);
  ask(20);
  EXPECT_EQ(made, 20u) << "the newest is known";
  ask(1);
  EXPECT_EQ(made, 21u) << "the oldest is not";
  cache.clear();
  ask(20);
  EXPECT_EQ(made, 22u);
}

TEST(PackCache, RemembersThatThereIsNothing) {
  PackCache cache(10'000);
  unsigned made = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cache.frames(Position{Revision{1}, 0}, [&] {
      ++made;
      return PackCache::SharedFrames();
    }), nullptr);
  }
  EXPECT_EQ(made, 1u);
}

}  // namespace
}  // namespace zonesync
