#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/apply.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/tests/scripted_hub.hpp"

namespace zonesync::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string timeout_document(const std::string& name, int seconds = 1) {
  return "type: MeshTimeout\nmesh: default\nname: " + name + "\nspec: {to: [{seconds: " +
         std::to_string(seconds) + "}]}\n";
}

/// As the hub answers a transaction: one action per operation.
std::string result(std::uint64_t revision, const std::vector<std::string>& actions) {
  std::string text = "{\"changed\":true,\"outcomes\":[";
  for (std::size_t i = 0; i < actions.size(); ++i) {
    text += (i == 0 ? "" : ",") + ("{\"action\":\"" + actions[i] + "\"}");
  }
  return text + "],\"replayed\":false,\"revision\":" + std::to_string(revision) + "}";
}

std::string problem(const std::string& field, const std::string& reason) {
  return "{\"code\":\"conflict\",\"detail\":\"refused\",\"invalid_parameters\":[{\"field\":\"" +
         field + "\",\"reason\":\"" + reason + "\"}],\"status\":409,\"title\":\"Conflict\","
         "\"type\":\"about:blank\"}";
}

std::vector<std::string> names_sent(const HttpClientRequest& request) {
  std::vector<std::string> names;
  const auto body = text::parse_json(request.body);
  if (!body) return {"not JSON"};
  for (const auto& operation : *array_of(*body, "operations")) {
    names.push_back(text_of(*member(operation, "resource"), "name"));
  }
  return names;
}

TEST(Apply, WritesAllDocumentsInOneTransaction) {
  ScriptedHub hub;
  hub.answer(200, result(7, {"created", "unchanged"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a") + "---\n" + timeout_document("b"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "applied 1, unchanged 1, refused 0\n");
  ASSERT_EQ(ran.requests.size(), 1u);
  EXPECT_EQ(ran.requests[0].method + " " + ran.requests[0].target, "POST /transactions");
  EXPECT_EQ(ran.requests[0].body,
            R"({"operations":[{"op":"upsert","resource":{"labels":{"kuma.io/origin":"global"},)"
            R"("mesh":"default","name":"a","spec":{"to":[{"seconds":1}]},"type":"MeshTimeout"}})"
            R"(,)"
            R"({"op":"upsert","resource":{"labels":{"kuma.io/origin":"global"},)"
            R"("mesh":"default","name":"b","spec":{"to":[{"seconds":1}]},"type":"MeshTimeout"}})"
            "]}");
  EXPECT_FALSE(ran.requests[0].headers.get("Idempotency-Key").empty());
}

TEST(Apply, RepeatedKeyBecomesOneTransactionPerVersion) {
  ScriptedHub hub;
  hub.answer(200, result(1, {"created", "created"}));
  hub.answer(200, result(2, {"updated", "created"}));
  hub.answer(200, result(2, {"unchanged"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a") + "---\n" + timeout_document("b") +
                                            "---\n" + timeout_document("a", 2) + "---\n" +
                                            timeout_document("c") + "---\n" +
                                            timeout_document("a", 2));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "applied 4, unchanged 1, refused 0\n");
  ASSERT_EQ(ran.requests.size(), 3u);
  EXPECT_EQ(names_sent(ran.requests[0]), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names_sent(ran.requests[1]), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(names_sent(ran.requests[2]), (std::vector<std::string>{"a"}));
}

TEST(Apply, RefusedOperationIsDroppedAndTheRestSentAgain) {
  ScriptedHub hub;
  hub.answer(409, problem("/operations/1/spec/x", "no"));
  hub.answer(409, problem("/operations/1/spec/y", "no"));
  hub.answer(200, result(3, {"created"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a") + "---\ntype: Mesh\nname: d\n"
                                        "---\ntype: Mesh\nname: e\n");
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(ran.out,
            "refused -:5 Mesh/-/d@global: no (at /spec/x)\n"
            "refused -:8 Mesh/-/e@global: no (at /spec/y)\n"
            "applied 1, unchanged 0, refused 2\n");
  EXPECT_EQ(ran.err, "error: 2 documents were refused\n"
                     "hint: each refusal names its file, line and reason\n");
  ASSERT_EQ(ran.requests.size(), 3u);
  EXPECT_EQ(names_sent(ran.requests[1]), (std::vector<std::string>{"a", "e"}));
  EXPECT_EQ(names_sent(ran.requests[2]), (std::vector<std::string>{"a"}));
  EXPECT_NE(ran.requests[0].headers.get("Idempotency-Key"),
            ran.requests[1].headers.get("Idempotency-Key"));
}

TEST(Apply, VerdictOnATypeHoldsForTheRun) {
  ScriptedHub hub;
  hub.answer(409, problem("/operations/0/type", "provided by zones"));
  hub.answer(200, result(3, {"created"}));
  hub.answer(200, result(4, {"updated"}));
  const std::string dataplane = "---\ntype: Dataplane\nname: ";
  const Ran ran = hub.run("apply -f -", dataplane + "a\n" + dataplane + "b\n---\n" +
                                            timeout_document("t") + dataplane + "a\n---\n" +
                                            timeout_document("t", 2));
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.out, EndsWith("applied 2, unchanged 0, refused 3\n"));
  ASSERT_EQ(ran.requests.size(), 3u);
  EXPECT_EQ(names_sent(ran.requests[1]), (std::vector<std::string>{"t"}));
  EXPECT_EQ(names_sent(ran.requests[2]), (std::vector<std::string>{"t"}));
}

TEST(Apply, JsonReportNamesFileLineKeyAndReason) {
  ScriptedHub hub;
  hub.answer(409, problem("/operations/0/type", "provided by zones"));
  hub.answer(200, result(9, {"updated"}));
  const Ran ran =
      hub.run("apply -f - -o json", "type: Dataplane\nname: d\n---\n" + timeout_document("a"));
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(ran.out,
            "{\"applied\":1,\"refusals\":[{\"file\":\"-\",\"key\":\"Dataplane/default/d@global\","
            "\"line\":1,\"reason\":\"provided by zones (at /type)\"}],\"refused\":1,"
            "\"revision\":9,\"unchanged\":0}\n");
}

TEST(Apply, UnreadableDocumentStopsNoOther) {
  ScriptedHub hub;
  hub.answer(200, result(1, {"created"}));
  const Ran ran = hub.run("apply -f -", "type: MeshTimeout\nname: [\n---\n" +
                                            timeout_document("a") +
                                            "---\ntype: Nonsense\nname: x\n");
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.out, HasSubstr("refused -:1 -: "));
  EXPECT_THAT(ran.out, HasSubstr("refused -:8 -: "));
  EXPECT_THAT(ran.out, EndsWith("applied 1, unchanged 0, refused 2\n"));
}

TEST(Apply, UnknownFieldIsRefusedUnlessLenient) {
  const std::string document = "type: MeshTimeout\nname: a\nto: []\n";
  ScriptedHub strict;
  EXPECT_EQ(strict.run("apply -f -", document).code, 7);
  ScriptedHub lenient;
  lenient.answer(200, result(1, {"created"}));
  const Ran ran = lenient.run("apply --lenient -f -", document);
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_THAT(ran.requests.at(0).body, HasSubstr("\"spec\":{\"to\":[]}"));
}

TEST(Apply, VerdictWithoutOperationRefusesASingleDocument) {
  ScriptedHub hub;
  hub.answer(413, "{\"detail\":\"too large\",\"status\":413}");
  const Ran ran = hub.run("apply -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.out, HasSubstr("MeshTimeout/default/a@global: too large"));
}

TEST(Apply, TooLargeTransactionIsHalved) {
  ScriptedHub hub;
  hub.answer(413, "{\"detail\":\"too large\",\"status\":413}");
  hub.answer(200, result(1, {"created"}));
  hub.answer(200, result(2, {"created"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a") + "---\n" + timeout_document("b"));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "applied 2, unchanged 0, refused 0\n");
}

TEST(Apply, AtomicSendsOneTransactionOrNothing) {
  ScriptedHub hub;
  hub.answer(409, problem("/operations/1/type", "provided by zones"));
  const Ran ran = hub.run("apply --atomic -f -",
                          timeout_document("a") + "---\ntype: Dataplane\nname: d\n");
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(ran.requests.size(), 1u);
  EXPECT_THAT(ran.out, EndsWith("applied 0, unchanged 0, refused 1\n"));
  EXPECT_THAT(ran.err, HasSubstr("nothing was written"));
}

TEST(Apply, AtomicRefusesARepeatedKeyBeforeSending) {
  ScriptedHub hub;
  const Ran ran = hub.run("apply --atomic -f -",
                          timeout_document("a") + "---\n" + timeout_document("a", 2));
  EXPECT_EQ(ran.code, 7);
  EXPECT_TRUE(ran.requests.empty());
  EXPECT_THAT(ran.out, HasSubstr("refused -:5 MeshTimeout/default/a@global: the same key stands in "
                                 "-:1; with --atomic"));
}

TEST(Apply, DryRunAsksTheHubToJudgeOnly) {
  ScriptedHub hub;
  hub.answer(200, result(1, {"created"}));
  const Ran ran = hub.run("apply --dry-run --wait -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 0);
  ASSERT_EQ(ran.requests.size(), 1u);
  EXPECT_EQ(ran.requests[0].target, "/transactions?dryRun=true");
  EXPECT_EQ(ran.out, "would apply 1, unchanged 0, refused 0: a dry run\n");
  ScriptedHub json;
  json.answer(200, result(1, {"created"}));
  EXPECT_THAT(json.run("apply --dry-run -f - -o json", timeout_document("a")).out,
              StartsWith("{\"applied\":1,\"dry_run\":true,"));
}

TEST(Apply, IfMatchHoldsForOneDocument) {
  ScriptedHub hub;
  hub.answer(200, result(8, {"updated"}));
  const Ran ran = hub.run("apply --if-match 7 -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.requests.at(0).body, HasSubstr(",\"ifMatch\":7}"));
  ScriptedHub two;
  const Ran refused =
      two.run("apply --if-match 7 -f -", timeout_document("a") + "---\n" + timeout_document("b"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(refused.requests.empty());
  ScriptedHub stale;
  stale.answer(412, R"({"code":"precondition_failed","detail":"it is at revision 9",)"
                    R"("invalid_parameters":[{"field":"/operations/0","reason":"it is at 9"}]})");
  const Ran lost = stale.run("apply --if-match 7 -f -", timeout_document("a"));
  EXPECT_EQ(lost.code, 6) << lost.err;
  EXPECT_THAT(lost.out, HasSubstr("it is at 9"));
  EXPECT_EQ(ScriptedHub().run("apply --if-match x -f -", timeout_document("a")).code, 2);
}

TEST(Apply, WaitAsksForTheLastRevision) {
  ScriptedHub hub;
  hub.answer(200, result(12, {"created"}));
  hub.answer(200, R"({"missing_zones":[],"reached":true,"reached_zones":["east"],"revision":12})");
  const Ran ran = hub.run("apply --wait --timeout 5s -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.requests.at(1).target, "/wait?revision=12&timeout=5000ms");
}

TEST(Apply, WaitThatEndsTooEarlyKeepsTheCountsAsLastLine) {
  ScriptedHub hub;
  hub.answer(200, result(12, {"created"}));
  hub.answer(200, R"({"missing_zones":["west"],"reached":false,"reached_zones":[],"revision":12})");
  const Ran ran = hub.run("apply --wait --timeout 0s -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 8);
  EXPECT_EQ(ran.out, "applied 1, unchanged 0, refused 0\n");
  EXPECT_THAT(ran.err, HasSubstr("missing: west"));
}

TEST(Apply, LostAnswerIsAskedForAgainWithTheSameKey) {
  ScriptedHub hub;
  hub.lose().answer(200, result(1, {"created"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(ran.requests.size(), 2u);
  EXPECT_EQ(ran.requests[0].headers.get("Idempotency-Key"),
            ran.requests[1].headers.get("Idempotency-Key"));
}

TEST(Apply, LostHubSaysWhatWasNotJudged) {
  ScriptedHub hub;
  hub.answer(200, result(1, {"created"})).lose().lose();
  const Ran ran = hub.run("apply -f -", timeout_document("a") + "---\n" + timeout_document("a", 2) +
                                            "---\n" + timeout_document("a", 3));
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "applied 1, unchanged 0, refused 0\n");
  EXPECT_THAT(ran.err, HasSubstr("2 documents were not judged"));
}

TEST(Apply, BusyHubIsAskedAgainAfterRetryAfter) {
  ScriptedHub hub;
  hub.answer(503, "{}", {{"Retry-After", "2"}}).answer(200, result(1, {"created"}));
  const Ran ran = hub.run("apply -f -", timeout_document("a"));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.slept, std::vector<Duration>{std::chrono::seconds(2)});
}

TEST(Apply, MissingFileAndEmptyInputAreUsageErrors) {
  ScriptedHub hub;
  const Ran missing = hub.run("apply -f /does/not/exist.yaml");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("no such file or directory: /does/not/exist.yaml"));
  EXPECT_EQ(hub.run("apply -f -", "# only a comment\n").code, 2);
  EXPECT_EQ(hub.run("apply").code, 2);
}

TEST(Apply, OperationIsReadOutOfFields) {
  EXPECT_EQ(operation_of("/operations/12/type"), 12u);
  EXPECT_EQ(operation_of("ops/3"), 3u);
  EXPECT_EQ(operation_of("/ops/0/resource/spec/1"), 0u);
  EXPECT_FALSE(operation_of("/operations/x"));
  EXPECT_FALSE(operation_of("/spec/1"));
  EXPECT_FALSE(operation_of(""));
}

}  // namespace
}  // namespace zonesync::cli
