// The control of our own hub: its REST API.
#include <fstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "conformance/adapters/resource_json.hpp"
#include "conformance/adapters/target_hub.hpp"
#include "conformance/suite/log.hpp"
#include "protocol/http/client.hpp"
#include "protocol/text/resource_text.hpp"

namespace zonesync::conform {
namespace {

namespace json = boost::json;

class RestControl final : public HubControl {
 public:
  RestControl(HttpClientOptions options, bool restarts)
      : options_(std::move(options)), api_(options_), restarts_(restarts) {}

  Result<Capabilities> capabilities() override {
    Capabilities all{"control", "zones", "approve", "delete-zone", "disable-zone",
                     "zstd", "patch", "repair", "resume"};
    auto hub = call("GET", "/", {});
    if (!hub) return fail(hub.error());
    if (restarts_) all.insert("restart");
    return all;
  }
  Result<Revision> write(const std::vector<ControlOp>& ops) override;
  Result<std::vector<Resource>> state() override;
  Result<ZoneFacts> zone(const std::string& name) override;
  Status set_zone(const std::string& name, const std::string& command) override {
    const std::string path = "/zones/" + percent_encode(name);
    Result<json::object> answer = fail(ErrorCode::unsupported, "no REST call for " + command);
    if (command == "delete") answer = call("DELETE", path + "?force=true", {});
    if (command == "enable") answer = call("POST", path + "/enable", {});
    if (command == "disable") answer = call("POST", path + "/disable", {});
    if (command == "approve-mass-delete") answer = call("POST", path + "/approve-mass-delete", {});
    if (!answer) return fail(answer.error());
    return {};
  }
  Status restart() override { return fail(ErrorCode::unsupported, "REST cannot restart a hub"); }
  Status fault(const std::string& name, std::uint64_t) override {
    return fail(ErrorCode::unsupported, "REST has no fault " + name);
  }
  Result<std::string> mint_token(const std::string&) override {
    return fail(ErrorCode::unsupported, "REST mints no tokens; give --mint-token");
  }
  bool advance(Duration) override { return false; }

 private:
  /// Errors: unavailable, and answers of 400 and above as invalid_argument.
  Result<json::object> call(const std::string& method, const std::string& target,
                            const std::string& body);
  Status list(const std::string& plural, std::vector<Resource>& found);
  HttpClientOptions options_;
  BlockingHttpClient api_;
  bool restarts_;
};

Result<json::object> RestControl::call(const std::string& method, const std::string& target,
                                       const std::string& body) {
  HttpClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  auto response = api_.request(request);
  if (!response) response = api_.request(request);   // the hub may have been restarted
  if (!response) return fail(response.error());
  if (response->status >= 400) {
    return fail(ErrorCode::invalid_argument, method + " " + target + ": " +
                                                 std::to_string(response->status) + " " +
                                                 response->body.substr(0, 300));
  }
  if (response->body.empty()) return json::object();
  boost::system::error_code failed;
  json::value value = json::parse(response->body, failed);
  if (failed || !value.is_object()) return fail(ErrorCode::protocol, target + " is no JSON object");
  return std::move(value.get_object());
}

Result<Revision> RestControl::write(const std::vector<ControlOp>& ops) {
  json::array operations;
  for (const ControlOp& op : ops) {
    json::object each;
    each["op"] = op.remove ? "remove" : "upsert";
    if (op.remove) {
      json::object key;
      key["type"] = op.resource.key.type;
      key["mesh"] = op.resource.key.mesh;
      key["origin"] = op.resource.key.origin;
      key["name"] = op.resource.key.name;
      each["key"] = std::move(key);
    } else {
      boost::system::error_code failed;
      each["resource"] = json::parse(resource_to_json(op.resource), failed);
      if (failed) return fail(ErrorCode::invalid_argument, "a resource that is no JSON");
    }
    operations.push_back(std::move(each));
  }
  json::object body;
  body["operations"] = std::move(operations);
  auto answer = call("POST", "/transactions", json::serialize(body));
  if (!answer) return fail(answer.error());
  return Revision{number_at(*answer, "revision")};
}

Status RestControl::list(const std::string& plural, std::vector<Resource>& found) {
  std::string target = "/" + plural + "?size=1000";
  for (;;) {
    auto page = call("GET", target, {});
    if (!page) return fail(page.error());
    const json::value* items = page->if_contains("items");
    if (items == nullptr || !items->is_array()) return fail(ErrorCode::protocol, "no items");
    for (const json::value& item : items->get_array()) {
      const json::object& object = item.get_object();
      const json::value* inner = object.if_contains("resource");
      if (inner == nullptr || !inner->is_object()) continue;
      Resource resource;
      resource.key = {text_at(inner->get_object(), "type"), text_at(inner->get_object(), "mesh"),
                      text_at(object, "origin"), text_at(inner->get_object(), "name")};
      if (const json::value* spec = inner->get_object().if_contains("spec")) {
        resource.spec = json::serialize(*spec);
      }
      found.push_back(std::move(resource));
    }
    const std::string next = text_at(*page, "next");
    if (next.empty()) return {};
    target = "/" + plural + "?size=1000&offset=" + percent_encode(next);
  }
}

/// The types that cases use.
Result<std::vector<Resource>> RestControl::state() {
  std::vector<Resource> found;
  for (const char* plural : {"meshtimeouts", "meshretries", "meshservices", "dataplanes",
                             "meshes"}) {
    if (auto status = list(plural, found); !status) return fail(status.error());
  }
  return found;
}

Result<ZoneFacts> RestControl::zone(const std::string& name) {
  auto answer = call("GET", "/zones/" + percent_encode(name), {});
  if (!answer) return fail(answer.error());
  ZoneFacts facts;
  facts.connected = flag_at(*answer, "connected");
  facts.generation = number_at(*answer, "generation");
  facts.acked = number_at(*answer, "revision");
  facts.up_revision = number_at(*answer, "up_revision");
  if (const json::value* hold = answer->if_contains("hold"); hold && hold->is_object()) {
    facts.hold = text_at(hold->get_object(), "reason");
  }
  facts.rejects = number_at(*answer, "rejects");
  facts.mode = text_at(*answer, "mode");
  facts.converged = text_at(*answer, "converged");
  return facts;
}

}  // namespace

Result<std::unique_ptr<HubControl>> make_rest_control(const TargetOptions& options) {
  constexpr std::string_view kPrefix = "rest:";
  HttpClientOptions http;
  auto url = HttpUrl::parse(std::string_view(options.control).substr(kPrefix.size()));
  if (!url) return fail(url.error());
  http.url = std::move(*url);
  TlsClientOptions tls;
  tls.ca_file = options.ca_file;
  auto context = TlsContext::client(tls);
  if (!context) return fail(context.error());
  if (http.url.tls) http.tls = std::move(*context);
  if (options.admin_token_file.empty()) {
    return fail(ErrorCode::invalid_argument, "rest: needs an API token", "--admin-token-file");
  }
  std::ifstream file(options.admin_token_file);
  if (!std::getline(file, http.bearer_token)) {
    return fail(ErrorCode::not_found, "cannot read the admin token", options.admin_token_file);
  }
  return std::make_unique<RestControl>(std::move(http), !options.restart_command.empty());
}

}  // namespace zonesync::conform
