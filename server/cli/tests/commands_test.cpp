#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/command_line.hpp"
#include "server/cli/tests/scripted_hub.hpp"

namespace zonesync::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> asked(const Ran& ran) {
  std::vector<std::string> lines;
  for (const auto& request : ran.requests) lines.push_back(request.method + ' ' + request.target);
  return lines;
}

constexpr const char* kResource =
    R"({"labels":{"kuma.io/origin":"global"},"mesh":"default","name":"a b","spec":{"on":true},)"
    R"("type":"MeshTimeout"})";

std::string page(const std::string& name, const std::string& next) {
  return R"({"items":[{"origin":"global","resource":{"labels":{"l":"v"},"mesh":"default",)"
         R"("name":")" + name + R"(","spec":{},"type":"MeshTimeout"},"revision":5}],"next":)" +
         next + R"(,"revision":9})";
}

TEST(Get, OneResourceIsPrintedAsTheHubSentIt) {
  ScriptedHub hub;
  hub.answer(200, kResource, {{"ETag", "\"5\""}});
  const Ran ran = hub.run("get meshtimeouts a --origin east -o json");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, std::string(kResource) + "\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /meshes/default/meshtimeouts/a?origin=east"));
}

TEST(Get, OneResourceAsTableAndYaml) {
  ScriptedHub table;
  table.answer(200, kResource, {{"ETag", "\"5\""}});
  EXPECT_EQ(table.run("get MeshTimeout a").out, "MESH     NAME  ORIGIN  REVISION\n"
                                                "default  a b   global  5\n");
  ScriptedHub yaml;
  yaml.answer(200, kResource);
  EXPECT_EQ(yaml.run("-o yaml get MeshTimeout a").out,
            "type: MeshTimeout\nmesh: default\nname: a b\nlabels:\n  kuma.io/origin: global\n"
            "spec:\n  \"on\": true\n");
}

TEST(Get, ListCoversAllPagesAndMeshes) {
  ScriptedHub hub;
  hub.answer(200, page("first", "\"x/1\"")).answer(200, page("second", "null"));
  const Ran ran = hub.run("get mesh-timeout -o wide");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "MESH     NAME    ORIGIN  REVISION  LABELS\n"
                     "default  first   global  5         l=v\n"
                     "default  second  global  5         l=v\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /meshtimeouts?size=1000",
                                      "GET /meshtimeouts?size=1000&offset=x%2F1"));
}

TEST(Get, ListOfOneMeshAsJson) {
  ScriptedHub hub;
  hub.answer(200, R"({"items":[],"next":null,"revision":9})");
  const Ran ran = hub.run("get meshtimeout -m west/coast -o json");
  EXPECT_EQ(ran.out, "{\"items\":[]}\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /meshes/west%2Fcoast/meshtimeouts?size=1000"));
}

TEST(Get, ListThatNeverEndsIsAnError) {
  ScriptedHub hub;
  hub.answer(200, page("a", "\"1\"")).answer(200, page("b", "\"1\""));
  EXPECT_EQ(hub.run("get meshtimeout").code, 1);
}

TEST(Get, UnknownTypeNamesTheNearest) {
  ScriptedHub hub;
  const Ran ran = hub.run("get meshtimeuot");
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: no type 'meshtimeuot' (did you mean 'MeshTimeout'?)\n"
                     "hint: `zonesync get types` lists the types of the hub\n");
}

TEST(Get, TypesOfTheHubAreUsed) {
  ScriptedHub hub;
  hub.types(200, R"({"items":[{"name":"Widget","plural":"widgets","scope":"global"}]})");
  hub.answer(200, R"({"items":[],"next":null,"revision":9})");
  const Ran ran = hub.run("get widget");
  EXPECT_EQ(ran.out, "NAME  ORIGIN  REVISION\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /widgets?size=1000"));
}

TEST(Get, MeshForATypeOutsideMeshesIsRefused) {
  ScriptedHub hub;
  const Ran ran = hub.run("get mesh default --mesh default");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("a Mesh lives outside meshes"));
}

TEST(Get, HostileNamesDoNotSteerTheTerminal) {
  ScriptedHub hub;
  hub.answer(200, page("a\\u001b[2Jb", "null"));
  EXPECT_THAT(hub.run("get meshtimeout").out, HasSubstr("a?[2Jb"));
  hub.answer(200, page("a\u009b31mb\u00e9", "null"));  // a C1 control, and a letter beside it
  EXPECT_THAT(hub.run("get meshtimeout").out, HasSubstr("a??31mb\u00e9"));
}

constexpr const char* kZones =
    R"({"head":12,"items":[)"
    R"({"name":"east","enabled":true,"connected":true,"mode":"delta","revision":12,"lag":0,)"
    R"("in_flight":0,"rejects":0,"bytes_tx":2048,"bytes_rx":10,"last_seen_ms":999000,)"
    R"("converged":"yes","hold":null,"lag_seconds":0},)"
    R"({"name":"west","enabled":true,"connected":true,"mode":"v1","revision":10,"lag":2,)"
    R"("in_flight":300,"rejects":1,"bytes_tx":5,"bytes_rx":0,"last_seen_ms":1000000,)"
    R"("converged":"unknown","hold":null,"lag_seconds":1.25},)"
    R"({"name":"gone","enabled":true,"connected":false,"mode":"delta","revision":0,"lag":12,)"
    R"("in_flight":0,"rejects":0,"bytes_tx":0,"bytes_rx":0,"last_seen_ms":0,)"
    R"("converged":"unknown","hold":null,"lag_seconds":7}]})";

TEST(Zones, Table) {
  ScriptedHub hub;
  hub.answer(200, kZones);
  EXPECT_EQ(hub.run("get zones").out,
            "NAME  STATUS      MODE   REV  LAG  IN-FLIGHT  REJECTS  RECEIVED  LAST-SEEN\n"
            "east  synced      delta  12   0    0 B        0        2.0 KiB   1s\n"
            "west  behind      v1     10   2    300 B      1        5 B       0s\n"
            "gone  never-seen  delta  0    12   0 B        0        0 B       -\n");
}

TEST(Zones, WhereAZoneStandsIsUnknownUntilItIsBackAfterARestartOfTheHub) {
  ScriptedHub hub;
  hub.answer(200,
             R"({"head":12,"items":[{"name":"east","enabled":true,"connected":false,)"
             R"("mode":"delta","generation":3,"revision":0,"lag":12,"in_flight":0,"rejects":0,)"
             R"("bytes_tx":0,"bytes_rx":0,"last_seen_ms":0,"converged":"unknown","hold":null}]})");
  EXPECT_EQ(hub.run("get zones").out,
            "NAME  STATUS   MODE   REV  LAG  IN-FLIGHT  REJECTS  RECEIVED  LAST-SEEN\n"
            "east  offline  delta  ?    ?    0 B        0        0 B       -\n");
}

TEST(Zones, WatchAsksAgainUntilInterrupted) {
  ScriptedHub hub;
  hub.answer(200, kZones).answer(200, kZones).interrupt_after(2);
  const Ran ran = hub.run("get zones -w --interval 500ms -o json");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.requests.size(), 2u);
  EXPECT_EQ(ran.slept.at(0), std::chrono::milliseconds(500));
}

TEST(Zones, OneThatIsNotThere) {
  ScriptedHub hub;
  hub.answer(200, kZones);
  EXPECT_EQ(hub.run("get zone north").code, 5);
}

TEST(Zones, Mode) {
  ScriptedHub hub;
  hub.answer(200, "{}").answer(200, "{}");
  EXPECT_EQ(hub.run("zones mode east v1").code, 0);
  const Ran ran = hub.run("zones mode east v1 --for 10m");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(asked(ran), ElementsAre("PUT /zones/east/mode", "PUT /zones/east/mode"));
  EXPECT_EQ(hub.run("zones mode east v7").code, 2);
  EXPECT_EQ(hub.run("zones mode east").code, 2);
}

TEST(Sync, ErrorsListsOpenRejectsWithTheirReasons) {
  ScriptedHub hub;
  hub.answer(200, R"({"total":3,"items":[{"zone":"west","direction":"down","code":"invalid",)"
                  R"("field":"/spec","text":"too long","retryable":false,"at_ms":999000,)"
                  R"("revision":9,"key":{"type":"MeshTimeout","mesh":"default",)"
                  R"("origin":"global","name":"a"}}]})");
  const std::string out = hub.run("sync errors").out;
  EXPECT_THAT(out, HasSubstr("west"));
  EXPECT_THAT(out, HasSubstr("too long"));
  EXPECT_THAT(out, HasSubstr("2 more"));
}

TEST(Zones, AddRemoveApprove) {
  ScriptedHub hub;
  hub.answer(201, "{}").answer(204, "").answer(204, "");
  EXPECT_EQ(hub.run("zones add east").code, 0);
  EXPECT_EQ(hub.run("zones rm east --force").code, 0);
  const Ran ran = hub.run("zones approve east");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(asked(ran), ElementsAre("PUT /zones/east", "DELETE /zones/east?force=true",
                                      "POST /zones/east/approve-mass-delete"));
}

TEST(Zones, BadNameIsNotSent) {
  ScriptedHub hub;
  EXPECT_EQ(hub.run("zones add East").code, 2);
  EXPECT_EQ(hub.run("zones add").code, 2);
  EXPECT_EQ(hub.run("delete zone east").code, 2);
}

TEST(Delete, NamesTheRevision) {
  ScriptedHub hub;
  hub.answer(200, R"({"action":"removed","key":{},"revision":8})");
  const Ran ran = hub.run("delete meshtimeout a -m m --if-match 7");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "removed MeshTimeout a at revision 8\n");
  EXPECT_THAT(asked(ran), ElementsAre("DELETE /meshes/m/meshtimeouts/a"));
  EXPECT_EQ(ran.requests[0].headers.get("If-Match"), "\"7\"");
  ScriptedHub other;
  const Ran wrong = other.run("delete meshtimeout a --if-match abc");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(wrong.requests.empty());
}

TEST(Delete, ADryRunSaysSoInJsonToo) {
  ScriptedHub hub;
  hub.answer(200, R"({"action":"removed","key":{},"revision":8})");
  EXPECT_THAT(hub.run("delete meshtimeout a --dry-run -o json").out, HasSubstr("\"dry_run\":true"));
}

TEST(History, TheLimitIsTheHubs) {
  EXPECT_EQ(ScriptedHub().run("history meshtimeout a --limit 101").code, 2);
}

TEST(History, Table) {
  ScriptedHub hub;
  hub.answer(200, R"({"items":[{"kind":"leave","origin":"global","revision":9},)"
                  R"({"kind":"upsert","origin":"global","revision":4,"resource":)" +
                      std::string(kResource) + "}]}");
  const Ran ran = hub.run("history meshtimeout a --limit 2");
  EXPECT_EQ(ran.out, "REVISION  WHAT    ORIGIN  SPEC\n"
                     "9         leave   global  -\n"
                     "4         upsert  global  {\"on\":true}\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /meshes/default/meshtimeouts/a/history?limit=2"));
}

constexpr const char* kChange =
    R"({"key":{"mesh":"m","name":"a","origin":"east","type":"MeshService"},"kind":"leave",)"
    R"("revision":31})";

TEST(Watch, ResumesAfterTheLastMark) {
  ScriptedHub hub;
  hub.answer(200, R"({"head":30})");
  hub.lines({kChange, R"({"kind":"mark","revision":31})"}).lines({}).interrupt_after(3);
  const Ran ran = hub.run("watch meshservice -m m");
  EXPECT_EQ(ran.out, "31  leave  MeshService/m/a@east\n");
  EXPECT_THAT(asked(ran),
              ElementsAre("GET /", "GET /changes?since=30&type=MeshService&mesh=m&watch=true",
                          "GET /changes?since=31&type=MeshService&mesh=m&watch=true"));
}

TEST(Watch, OnceEndsAndJsonIsPassedOn) {
  ScriptedHub hub;
  hub.lines({kChange, R"({"kind":"mark","revision":31})"});
  const Ran ran = hub.run("watch --since 0 --once -o json");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, std::string(kChange) + "\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /changes?since=0"));
}

TEST(Watch, TrimmedRevisionAndExpiredTokenEndIt) {
  ScriptedHub trimmed;
  trimmed.answer(410, R"({"detail":"revision 3 is gone","status":410})");
  const Ran gone = trimmed.run("watch --since 3");
  EXPECT_EQ(gone.code, 5);
  EXPECT_THAT(gone.err, StartsWith("error: revision 3 is gone\nhint: "));
  ScriptedHub expired;
  expired.lines({R"({"kind":"end","reason":"token_expired","revision":4})"});
  EXPECT_EQ(expired.run("watch --since 3").code, 4);
  ScriptedHub garbage;
  garbage.lines({"<html>"});
  EXPECT_EQ(garbage.run("watch --since 3").code, 1);
  EXPECT_EQ(ScriptedHub().run("watch --since x").code, 2);
}

TEST(Watch, HubThatNeverAnsweredIsNotWaitedFor) {
  ScriptedHub hub;
  hub.lose();
  EXPECT_EQ(hub.run("watch --since 3").code, 3);
}

TEST(Wait, HeadOfAllZones) {
  ScriptedHub hub;
  hub.answer(200, R"({"head":12})");
  hub.answer(200, R"({"missing_zones":[],"reached":true,"reached_zones":["a","b"],"revision":12})");
  const Ran ran = hub.run("wait");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "reached revision 12: a, b\n");
  EXPECT_THAT(asked(ran), ElementsAre("GET /", "GET /wait?revision=12&timeout=20000ms"));
}

TEST(Wait, TimeoutNamesTheMissing) {
  ScriptedHub hub;
  hub.answer(200, R"({"missing_zones":["west"],"reached":false,"reached_zones":[],"revision":3})");
  const Ran ran = hub.run("wait --revision 3 -z east -z west --timeout 0ms");
  EXPECT_EQ(ran.code, 8);
  EXPECT_THAT(asked(ran), ElementsAre("GET /wait?revision=3&zones=east%2Cwest&timeout=0ms"));
  EXPECT_THAT(ran.err, HasSubstr("missing: west"));
  EXPECT_EQ(ScriptedHub().run("wait --revision 0").code, 2);
  EXPECT_EQ(ScriptedHub().run("wait --timeout 5").code, 2);
}

TEST(Program, ExitCodesOfAnswers) {
  const std::vector<std::pair<unsigned, int>> wanted = {
      {400, 7}, {401, 4}, {403, 4}, {404, 5}, {409, 6}, {412, 6}, {422, 7}, {500, 1}, {504, 8}};
  for (const auto& [status, code] : wanted) {
    ScriptedHub hub;
    hub.answer(status, "not json");
    const Ran ran = hub.run("get meshtimeout a");
    EXPECT_EQ(ran.code, code) << status;
    EXPECT_THAT(ran.err, StartsWith("error: the hub answered " + std::to_string(status)));
  }
}

TEST(Program, ProblemIsPrintedWithJsonOutput) {
  ScriptedHub hub;
  hub.answer(404, R"({"detail":"not there","status":404})");
  const Ran ran = hub.run("get meshtimeout a -o json");
  EXPECT_EQ(ran.out, "{\"detail\":\"not there\",\"status\":404}\n");
  EXPECT_EQ(ran.err, "error: not there\n");
}

TEST(Program, WrongTokenAndLostHubSayWhatToCheck) {
  ScriptedHub refused;
  refused.answer(401, "{}");
  EXPECT_THAT(refused.run("get zones").err, HasSubstr("hint: name a file with a valid API token"));
  ScriptedHub lost;
  lost.lose();
  const Ran ran = lost.run("get zones");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("hint: is zonesync-hub running"));
}

TEST(Program, AHubWithoutAKeyIsNotARoleThatIsTooLow) {
  ScriptedHub hub;
  hub.answer(403, R"({"code":"forbidden","detail":"no encryption key: make one","status":403,)"
                  R"("invalid_parameters":[{"field":"storage.encryption.key_file",)"
                  R"("reason":"no encryption key: make one"}]})");
  const Ran ran = hub.run("get zones");
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(ran.err, "error: no encryption key: make one (storage.encryption.key_file)\n");
  ScriptedHub role;
  role.answer(403, R"({"code":"forbidden","detail":"this needs the role admin","status":403})");
  const Ran low = role.run("get zones");
  EXPECT_EQ(low.code, 4);
  EXPECT_THAT(low.err, HasSubstr("hint: the token's role"));
}

TEST(Program, AFullDiskIsNotAHubThatIsBusy) {
  const auto ran = [](unsigned status, const std::string& body, int tries = 5) {
    ScriptedHub hub;
    for (int i = 0; i < tries; ++i) hub.answer(status, body);
    return hub.run("get zones").err;
  };
  EXPECT_EQ(ran(503, R"({"code":"resource_exhausted","detail":"the disk is almost full"})", 1),
            "error: the disk is almost full\nhint: free some space on the hub's disk; it takes "
            "writes again by itself, zones and reads go on meanwhile\n");
  EXPECT_THAT(ran(503, R"({"code":"unavailable","detail":"draining"})"),
              HasSubstr("hint: the hub is busy or draining; try again"));
  EXPECT_THAT(ran(429, R"({"code":"resource_exhausted","detail":"the commit queue is full"})"),
              HasSubstr("hint: the hub has too much to do or to keep"));
}

TEST(Program, FlagsWinOverTheEnvironment) {
  ScriptedHub hub;
  hub.environment("ZONESYNC_API", "https://env:1").environment("ZONESYNC_CA", "env.pem");
  hub.answer(200, kZones);
  const Ran ran = hub.run("get zones --api https://flag:2 --token-file t");
  EXPECT_EQ(ran.options.url, "https://flag:2");
  EXPECT_EQ(ran.options.ca_file, "env.pem");
  EXPECT_EQ(ran.options.token_file, "t");
}

TEST(Program, UsageErrors) {
  EXPECT_THAT(ScriptedHub().run("gte zones").err, StartsWith("error: no command 'gte' (did you"));
  for (const char* line : {"", "gte zones", "get", "get zones -o xml", "get --nonsense zones",
                           "get meshtimeout -w", "history meshtimeout", "zones", "zones fly x"}) {
    const Ran ran = ScriptedHub().run(line);
    EXPECT_EQ(ran.code, 2) << line;
    EXPECT_THAT(ran.err, StartsWith("error: ")) << line;
  }
}

TEST(Program, HelpAndVersionNeedNoHub) {
  ScriptedHub hub;
  EXPECT_EQ(hub.run("--help").code, 0);
  const Ran version = hub.run("version -o json");
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("{\"version\":\""));
  EXPECT_TRUE(version.requests.empty());
  const Ran flag = hub.run("--version");
  EXPECT_EQ(flag.code, 0);
  EXPECT_EQ(flag.out, hub.run("version").out) << "as the other programs have it";
}

TEST(Program, DurationsNeedAUnit) {
  EXPECT_EQ(parse_duration("500ms").value(), std::chrono::milliseconds(500));
  EXPECT_EQ(parse_duration("2m").value(), std::chrono::minutes(2));
  for (const char* bad : {"", "5", "s", "-1s", "1 s", "99999999999999999999s", "1d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

}  // namespace
}  // namespace zonesync::cli
