#include "conformance/parity/history.hpp"

#include <gtest/gtest.h>

#include <set>

#include "protocol/text/canonical_json.hpp"

namespace zonesync::conform::parity {
namespace {

TEST(History, TheSameSeedGivesTheSameSteps) {
  const Documents documents = generate_documents({.resources = 60, .spec_bytes = 200, .seed = 1});
  const auto lines = [&](std::uint64_t seed) {
    std::string text;
    for (const Step& step : make_history(documents, seed, 80).steps) {
      text += step.kind;
      for (const ControlOp& op : step.ops) text += " " + to_string(op.resource.key);
      for (const ControlOp& op : step.ops) text += op.remove ? "" : op.resource.spec;
    }
    return text;
  };
  EXPECT_EQ(lines(5), lines(5));
  EXPECT_NE(lines(5), lines(6));
}

TEST(History, EveryKindOfStepComesAndTheCountIsKept) {
  const auto documents = read_documents({ZONESYNC_FIXTURE}, 1);
  ASSERT_TRUE(documents);
  const History history = make_history(*documents, 1, 300);
  std::set<std::string> kinds;
  std::size_t changes = 0;
  bool up = false;
  bool down = false;
  for (const Step& step : history.steps) {
    kinds.insert(step.kind);
    changes += step.ops.size();
    (step.up ? up : down) = true;
    for (const ControlOp& op : step.ops) {
      EXPECT_EQ(op.resource.key.origin != "global", step.up) << "one owner per transaction";
    }
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"batch", "create", "delete", "document", "recreate",
                                          "update"}));
  EXPECT_EQ(changes, history.changes);
  EXPECT_EQ(changes, 300u);
  EXPECT_TRUE(up && down);
}

TEST(History, AChangedFieldIsAnotherCanonicalSpec) {
  for (const std::string spec : {R"({})", R"({"a":1})", R"({"a":[true,{"b":"x"}]})"}) {
    for (std::uint64_t draw = 0; draw < 20; ++draw) {
      const std::string changed = with_one_field_changed(spec, draw);
      EXPECT_NE(changed, spec);
      EXPECT_TRUE(is_canonical_object(changed)) << changed;
    }
  }
}

TEST(History, TheModelKnowsWhoSeesWhat) {
  const TypeRegistry types = TypeRegistry::with_default_types();
  State state;
  const auto add = [&](const char* type, const char* origin, const char* name, Labels labels = {}) {
    Resource resource;
    resource.key = {type, "default", origin, name};
    resource.labels = std::move(labels);
    resource.spec = "{}";
    state[resource.key] = resource;
  };
  add("MeshTimeout", "global", "policy");
  add("MeshTimeout", "global", "home", {{"kuma.io/kds-sync", "disabled"}});
  add("MeshService", "east", "service");
  add("Dataplane", "east", "proxy");
  const auto names = [](const State& seen) {
    std::set<std::string> all;
    for (const auto& [key, resource] : seen) all.insert(key.name);
    return all;
  };
  EXPECT_EQ(names(zone_view(state, types, "west")), (std::set<std::string>{"policy", "service"}));
  EXPECT_EQ(names(zone_view(state, types, "east")), (std::set<std::string>{"policy"}));
  EXPECT_EQ(names(hub_view(state, types)),
            (std::set<std::string>{"home", "policy", "proxy", "service"}));
}

}  // namespace
}  // namespace zonesync::conform::parity
