// GET /changes over the wire.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;
using Lines = std::vector<std::string>;

class Changes : public AdminFixture {
 protected:
  /// Follows a stream until `enough`; `after_first` runs once the first line is there.
  Lines follow(const std::string& target, const std::function<bool(const Lines&)>& enough,
               std::function<void()> after_first = {}, HttpHeaders headers = {}) {
    BlockingHttpClient client(client_options(Role::viewer));
    Lines lines;
    const auto on_line = [&](std::string_view line) {
      if (line.empty()) return true;
      lines.emplace_back(line);
      if (const auto once = std::exchange(after_first, nullptr)) once();
      return !enough(lines);
    };
    const auto response = client.stream_lines({"GET", target, std::move(headers), ""}, on_line);
    EXPECT_TRUE(response) << describe(response.error());
    return lines;
  }
};

TEST_F(Changes, a_stream_without_watch_ends_with_a_mark) {
  put("a", "1s");
  put("b", "1s");
  call("DELETE", timeout_path("a"));
  const HttpResponse all = get("/changes");
  EXPECT_EQ(all.status, 200u);
  EXPECT_NE(all.body.find(R"("kind":"leave","revision":3)"), std::string::npos);
  EXPECT_TRUE(all.body.ends_with("{\"kind\":\"mark\",\"revision\":3}\n")) << all.body;
  EXPECT_EQ(get("/changes?since=3").body, "{\"kind\":\"mark\",\"revision\":3}\n");
}

TEST_F(Changes, filters_by_type_and_mesh) {
  put("a", "1s");
  call("PUT", "/meshes/other", "{}");
  EXPECT_EQ(get("/changes?type=Mesh").body.find("MeshTimeout"), std::string::npos);
  EXPECT_EQ(get("/changes?mesh=default").body.find("\"type\":\"Mesh\""), std::string::npos);
  EXPECT_EQ(problem(get("/changes?type=MeshTimeou")), "not_found type");
  EXPECT_EQ(get("/changes?type=%24zone").status, 404u);
}

TEST_F(Changes, a_watch_follows_commits) {
  put("a", "1s");
  const auto commit = [this] { hub_.write({hub::testing::put(hub::testing::policy("b"))}); };
  const Lines lines = follow("/changes?since=1&watch=true",
                             [](const Lines& all) { return all.size() >= 3; }, commit);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], R"({"kind":"mark","revision":1})");
  EXPECT_NE(lines[1].find(R"("name":"b")"), std::string::npos);
  EXPECT_EQ(lines[2], R"({"kind":"mark","revision":2})");
}

TEST_F(Changes, events_resume_after_the_last_whole_revision) {
  hub_.write({hub::testing::put(hub::testing::policy("a")),
              hub::testing::put(hub::testing::policy("b"))});
  const HttpHeaders events{{"Accept", "text/event-stream"}};
  const HttpResponse all = call("GET", "/changes", "", events);
  EXPECT_EQ(all.headers.get("Content-Type"), "text/event-stream");
  // The first half of a transaction is nothing to continue after.
  EXPECT_EQ(all.body.substr(0, 6), "id: 0\n") << all.body;
  EXPECT_NE(all.body.find("\n\nid: 1\nevent: upsert\ndata: {"), std::string::npos) << all.body;
  const HttpHeaders resumed{{"Accept", "text/event-stream"}, {"Last-Event-ID", "1"}};
  const HttpResponse rest = call("GET", "/changes?since=0", "", resumed);
  EXPECT_EQ(rest.body, "id: 1\nevent: mark\ndata: {\"kind\":\"mark\",\"revision\":1}\n\n");
  EXPECT_EQ(problem(call("GET", "/changes", "", {{"Last-Event-ID", "x"}})),
            "invalid_argument Last-Event-ID");
}

TEST_F(Changes, system_entries_are_never_shown) {
  put("a", "1s", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(get("/changes").body.find('$'), std::string::npos);
}

TEST_F(Changes, a_start_that_cannot_be_told_from_is_gone) {
  put("a", "1s");
  EXPECT_EQ(problem(get("/changes?since=9")), "gone");
  EXPECT_EQ(get("/changes?since=9").status, 410u);
  EXPECT_EQ(problem(get("/changes?since=-1")), "invalid_argument since");
  EXPECT_EQ(problem(get("/changes?watch=1")), "invalid_argument watch");
  EXPECT_EQ(problem(get("/changes?watch=true&follow=1")), "invalid_argument follow");
}

TEST_F(Changes, readers_are_bounded_and_a_stop_cuts_them) {
  AdminOptions options;
  options.watchers_max = 1;
  restart(options);
  follow("/changes?watch=true", [](const Lines&) { return true; }, [this] {
    EXPECT_EQ(get("/changes").status, 429u);
  });
  BlockingHttpClient client(client_options(Role::viewer));
  const auto stop = [this](std::string_view) {
    server_->stop();
    return true;
  };
  // A reader that has left makes room once the server noticed.
  Result<HttpResponse> response = fail(ErrorCode::internal, "not asked yet");
  do {
    response = client.stream_lines({"GET", "/changes?watch=true", {}, ""}, stop);
  } while (response && response->status == 429);
  SUCCEED();
}

}  // namespace
}  // namespace zonesync::admin::testing
