// Zone operations, types and explanations: what they ask the hub, and what they say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/tests/scripted_hub.hpp"

namespace zonesync::cli {
namespace {

using ::testing::HasSubstr;

std::string asked(const Ran& ran) {
  return ran.requests.back().method + ' ' + ran.requests.back().target;
}

TEST(ZoneOperations, EachIsOnePost) {
  for (const std::string word : {"enable", "disable", "pause", "resume", "resync", "drain"}) {
    ScriptedHub hub;
    hub.answer(204, "");
    const Ran ran = hub.run("zones " + word + " east");
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(asked(ran), "POST /zones/east/" + word);
    EXPECT_THAT(ran.out, HasSubstr("east"));
  }
  ScriptedHub hub;
  hub.answer(204, "");
  EXPECT_EQ(asked(hub.run("zones drain east --retry-after 2m")),
            "POST /zones/east/drain?retryAfter=2m");
  ScriptedHub none;
  EXPECT_EQ(none.run("zones pause East").code, 2);
}

TEST(ZoneOperations, AScopeNamesWhatIsAllowed) {
  ScriptedHub hub;
  hub.answer(204, "");
  const Ran ran = hub.run(
      "zones scope set east --type MeshTimeout --mesh a --mesh b --label tier=gold "
      "--label tier=silver");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(asked(ran), "PUT /zones/east/scope");
  EXPECT_EQ(ran.requests.back().body,
            R"({"labels":{"tier":["gold","silver"]},"meshes":["a","b"],"types":["MeshTimeout"]})");
  ScriptedHub wrong;
  EXPECT_EQ(wrong.run("zones scope set east --label tier").code, 2);
}

TEST(Types, AddSaysWhatTheTypeIs) {
  ScriptedHub hub;
  hub.answer(204, "");
  const Ran ran = hub.run("types add MeshWidget --to-zones --scope-label tier");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(asked(ran), "POST /types");
  EXPECT_THAT(ran.requests.back().body, HasSubstr(R"("plural":"meshwidgets")"));
  EXPECT_THAT(ran.requests.back().body, HasSubstr(R"("scope_labels":["tier"])"));
}

TEST(Sync, ExplainTellsTheReason) {
  ScriptedHub hub;
  hub.answer(200, R"({"zone":"east","there":false,"reason":"out_of_scope","text":"left out"})");
  const Ran ran = hub.run("sync explain meshtimeout a --zone east");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(asked(ran), "GET /zones/east/explain?type=MeshTimeout&name=a&mesh=default");
  EXPECT_EQ(ran.out, "not there: out_of_scope\n  left out\n");
}

TEST(Sync, StatusCountsZones) {
  ScriptedHub hub;
  hub.answer(200, R"({"head":9,"era":"0123456789abcdef","era_start":4,"complete":false,)"
                  R"("restored_at_revision":4,"restored_at_ms":5,"items":[)"
                  R"({"name":"a","connected":true,"enabled":true,"lag":2,"converged":"no",)"
                  R"("hold":{"reason":"digest"},"rejects":3},)"
                  R"({"name":"b","connected":false,"enabled":false,"converged":"unknown"}]})");
  const Ran ran = hub.run("sync status -o json");
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* fact : {R"("head":9)", R"("zones":2)", R"("connected":1)", R"("behind":1)",
                           R"("diverged":1)", R"("held":1)", R"("disabled":1)",
                           R"("rejects":3)", R"("era":"0123456789abcdef")", R"("era_start":4)",
                           R"("complete":false)", R"("restored_at_revision":4)"}) {
    EXPECT_THAT(ran.out, HasSubstr(fact));
  }
}

}  // namespace
}  // namespace zonesync::cli
