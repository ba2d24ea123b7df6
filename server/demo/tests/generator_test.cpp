#include "server/demo/generator.hpp"

#include <gtest/gtest.h>

#include <set>

#include "protocol/model/scope.hpp"
#include "protocol/text/canonical_json.hpp"

namespace zonesync::demo {
namespace {

TEST(Generator, MakesAsManyDistinctValidResourcesAsAsked) {
  const Generator generator(7, 300, {"east"});
  const TypeRegistry registry = TypeRegistry::with_default_types();
  std::set<ResourceKey> keys;
  for (const Resource& resource : generator.initial()) {
    keys.insert(resource.key);
    EXPECT_TRUE(may_write(registry, {std::string(kGlobalOrigin)}, resource).has_value());
    EXPECT_EQ(canonical_json(resource.spec).value(), resource.spec) << "specs are canonical";
  }
  EXPECT_EQ(keys.size(), 300u);
}

TEST(Generator, ZonesPublishOnlyWhatZonesMay) {
  const Generator generator(7, 10, {"east"});
  const TypeRegistry registry = TypeRegistry::with_default_types();
  for (const Resource& resource : generator.zone_initial("east")) {
    EXPECT_TRUE(may_write(registry, {"east"}, resource).has_value());
    EXPECT_EQ(canonical_json(resource.spec).value(), resource.spec);
    EXPECT_FALSE(may_write(registry, {std::string(kGlobalOrigin)}, resource).has_value());
  }
}

TEST(Generator, TheSameSeedGivesTheSameChanges) {
  Generator first(42, 50, {"east"});
  Generator second(42, 50, {"east"});
  std::size_t removals = 0;
  std::set<ResourceKey> live;
  for (const Resource& resource : first.initial()) live.insert(resource.key);
  for (int i = 0; i < 1000; ++i) {
    const auto a = first.next();
    const auto b = second.next();
    EXPECT_EQ(a.resource, b.resource);
    EXPECT_EQ(a.remove, b.remove);
    if (a.remove) {
      EXPECT_EQ(live.erase(a.resource.key), 1u) << "only what exists is removed";
      ++removals;
    } else {
      live.insert(a.resource.key);
    }
  }
  EXPECT_GT(removals, 10u);
}

}  // namespace
}  // namespace zonesync::demo
