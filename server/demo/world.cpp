#include "server/demo/world.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

#include "protocol/text/resource_text.hpp"
#include "protocol/transport/tls_context.hpp"
#include "server/auth/credentials.hpp"
#include "server/auth/init.hpp"
#include "server/demo/json_access.hpp"

namespace zonesync::demo {
namespace {

constexpr std::string_view kPoisonLabel = "zonesync.demo/poison";

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kStartDeadline = 60s;
constexpr auto kStopDeadline = 10s;
constexpr std::uint64_t kSlowBytesPerSecond = 20'000;
constexpr auto kSlowLatency = 200ms;

auth::UnixTime unix_now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Status write_private(const fs::path& path, const std::string& text) {
  const fs::path beside = path.string() + ".new";
  std::ofstream file(beside, std::ios::trunc);
  file << text;
  file.close();
  std::error_code failed;
  if (!file || ::chmod(beside.c_str(), 0600) != 0)
    failed = std::make_error_code(std::errc::io_error);
  if (!failed) fs::rename(beside, path, failed);
  if (failed) return fail(ErrorCode::storage_io, "cannot write", path.string());
  return {};
}

std::string plural_path(const ResourceKey& key) {
  static const TypeRegistry registry = TypeRegistry::with_default_types();
  const TypeInfo* type = registry.find(key.type);
  const std::string plural = type != nullptr ? type->plural : key.type;
  const std::string mesh = key.mesh.empty() ? "" : "/meshes/" + percent_encode(key.mesh);
  return mesh + "/" + plural + "/" + percent_encode(key.name);
}

}  // namespace

std::string zone_mode(const std::string& zone) { return zone == "edge" ? "v1" : "delta"; }

std::vector<std::string> zone_names(std::size_t count) {
  std::vector<std::string> names{"east", "west", "edge"};
  while (names.size() < count) names.push_back("zone-" + std::to_string(names.size() + 1));
  names.resize(count);
  return names;
}

Result<std::unique_ptr<World>> World::start(const DemoOptions& options) {
  std::unique_ptr<World> world(new World);
  std::string pattern = (fs::temp_directory_path() / "zonesync-demo-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(ErrorCode::storage_io, "cannot make a temporary directory", pattern);
  }
  world->directory_ = pattern;
  world->program_dir_ = options.program_dir;
  if (auto status = world->start_hub(options); !status) return fail(status.error());
  for (const std::string& name : zone_names(options.zones)) {
    if (auto status = world->start_zone(options, name); !status) return fail(status.error());
  }
  return world;
}

World::~World() {
  for (auto& zone : zones_) {
    if (zone->agent) zone->agent->signal(SIGTERM);
  }
  for (auto& zone : zones_) {
    if (zone->agent) static_cast<void>(zone->agent->wait(kStopDeadline));
    zone->agent.reset();
    zone->proxy.reset();
  }
  if (hub_) {
    hub_->signal(SIGTERM);
    static_cast<void>(hub_->wait(kStopDeadline));
    hub_.reset();
  }
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

Status World::start_hub(const DemoOptions& options) {
  auth::InitOptions init;
  init.now = unix_now();
  init.listen_sync = init.listen_api = init.listen_metrics = "127.0.0.1:0";
  auto made = auth::init_directory(directory_ / "hub", init);
  if (!made) return fail(made.error());
  ca_file_ = made->ca_file.string();
  admin_token_file_ = made->admin_token_file.string();
  zone_keys_dir_ = made->zone_keys_dir.string();
  audience_ = init.audience;

  const fs::path ready = directory_ / "hub-ready.json";
  ChildProcess::Options hub;
  hub.argv = {options.program_dir + "/zonesync-hub", "serve", "--config",
              made->config_file.string(), "--ready-file", ready.string()};
  hub.stderr_file = (directory_ / "hub.log").string();
  auto started = ChildProcess::start(std::move(hub));
  if (!started) return fail(started.error());
  hub_ = std::move(*started);
  const auto until = std::chrono::steady_clock::now() + kStartDeadline;
  while (!fs::exists(ready)) {
    if (hub_->wait(20ms) || std::chrono::steady_clock::now() > until) {
      return fail(ErrorCode::unavailable,
                  "the hub did not start:\n" + read_text(directory_ / "hub.log"));
    }
  }
  const JsonAccess info(read_text(ready));
  sync_url_ = info.text("/sync_url");
  api_url_ = info.text("/api_url");
  metrics_url_ = info.text("/metrics_url");
  const std::size_t colon = sync_url_.rfind(':');
  sync_port_ = static_cast<std::uint16_t>(std::strtoul(sync_url_.c_str() + colon + 1, nullptr, 10));

  TlsClientOptions tls;
  tls.ca_file = ca_file_;
  auto context = TlsContext::client(tls);
  if (!context) return fail(context.error());
  auto url = HttpUrl::parse(api_url_);
  if (!url) return fail(url.error());
  HttpClientOptions client;
  client.url = *url;
  client.tls = *context;
  client.bearer_token = first_line(read_text(admin_token_file_));
  api_ = std::make_unique<BlockingHttpClient>(std::move(client));
  return {};
}

Status World::start_zone(const DemoOptions& options, const std::string& name) {
  auto zone = std::make_unique<Zone>();
  zone->name = name;
  const fs::path root = directory_ / name;
  zone->mirror = root / "mirror";
  zone->publish = root / "publish";
  zone->token_file = (root / "token").string();
  std::error_code failed;
  fs::create_directories(zone->publish, failed);
  if (failed) return fail(ErrorCode::storage_io, failed.message(), zone->publish.string());
  auto keys = auth::SigningKeys::load(zone_keys_dir_, auth::KeyPurpose::zone);
  if (!keys) return fail(keys.error());
  auth::ZoneTokenRequest request;
  request.zone = name;
  request.audience = audience_;
  request.valid_for = 24h;
  auto token = auth::issue_zone_token(*keys, request, unix_now());
  if (!token) return fail(token.error());
  if (auto status = write_private(zone->token_file, token->token + "\n"); !status) return status;
  if (auto status = write_private(zone->publish / ".zonesync-publish", ""); !status) return status;

  auto proxy = FaultProxy::start("127.0.0.1", sync_port_);
  if (!proxy) return fail(proxy.error());
  zone->proxy = std::move(*proxy);
  ChildProcess::Options agent;
  agent.argv = {options.program_dir + "/zonesync-agent", "run",
                "--hub", "wss://127.0.0.1:" + std::to_string(zone->proxy->port()) + "/sync",
                "--zone", name, "--token-file", zone->token_file, "--ca", ca_file_,
                "--store", (root / "store").string(), "--mirror", zone->mirror.string(),
                "--publish", zone->publish.string(),
                "--status-file", (root / "status.json").string(),
                "--refuse-labels", std::string(kPoisonLabel) + "=" + name,
                "--delta", zone_mode(name) == "v1" ? "false" : "true"};
  agent.stderr_file = (root / "agent.log").string();
  auto started = ChildProcess::start(std::move(agent));
  if (!started) return fail(started.error());
  zone->agent = std::move(*started);
  zones_.push_back(std::move(zone));
  return {};
}

Result<HttpResponse> World::call(const std::string& method, const std::string& target,
                                 const std::string& body) {
  HttpClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  auto response = api_->request(std::move(request));
  if (!response) return response;
  if (response->status >= 400) {
    return fail(ErrorCode::unavailable, method + " " + target + " answered " +
                                            std::to_string(response->status) + ": " +
                                            response->body);
  }
  return response;
}

Status World::apply(const std::vector<Resource>& resources) {
  boost::json::array operations;
  for (const Resource& resource : resources) {
    boost::system::error_code failed;
    operations.push_back(boost::json::object{
        {"op", "upsert"}, {"resource", boost::json::parse(resource_to_json(resource), failed)}});
  }
  const boost::json::object body{{"operations", std::move(operations)}};
  auto response = call("POST", "/transactions", boost::json::serialize(body));
  if (!response) return fail(response.error());
  return {};
}

Status World::remove(const ResourceKey& key) {
  auto response = call("DELETE", plural_path(key));
  if (!response) return fail(response.error());
  return {};
}

Status World::publish(const std::string& zone, const Resource& resource) {
  for (const auto& each : zones_) {
    if (each->name != zone) continue;
    return write_private(each->publish / (resource.key.type + "-" + resource.key.name + ".json"),
                         resource_to_json(resource) + "\n");
  }
  return fail(ErrorCode::not_found, "no such zone", zone);
}

Result<Overview> World::overview() {
  auto root = call("GET", "/");
  if (!root) return fail(root.error());
  auto zones = call("GET", "/zones/_overview");
  if (!zones) return fail(zones.error());
  Overview overview;
  overview.head = JsonAccess(root->body).number("/head");
  const JsonAccess listed(zones->body);
  for (const auto& zone : zones_) {
    ZoneRow row;
    row.name = zone->name;
    row.mode = "-";
    row.lag = overview.head;
    row.bytes_rx = zone->proxy->counters().bytes_to_client;
    for (std::size_t i = 0; listed.has("/items/" + std::to_string(i)); ++i) {
      const std::string at = "/items/" + std::to_string(i);
      if (listed.text(at + "/name") != zone->name) continue;
      row.mode = listed.text(at + "/mode");
      row.connected = listed.flag(at + "/connected");
      row.revision = listed.number(at + "/revision");
      row.lag = overview.head - std::min(overview.head, row.revision);
      row.rejects = listed.number(at + "/rejects");
      row.in_flight = listed.number(at + "/in_flight");
      row.v1_bytes_est = listed.number(at + "/v1_bytes_est");
    }
    const std::lock_guard lock(mutex_);
    row.link = zone->link;
    overview.zones.push_back(std::move(row));
  }
  return overview;
}

bool World::wait_all(std::chrono::seconds timeout) {
  auto root = call("GET", "/");
  if (!root) return false;
  std::string zones;
  for (const auto& zone : zones_) zones += (zones.empty() ? "" : ",") + zone->name;
  auto answer =
      call("GET", "/wait?revision=" + std::to_string(JsonAccess(root->body).number("/head")) +
                      "&zones=" + zones + "&timeout=" + std::to_string(timeout.count()) + "s");
  return answer && JsonAccess(answer->body).flag("/reached");
}

std::string World::dead_process() {
  if (!hub_->running()) return "hub: " + (directory_ / "hub.log").string();
  for (const auto& zone : zones_) {
    if (!zone->agent->running()) {
      return "agent " + zone->name + ": " + (directory_ / zone->name / "agent.log").string();
    }
  }
  return {};
}

Status World::set_link(const std::string& name, const std::string& link) {
  for (const auto& zone : zones_) {
    if (zone->name != name) continue;
    const std::lock_guard lock(mutex_);
    zone->link = link;
    zone->proxy->heal();
    if (link == "cut") zone->proxy->cut();
    if (link == "slow") {
      zone->proxy->limit(ProxyDirection::both, kSlowBytesPerSecond);
      zone->proxy->delay(ProxyDirection::both, kSlowLatency);
    }
    return {};
  }
  return fail(ErrorCode::not_found, "no zone '" + name + "' in this demo");
}

Status World::set_poison(const std::string& name, bool poisoned) {
  for (const auto& zone : zones_) {
    if (zone->name != name) continue;
    if (!poisoned && !zone->poisoned) return {};
    Resource resource;
    resource.key = {"MeshTimeout", "default", std::string(kGlobalOrigin), "poison-for-" + name};
    resource.spec = R"({"targetRef":{"kind":"Mesh"}})";
    if (poisoned) resource.labels[std::string(kPoisonLabel)] = name;
    zone->poisoned = poisoned;
    return apply({resource});
  }
  return fail(ErrorCode::not_found, "no zone '" + name + "' in this demo");
}

std::string World::ready_json() const {
  boost::json::array zones;
  for (const auto& zone : zones_) {
    zones.push_back(boost::json::object{{"name", zone->name},
                                        {"mode", zone_mode(zone->name)},
                                        {"token_file", zone->token_file},
                                        {"mirror_dir", zone->mirror.string()},
                                        {"publish_dir", zone->publish.string()}});
  }
  return boost::json::serialize(boost::json::object{{"sync_url", sync_url_},
                                                    {"api_url", api_url_},
                                                    {"metrics_url", metrics_url_},
                                                    {"ca_file", ca_file_},
                                                    {"admin_token", admin_token_file_},
                                                    {"zones", std::move(zones)}});
}

}  // namespace zonesync::demo
