// `diff`, `revert`, `get --rev`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/tests/scripted_hub.hpp"

namespace zonesync::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> asked(const Ran& ran) {
  std::vector<std::string> lines;
  for (const auto& request : ran.requests) {
    lines.push_back(request.method + ' ' + request.target +
                    (request.body.empty() ? "" : ' ' + request.body));
  }
  return lines;
}

constexpr const char* kGone =
    R"({"title":"Gone","status":410,"detail":"history before revision 9 is trimmed"})";

TEST(GetAtRevision, OneAndAll) {
  ScriptedHub hub;
  hub.answer(200, R"({"name":"a","type":"MeshTimeout"})", {{"ETag", "\"3\""}});
  EXPECT_THAT(asked(hub.run("get meshtimeouts a --rev 4 -o json")),
              ElementsAre("GET /meshes/default/meshtimeouts/a?rev=4"));
  ScriptedHub list;
  list.answer(200, R"({"items":[],"next":null,"revision":4})");
  EXPECT_THAT(asked(list.run("get meshtimeouts --rev 4")),
              ElementsAre("GET /meshtimeouts?rev=4&size=1000"));
}

TEST(GetAtRevision, TrimmedHistoryIsExitFiveAndNoAdviceThatFails) {
  ScriptedHub hub;
  hub.answer(410, kGone);
  const Ran ran = hub.run("get meshtimeouts a --rev 4");
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(ran.err, "error: history before revision 9 is trimmed\n")
      << "starting at 0 is of no use";
}

TEST(Diff, OfOneResourceShowsFields) {
  ScriptedHub hub;
  hub.answer(200, R"({"before":{},"after":{},"from":2,"to":3,"changes":[)"
                  R"({"path":"/spec/a","before":1,"after":[2]},{"path":"/spec/b","after":"x"}]})");
  const Ran ran = hub.run("diff meshtimeouts a --from 2 --to 3 --origin east");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "- /spec/a 1\n+ /spec/a [2]\n+ /spec/b \"x\"\n");
  EXPECT_THAT(asked(ran),
              ElementsAre("GET /meshes/default/meshtimeouts/a/diff?origin=east&from=2&to=3"));
}

TEST(Diff, ASecretThatChangedIsSaidWithoutItsValue) {
  ScriptedHub hub;
  hub.answer(200, R"({"before":{},"after":{},"from":2,"to":3,)"
                  R"("changes":[{"path":"/spec","hidden":true}]})");
  EXPECT_EQ(hub.run("diff secret s").out, "~ /spec changed (value hidden)\n");
}

TEST(Diff, OfStatesReadsAllPages) {
  const std::string item = R"({"change":"removed","key":{"type":"MeshTimeout","mesh":"m",)"
                           R"("name":"n","origin":"global"},"before":{"revision":7}})";
  ScriptedHub hub;
  hub.answer(200, R"({"items":[)" + item + R"(],"next":"8.0"})")
      .answer(200, R"({"items":[)" + item + R"(],"next":null})");
  const Ran ran = hub.run("diff meshtimeout --from 2 -m m");
  EXPECT_EQ(ran.out, "CHANGE   TYPE         MESH  NAME  ORIGIN  BEFORE  AFTER\n"
                     "removed  MeshTimeout  m     n     global  7       -\n"
                     "removed  MeshTimeout  m     n     global  7       -\n");
  EXPECT_THAT(asked(ran),
              ElementsAre("GET /diff?from=2&type=MeshTimeout&mesh=m&size=1000",
                          "GET /diff?from=2&type=MeshTimeout&mesh=m&size=1000&offset=8.0"));
}

TEST(Diff, OfStatesNeedsARevision) {
  ScriptedHub hub;
  const Ran ran = hub.run("diff");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--from REVISION"));
}

TEST(Revert, DryRunShowsThePlan) {
  ScriptedHub hub;
  hub.answer(200, R"({"revision":9,"changed":false,"outcomes":[{"action":"removed","key":)"
                  R"({"type":"MeshTimeout","mesh":"default","name":"n","origin":"global"}}]})");
  const Ran ran = hub.run("revert 4 meshtimeout n --dry-run");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "WOULD BE  TYPE         MESH     NAME\n"
                     "removed   MeshTimeout  default  n\n");
  EXPECT_THAT(asked(ran), ElementsAre("POST /revert?dryRun=true {\"mesh\":\"default\",\"name\":"
                                      "\"n\",\"revision\":4,\"type\":\"MeshTimeout\"}"));
}

TEST(Revert, OfEverythingAndOfNothing) {
  ScriptedHub hub;
  hub.answer(200, R"({"revision":9,"changed":false,"outcomes":[]})");
  const Ran ran = hub.run("revert 4");
  EXPECT_EQ(ran.out, "nothing to do: it is as it was\n");
  EXPECT_THAT(asked(ran), ElementsAre("POST /revert {\"revision\":4}"));
}

TEST(Revert, RefusalsHaveTheirExitCodes) {
  ScriptedHub lost;
  lost.answer(412, R"({"title":"Precondition Failed","status":412,"detail":"changed meanwhile"})");
  EXPECT_EQ(lost.run("revert 4").code, 6);
  ScriptedHub gone;
  gone.answer(410, kGone);
  EXPECT_EQ(gone.run("revert 4").code, 5);
  ScriptedHub none;
  EXPECT_EQ(none.run("revert four").code, 2);
}

}  // namespace
}  // namespace zonesync::cli
