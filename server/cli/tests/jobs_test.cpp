// `jobs`, `delete mesh NAME --cascade`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/tests/scripted_hub.hpp"

namespace zonesync::cli {
namespace {

using ::testing::HasSubstr;

std::string job(const std::string& state) {
  return R"({"id":"9","kind":"delete_mesh","mesh":"m","actor":"user/a","state":")" + state +
         R"(","total":6,"done":2,"kept":1,"started_ms":1000,"ended_ms":0})";
}

TEST(Jobs, AreListed) {
  ScriptedHub hub;
  hub.answer(200, R"({"items":[)" + job("running") + "]}");
  const Ran ran = hub.run("jobs");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "ID  KIND         MESH  STATE    DONE  TOTAL  KEPT  STARTED               BY\n"
            "9   delete_mesh  m     running  2     6      1     1970-01-01T00:00:01Z  user/a\n");
}

TEST(Jobs, OneIsShownWaitedForAndCanceled) {
  ScriptedHub show;
  show.answer(200, job("running"));
  EXPECT_EQ(show.run("jobs 9 -o json").requests.at(0).target, "/jobs/9");
  ScriptedHub wait;
  wait.answer(200, job("running")).answer(200, job("done"));
  const Ran waited = wait.run("jobs 9 --wait");
  EXPECT_EQ(waited.code, 0) << waited.err;
  EXPECT_EQ(waited.slept.size(), 1u);
  ScriptedHub cancel;
  cancel.answer(200, job("canceled"));
  const Ran canceled = cancel.run("jobs 9 --cancel");
  EXPECT_EQ(canceled.requests.at(0).method + canceled.requests.at(0).target,
            "POST/jobs/9/cancel");
}

TEST(Jobs, ExitCodes) {
  ScriptedHub none;
  EXPECT_EQ(none.run("jobs --cancel").code, 2);
  ScriptedHub gone;
  gone.answer(404, R"({"title":"Not Found","status":404,"detail":"there is no job '9'"})");
  EXPECT_EQ(gone.run("jobs 9").code, 5);
  ScriptedHub canceled;
  canceled.answer(200, job("canceled"));
  EXPECT_EQ(canceled.run("jobs 9 --wait").code, 1);
}

TEST(DeleteMesh, CascadeIsAJob) {
  ScriptedHub hub;
  hub.answer(202, job("running")).answer(200, job("done"));
  const Ran ran = hub.run("delete mesh m --cascade --wait");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.requests.at(0).target, "/jobs");
  EXPECT_EQ(ran.requests.at(0).body, R"({"kind":"delete_mesh","mesh":"m"})");
  ScriptedHub plan;
  plan.answer(200, job("running"));
  EXPECT_EQ(plan.run("delete mesh m --cascade --dry-run").requests.at(0).target,
            "/jobs?dryRun=true");
  ScriptedHub other;
  const Ran wrong = other.run("delete meshtimeout m --cascade");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--cascade"));
}

TEST(DeleteMesh, ACascadeHasNoRevisionToHoldFor) {
  ScriptedHub hub;
  const Ran ran = hub.run("delete mesh m --cascade --if-match 7");
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(ran.requests.empty()) << "nothing was asked for";
  EXPECT_THAT(ran.err, HasSubstr("--if-match"));
  ScriptedHub waiting;
  EXPECT_EQ(waiting.run("delete mesh m --wait").code, 2) << "--wait is for --cascade";
}

TEST(DeleteMesh, AHubThatGoesAwayLeavesTheJobsName) {
  ScriptedHub hub;
  hub.answer(202, job("running")).lose().lose();
  const Ran ran = hub.run("delete mesh m --cascade --wait");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("job 9 goes on"));
  EXPECT_THAT(ran.err, HasSubstr("zonesync jobs 9 --wait"));
}

TEST(DeleteMesh, WithoutCascadeWhatIsLeftIsCounted) {
  const std::string removed = R"({"action":"removed","key":{},"revision":8})";
  ScriptedHub hub;
  hub.answer(200, removed).answer(200, job("planned"));
  const Ran ran = hub.run("delete mesh m");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "removed Mesh m at revision 8\n");
  EXPECT_EQ(ran.err, "hint: 7 resources of mesh m are left without it, 1 of them of zones; "
                     "`zonesync delete Mesh m --cascade` removes those of the hub\n");
  EXPECT_EQ(ran.requests.at(1).target, "/jobs?dryRun=true");
  ScriptedHub before;  // the Mesh itself counts too
  before.answer(200, removed).answer(200, job("planned"));
  const Ran plan = before.run("delete mesh m --dry-run");
  EXPECT_EQ(plan.out, "would remove Mesh m\n");
  EXPECT_THAT(plan.err, HasSubstr("hint: 6 resources of mesh m would be left without it"));
  ScriptedHub empty;
  empty.answer(200, removed).answer(404, "{}");
  EXPECT_EQ(empty.run("delete mesh m").err, "");
  ScriptedHub editor;  // may remove a mesh, may not start jobs
  editor.answer(200, removed).answer(403, "{}");
  const Ran unknown = editor.run("delete mesh m");
  EXPECT_EQ(unknown.code, 0);
  EXPECT_THAT(unknown.err, HasSubstr("hint: what is in mesh m"));
}

}  // namespace
}  // namespace zonesync::cli
