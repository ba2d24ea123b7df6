#include "server/admin/tests/fixture.hpp"

#include "protocol/text/json_value.hpp"
#include "protocol/transport/testing/test_certificates.hpp"
#include "server/admin/router.hpp"
#include "server/admin/tests/openapi.hpp"

namespace zonesync::admin::testing {
namespace {

const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

const auth::SigningKeys& api_keys() {
  static const auth::SigningKeys keys = auth::SigningKeys::from_keys(
      auth::KeyPurpose::api,
      {auth::JwtKey::generate("api-1", auth::JwtAlgorithm::es256).value()});
  return keys;
}

std::string pattern_of(const HttpRequest& request, Port port) {
  std::vector<Route> routes;
  for (const Route& route : route_table()) {
    if (route.port == port) routes.push_back(route);
  }
  const Router router(std::move(routes));
  const auto match = router.match(request);
  return match ? match->route->pattern : std::string();
}

}  // namespace

std::string user_token(auth::Role role, std::chrono::seconds valid_for) {
  return auth::issue_api_token(api_keys(), {"ann", {role}, valid_for}, kNow).value().token;
}

std::shared_ptr<const auth::Credentials> test_credentials() {
  static const auto made = std::make_shared<const auth::Credentials>(
      auth::SigningKeys::from_keys(
          auth::KeyPurpose::zone,
          {auth::JwtKey::generate("zone-1", auth::JwtAlgorithm::es256).value()}),
      api_keys(), "hub-a");
  return made;
}

AdminFixture::AdminFixture() { restart({}); }
AdminFixture::~AdminFixture() { server_.reset(); }

void AdminFixture::restart(AdminOptions options) {
  server_.reset();
  options.api_port = 0;
  options.metrics_port = 0;
  options.api_tls = *TlsContext::server({.certificate_file = certificates().certificate_file(),
                                         .key_file = certificates().key_file()});
  if (!options.now) options.now = [] { return kNow; };
  auto server = AdminServer::start(std::move(options), hub_, test_credentials, logger_);
  ASSERT_TRUE(server) << describe(server.error());
  server_ = std::move(*server);
}

HttpClientOptions AdminFixture::client_options(auth::Role role) const {
  HttpClientOptions options;
  options.url = {.tls = true, .host = "127.0.0.1", .port = server_->api_port(), .path = ""};
  options.tls = *TlsContext::client({.ca_file = certificates().ca_file()});
  options.bearer_token = user_token(role);
  return options;
}

HttpClientOptions AdminFixture::metrics_client() const {
  HttpClientOptions options;
  options.url = {.tls = false, .host = "127.0.0.1", .port = server_->metrics_port(), .path = ""};
  return options;
}

HttpResponse AdminFixture::send(const HttpClientOptions& client, HttpClientRequest request,
                                Port port) {
  HttpRequest asked;
  asked.method = request.method;
  asked.path = request.target.substr(0, request.target.find('?'));
  const std::string target = request.target;
  Result<HttpResponse> response = request_blocking(client, std::move(request));
  if (!response) {
    ADD_FAILURE() << describe(response.error());
    return {};
  }
  const auto findings =
      OpenApi::document().findings(asked.method, pattern_of(asked, port), *response);
  for (const std::string& finding : findings) {
    ADD_FAILURE() << asked.method << ' ' << target << " -> " << response->status << ": " << finding
                  << "\n" << response->body.substr(0, 500);
  }
  return std::move(*response);
}

HttpResponse AdminFixture::call(const std::string& method, const std::string& target,
                                const std::string& body, HttpHeaders headers, auth::Role role) {
  return send(client_options(role), {method, target, std::move(headers), body});
}

HttpResponse AdminFixture::call_as(auth::Role role, const std::string& method,
                                   const std::string& target, const std::string& body) {
  return call(method, target, body, {}, role);
}

HttpResponse AdminFixture::put(const std::string& name, const std::string& value,
                               HttpHeaders headers) {
  return call("PUT", timeout_path(name), spec(value), std::move(headers));
}

boost::json::value parsed(const HttpResponse& response) {
  Result<boost::json::value> value = text::parse_json(response.body);
  if (value) return std::move(*value);
  ADD_FAILURE() << describe(value.error()) << ": " << response.body;
  return boost::json::object();
}

std::string spec(const std::string& value) { return R"({"spec":{"value":")" + value + "\"}}"; }

std::string timeout_path(const std::string& name) {
  return "/meshes/default/meshtimeouts/" + name;
}

std::string problem(const HttpResponse& response) {
  const boost::json::value body = parsed(response);
  const boost::json::object& fields = body.as_object();
  std::string out;
  if (const auto* code = fields.if_contains("code")) out += code->as_string().c_str();
  if (const auto* parameters = fields.if_contains("invalid_parameters")) {
    out += ' ';
    out += parameters->as_array().at(0).at("field").as_string().c_str();
  }
  return out;
}

}  // namespace zonesync::admin::testing
