// Who may call what, on which port; the route table against the document.
#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "server/admin/router.hpp"
#include "server/admin/tests/fixture.hpp"
#include "server/admin/tests/openapi.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

class Access : public AdminFixture {
 protected:
  HttpResponse with_token(const std::string& token, const std::string& target = "/whoami") {
    HttpClientOptions client = client_options(Role::viewer);
    client.bearer_token = token;
    return send(client, {"GET", target, {}, ""});
  }
  /// What the API answers to these bytes, until it closes or says nothing more for a head alone.
  std::string raw(const std::string& bytes, const char* until) {
    boost::asio::io_context context;
    boost::asio::ssl::context tls(boost::asio::ssl::context::tls_client);
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream(context, tls);
    stream.next_layer().connect(
        {boost::asio::ip::make_address("127.0.0.1"), server_->api_port()});
    stream.handshake(boost::asio::ssl::stream_base::client);
    boost::asio::write(stream, boost::asio::buffer(bytes));
    std::string answer;
    boost::system::error_code ended;
    boost::asio::read_until(stream, boost::asio::dynamic_buffer(answer), until, ended);
    return answer;
  }
  /// Status of the answer to a head that announces 8,000,000 bytes; none of them is sent.
  unsigned head_only(const std::string& token, const std::string& method,
                     const std::string& target) {
    std::string head = method + " " + target + " HTTP/1.1\r\nHost: h\r\n";
    if (!token.empty()) head += "Authorization: Bearer " + token + "\r\n";
    const std::string answer = raw(head + "Content-Length: 8000000\r\n\r\n", "\r\n");
    return answer.size() > 12 ? static_cast<unsigned>(std::stoul(answer.substr(9, 3))) : 0;
  }
};

TEST_F(Access, whoami_tells_the_token) {
  const auto body = parsed(call_as(Role::viewer, "GET", "/whoami"));
  EXPECT_EQ(body.at("subject"), "ann");
  EXPECT_EQ(body.at("roles").at(0), "viewer");
}

TEST_F(Access, the_hub_tells_itself) {
  const auto body = parsed(get("/"));
  EXPECT_EQ(body.at("product"), "zonesync");
  EXPECT_EQ(body.at("ready"), true);
  EXPECT_EQ(body.at("complete"), true);
}

TEST_F(Access, without_a_good_token_nothing_is_told) {
  const HttpResponse none = with_token("");
  EXPECT_EQ(none.status, 401u);
  EXPECT_EQ(none.headers.get("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(with_token("not.a.token").status, 401u);
  EXPECT_EQ(with_token("", "/nothing/like/it/at/all/here").status, 401u);
  EXPECT_EQ(logger_->count("token.missing"), 2u);
  EXPECT_EQ(logger_->count("token.malformed"), 1u);
}

TEST_F(Access, expired_tokens_and_zone_tokens_are_refused) {
  AdminOptions options;
  options.now = [] { return kNow + std::chrono::hours(2); };
  restart(options);
  EXPECT_EQ(with_token(user_token(Role::admin)).status, 401u);
  const auto zone = auth::issue_zone_token(test_credentials()->zone_keys(),
                                           {"east", "hub-a", std::chrono::hours(9)}, kNow);
  EXPECT_EQ(with_token(zone->token).status, 401u);
  EXPECT_EQ(logger_->count("token.expired"), 1u);
}

TEST_F(Access, an_address_that_guesses_is_refused_unseen_for_a_while) {
  ManualClock clock;
  AdminOptions options;
  options.clock = &clock;
  restart(options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(with_token("").status, 401u) << "a mistake is no guess";
  for (int i = 0; i < 100; ++i) EXPECT_EQ(with_token("not.a.token").status, 401u) << i;
  const HttpResponse limited = with_token("not.a.token");
  EXPECT_EQ(limited.status, 429u);
  EXPECT_EQ(limited.headers.get("Retry-After"), "60");
  EXPECT_EQ(with_token(user_token(Role::admin)).status, 429u) << "a good token is not looked at";
  EXPECT_EQ(logger_->count("token.attempts_limited"), 1u);
  EXPECT_EQ(logger_->count("token.malformed"), 100u);
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(with_token(user_token(Role::admin)).status, 200u);
  server_.reset();
}

TEST_F(Access, no_token_text_reaches_the_log) {
  const std::string token = user_token(Role::viewer);
  with_token(token + "x");
  with_token(token);
  for (const LogEvent& event : logger_->events()) {
    EXPECT_EQ(event.message.find(token.substr(0, 20)), std::string::npos);
    for (const LogField& field : event.fields) {
      EXPECT_EQ(field.value.find(token.substr(0, 20)), std::string::npos);
    }
  }
}

// Only the head is sent: an answer means that the hub did not wait for the body.
TEST_F(Access, who_asks_is_judged_before_the_body_is_read) {
  EXPECT_EQ(head_only("", "PUT", timeout_path("a")), 401u);
  EXPECT_EQ(head_only("not.a.token", "PUT", timeout_path("a")), 401u);
  EXPECT_EQ(head_only(user_token(Role::viewer), "PUT", timeout_path("a")), 403u);
  EXPECT_EQ(head_only(user_token(Role::editor), "PUT", "/nothing/like/it/at/all"), 404u);
  const HttpResponse metrics = send(metrics_client(), {"GET", "/metrics", {}, ""}, Port::metrics);
  EXPECT_NE(metrics.body.find(R"x({route="(refused)",method="",code="401"} 2)x"),
            std::string::npos)
      << metrics.body;
}

// Problems of the HTTP layer, which no route has seen, look like all others.
TEST_F(Access, what_is_refused_before_it_is_read_is_a_whole_problem) {
  const std::pair<std::string, std::string> cases[] = {
      {"GARBAGE\r\n\r\n", "invalid_argument"},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "invalid_argument"},
      {"POST /revert HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
       "length_required"},
      {"GET / HTTP/1.1\r\nX: " + std::string(limits::kHttpHeaderMaxBytes, 'x') + "\r\n\r\n",
       "too_large"},
      {"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99000000\r\n\r\n", "too_large"},
  };
  for (const auto& [request, code] : cases) {
    const std::string answer = raw(request, "}\n");
    HttpResponse response;
    ASSERT_GT(answer.size(), 12u) << request.substr(0, 60);
    response.status = static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
    response.headers.set("Content-Type", "application/problem+json");
    response.body = answer.substr(answer.find("\r\n\r\n") + 4);
    EXPECT_NE(answer.find("Content-Type: application/problem+json"), std::string::npos);
    EXPECT_EQ(problem(response), code) << answer;
    const auto findings = OpenApi::document().findings("GET", "/no/such/path", response);
    EXPECT_TRUE(findings.empty()) << findings.front() << '\n' << answer;
  }
}

TEST_F(Access, a_body_in_a_content_coding_is_refused_unread) {
  const HttpResponse refused = put("a", "1s", {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(refused.status, 415u);
  EXPECT_EQ(problem(refused), "unsupported_media_type Content-Encoding");
  EXPECT_EQ(refused.headers.get("Accept-Encoding"), "identity");
  EXPECT_EQ(get(timeout_path("a")).status, 404u);
  EXPECT_EQ(call("POST", "/store/checkpoint", R"({"name":"x"})", {{"Content-Encoding", "br"}},
                 Role::admin).status, 415u);
  EXPECT_EQ(put("a", "1s", {{"Content-Encoding", "Identity"}}).status, 201u);
  EXPECT_EQ(call("GET", timeout_path("a"), "", {{"Content-Encoding", "gzip"}}).status, 200u)
      << "there is no body";
}

TEST_F(Access, every_route_asks_for_its_role) {
  for (const Route& route : route_table()) {
    if (route.port != Port::api || route.role == Role::viewer) continue;
    std::string target = route.pattern;
    for (std::size_t at; (at = target.find('{')) != std::string::npos;) {
      const std::size_t end = target.find('}');
      const std::string name = target.substr(at + 1, end - at - 1);
      const bool in_mesh = route.pattern.find("{mesh}") != std::string::npos;
      const std::string plural = in_mesh ? "meshtimeouts" : "meshes";
      target.replace(at, end - at + 1, name == "plural" ? plural : "x");
    }
    const Role lower = route.role == Role::admin ? Role::editor : Role::viewer;
    const HttpResponse refused = call_as(lower, route.method, target);
    EXPECT_EQ(refused.status, 403u) << route.method << ' ' << target;
    const HttpResponse tried = call_as(route.role, route.method, target);
    EXPECT_NE(tried.status, 403u) << route.method << ' ' << target;
  }
}

TEST_F(Access, unknown_paths_and_methods) {
  EXPECT_EQ(get("/a/b/c/d/e/f").status, 404u);
  EXPECT_EQ(get("/zones//east").status, 404u);
  const HttpResponse wrong = call("POST", "/zones");
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(wrong.headers.get("Allow"), "GET");
  EXPECT_EQ(call("PATCH", timeout_path("a")).headers.get("Allow"), "DELETE, GET, PUT");
  EXPECT_EQ(get("/metrics").status, 404u) << "health and metrics have their own port";
}

TEST_F(Access, the_metrics_port_has_no_api) {
  const auto from_metrics = [this](const std::string& target) {
    return send(metrics_client(), {"GET", target, {}, ""}, Port::metrics).status;
  };
  EXPECT_EQ(from_metrics("/livez"), 200u);
  EXPECT_EQ(from_metrics("/"), 404u);
  EXPECT_EQ(from_metrics("/zones"), 404u);
  EXPECT_EQ(from_metrics("/meshtimeouts"), 404u);
}

TEST_F(Access, start_refuses_what_would_be_insecure) {
  const auto no_tls = AdminServer::start({}, hub_, test_credentials, logger_);
  ASSERT_FALSE(no_tls);
  EXPECT_EQ(no_tls.error().code, ErrorCode::invalid_argument);
  AdminOptions options;
  options.api_tls = client_options(Role::viewer).tls;
  EXPECT_FALSE(AdminServer::start(options, hub_, {}, logger_));
}

TEST(RouteTable, is_what_the_document_says) {
  std::vector<OpenApi::Operation> routes;
  for (const Route& route : route_table()) {
    OpenApi::Operation operation;
    operation.method = route.method;
    operation.path = route.pattern;
    if (route.port == Port::api) operation.role = to_string(route.role);
    operation.query.insert(route.query.begin(), route.query.end());
    for (std::size_t at = 0; (at = route.pattern.find('{', at)) != std::string::npos; ++at) {
      const std::size_t end = route.pattern.find('}', at);
      operation.path_parameters.insert(route.pattern.substr(at + 1, end - at - 1));
    }
    routes.push_back(std::move(operation));
  }
  std::vector<OpenApi::Operation> documented = OpenApi::document().operations();
  std::sort(routes.begin(), routes.end());
  std::sort(documented.begin(), documented.end());
  ASSERT_EQ(routes.size(), documented.size());
  for (std::size_t i = 0; i < routes.size(); ++i) {
    EXPECT_EQ(routes[i], documented[i]) << routes[i].method << ' ' << routes[i].path << " / "
                                        << documented[i].method << ' ' << documented[i].path;
  }
}

TEST(OpenApiCheck, notices_what_is_not_documented) {
  const OpenApi& document = OpenApi::document();
  HttpResponse response{200, {{"Content-Type", "application/json"}}, R"({"items":[]})"};
  EXPECT_TRUE(document.findings("GET", "/zones", response).empty());
  response.body = R"({"items":[],"more":1})";
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response.body = "{}";
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response.body = R"({"items":[{"name":1}]})";
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response = {202, {{"Content-Type", "application/json"}}, R"({"items":[]})"};
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response = {200, {{"Content-Type", "text/html"}}, "x"};
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response = {404, {{"Content-Type", "application/json"}}, "{}"};
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
  response = {200, {{"Content-Type", "application/json"}, {"ETag", "\"1\""}}, R"({"items":[]})"};
  EXPECT_FALSE(document.findings("GET", "/zones", response).empty());
}

}  // namespace
}  // namespace zonesync::admin::testing
