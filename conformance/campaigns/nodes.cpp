#include "conformance/campaigns/nodes.hpp"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "protocol/model/assert.hpp"

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto kCallTimeout = std::chrono::seconds(10);

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Scratch::Scratch() {
  std::string pattern = (fs::temp_directory_path() / "zonesync-campaign-XXXXXX").string();
  ZS_ASSERT(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool eventually(const std::function<bool()>& ready, std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!ready()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // between two looks, not a wait
  }
  return true;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::error_code ignored;
  fs::permissions(path + ".new", fs::perms::owner_read | fs::perms::owner_write, ignored);
  fs::rename(path + ".new", path, ignored);
}

json::value parse_or_null(const std::string& text) {
  boost::system::error_code failed;
  auto value = json::parse(text, failed);
  return failed ? json::value(nullptr) : value;
}

std::int64_t number_at(const json::value& value, const std::string& pointer) {
  boost::system::error_code failed;
  const auto* found = value.find_pointer(pointer, failed);
  if (found == nullptr || !found->is_number()) return -1;
  return found->to_number<std::int64_t>(failed);
}

std::string text_at(const json::value& value, const std::string& pointer) {
  boost::system::error_code failed;
  const auto* found = value.find_pointer(pointer, failed);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

Ran run(std::vector<std::string> argv) {
  ChildProcess::Options options;
  options.argv = std::move(argv);
  auto child = ChildProcess::start(std::move(options));
  if (!child) return {-1, describe(child.error())};
  const auto exit = (*child)->wait(kDeadline);
  Ran result;
  result.output = (*child)->recent_lines(2'000);
  result.code = exit && exit->signal == 0 ? exit->code : -1;
  return result;
}

std::string timeout_json(const std::string& name, const std::string& value) {
  return R"({"type":"MeshTimeout","mesh":"default","name":")" + name + R"(","spec":{"value":")" +
         value + R"("}})";
}

// -- hub ------------------------------------------------------------------------------------------

HubNode::HubNode(std::string bin_dir, std::string directory, std::string store)
    : bin_dir_(std::move(bin_dir)), directory_(std::move(directory)), store_(std::move(store)) {
  if (store_.empty()) store_ = directory_ + "/log";
}

Status HubNode::init() {
  const Ran made = run({program(), "init", "--dir", directory_});
  if (made.code == 0) return {};
  return fail(ErrorCode::unavailable, "zonesync-hub init: " + made.output, directory_);
}

Status HubNode::start() {
  const std::string ready_file = directory_ + "/ready.json";
  fs::remove(ready_file);
  ChildProcess::Options options;
  options.argv = {program(), "serve", "--config", directory_ + "/hub.yaml", "--ready-file",
                  ready_file};
  options.extra_env = {"ZONESYNC_LISTEN_SYNC=127.0.0.1:0", "ZONESYNC_LISTEN_API=127.0.0.1:0",
                       "ZONESYNC_LISTEN_METRICS=127.0.0.1:0", "ZONESYNC_STORAGE_DIR=" + store_};
  options.extra_env.insert(options.extra_env.end(), environment.begin(), environment.end());
  options.keep_lines = 20'000;
  exit_code_ = -1;
  process_.reset();
  auto started = ChildProcess::start(std::move(options));
  if (!started) return fail(std::move(started.error()));
  process_ = std::move(*started);
  const bool ended = !eventually([&] { return fs::exists(ready_file) || !process_->running(); }) ||
                     !process_->running();
  if (ended) {
    exit_code_ = wait_exit().value_or(-1);  // and all it said
    return fail(ErrorCode::unavailable, "the hub did not start: " + process_->recent_lines(5));
  }
  const auto ready = parse_or_null(read_file(ready_file));
  api_url_ = text_at(ready, "/api_url");
  metrics_url_ = text_at(ready, "/metrics_url");
  metrics_.reset();
  const std::string sync = text_at(ready, "/sync_url");
  const auto url = HttpUrl::parse("https" + sync.substr(std::min<std::size_t>(3, sync.size())));
  if (!url) return fail(url.error());
  sync_port_ = url->port;
  api_ = new_client();
  return {};
}

std::unique_ptr<BlockingHttpClient> HubNode::new_client() const {
  HttpClientOptions options;
  options.url = HttpUrl::parse(api_url_).value();
  TlsClientOptions tls;
  tls.ca_file = ca_file();
  options.tls = TlsContext::client(tls).value();
  options.bearer_token = first_line(read_file(directory_ + "/admin.token"));
  options.timeout = kCallTimeout;
  return std::make_unique<BlockingHttpClient>(std::move(options));
}

void HubNode::thaw() { process_->signal(SIGCONT); }

Status HubNode::freeze() {
  process_->signal(SIGSTOP);
  const std::string tasks = "/proc/" + std::to_string(process_->pid()) + "/task";
  const bool still = eventually([&] {
    std::error_code failed;
    for (const auto& task : std::filesystem::directory_iterator(tasks, failed)) {
      std::ifstream file(task.path() / "stat");
      std::string stat;
      std::getline(file, stat);
      const auto name_end = stat.rfind(')');
      if (name_end == std::string::npos || stat.compare(name_end, 4, ") T ") != 0) return false;
    }
    return !failed;
  });
  if (!still) return fail(ErrorCode::timeout, "the hub does not stand still after SIGSTOP");
  return {};
}

void HubNode::kill9() {
  if (!process_) return;
  process_->signal(SIGKILL);
  static_cast<void>(process_->wait(kDeadline));
}

int HubNode::stop() {
  if (!process_) return -1;
  process_->signal(SIGTERM);
  return wait_exit().value_or(-1);
}

std::optional<int> HubNode::wait_exit(std::chrono::milliseconds deadline) {
  const auto exit = process_->wait(deadline);
  if (!exit || exit->signal != 0) return std::nullopt;
  return exit->code;
}

HttpResponse HubNode::call(const std::string& method, const std::string& target,
                           const std::string& body, const std::string& idempotency_key) {
  HttpClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.set("Idempotency-Key", idempotency_key);
  HttpResponse none;
  none.status = 0;
  if (!api_) return none;
  auto response = api_->request(std::move(request));
  if (response) return std::move(*response);
  none.body = describe(response.error());
  return none;
}

std::uint64_t HubNode::put(const std::string& name, const std::string& value,
                           const std::string& idempotency_key) {
  const HttpResponse response = call("PUT", "/meshes/default/meshtimeouts/" + name,
                                     timeout_json(name, value), idempotency_key);
  if (response.status != 200 && response.status != 201) return 0;
  std::string tag(response.headers.get("ETag"));
  std::erase(tag, '"');
  return std::strtoull(tag.c_str(), nullptr, 10);
}

std::uint64_t HubNode::head() {
  const auto head = number_at(parse_or_null(call("GET", "/").body), "/head");
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, head));
}

std::optional<unsigned> HubNode::readyz() {
  if (!metrics_) {
    const auto url = HttpUrl::parse(metrics_url_);
    if (!url) return std::nullopt;
    HttpClientOptions options;
    options.url = HttpUrl{url->tls, url->host, url->port, ""};
    options.timeout = std::chrono::seconds(1);
    metrics_ = std::make_unique<BlockingHttpClient>(std::move(options));
  }
  HttpClientRequest request;
  request.target = "/readyz";
  const auto response = metrics_->request(std::move(request));
  if (!response) return std::nullopt;
  return response->status;
}

json::value HubNode::zone(const std::string& name) {
  return parse_or_null(call("GET", "/zones/" + name).body);
}

bool HubNode::converged(const std::string& name, std::uint64_t head) {
  const auto status = zone(name);
  return text_at(status, "/converged") == "yes" &&
         number_at(status, "/revision") >= static_cast<std::int64_t>(head);
}

std::optional<Resources> HubNode::resources() {
  Resources found;
  std::string offset;
  do {
    const HttpResponse response = call(
        "GET", "/meshtimeouts?size=1000" + (offset.empty() ? "" : "&offset=" + offset));
    const auto page = parse_or_null(response.body);
    boost::system::error_code failed;
    const auto* items = page.find_pointer("/items", failed);
    if (response.status != 200 || items == nullptr || !items->is_array()) return std::nullopt;
    for (const auto& item : items->as_array()) {
      found[text_at(item, "/origin") + '/' + text_at(item, "/resource/name")] =
          json::serialize(item.at("resource"));
    }
    offset = text_at(page, "/next");
  } while (!offset.empty());
  return found;
}

std::string HubNode::zone_token(const std::string& zone) {
  const Ran made = run({program(), "token", "zone", "--name", zone, "--dir", directory_,
                        "--valid-for", "24h"});
  const std::string path = directory_ + "/" + zone + std::to_string(++tokens_) + ".token";
  write_file(path, first_line(made.output) + "\n");
  return path;
}

// -- agent ----------------------------------------------------------------------------------------

AgentNode::AgentNode(HubNode& hub, std::string directory, std::string zone)
    : hub_(hub), directory_(std::move(directory)), zone_(std::move(zone)) {
  fs::create_directories(directory_ + "/publish");
  write_file(directory_ + "/publish/.zonesync-publish", "");
  token_file_ = hub_.zone_token(zone_);
}

Status AgentNode::start() {
  if (!proxy_) {
    auto proxy = FaultProxy::start("127.0.0.1", hub_.sync_port());
    if (!proxy) return fail(std::move(proxy.error()));
    proxy_ = std::move(*proxy);
  }
  ChildProcess::Options options;
  options.argv = {hub_.bin_dir() + "/zonesync-agent", "run",
                  "--hub", "wss://127.0.0.1:" + std::to_string(proxy_->port()) + "/sync",
                  "--zone", zone_,
                  "--token-file", token_file_,
                  "--ca", hub_.ca_file(),
                  "--store", store(),
                  "--status-file", directory_ + "/status.json"};
  const std::vector<std::string> rest = {"--mirror",  directory_ + "/mirror",
                                         "--publish", directory_ + "/publish",
                                         "--publish-interval", "100ms", "--log-cuts"};
  if (!bare_) options.argv.insert(options.argv.end(), rest.begin(), rest.end());
  auto started = ChildProcess::start(std::move(options));
  if (!started) return fail(std::move(started.error()));
  process_ = std::move(*started);
  return {};
}

void AgentNode::kill9() {
  process_->signal(SIGKILL);
  static_cast<void>(process_->wait(kDeadline));
}

int AgentNode::stop() {
  process_->signal(SIGTERM);
  const auto exit = process_->wait(kDeadline);
  return exit && exit->signal == 0 ? exit->code : -1;
}

void AgentNode::follow_hub() {
  if (proxy_) proxy_->set_server("127.0.0.1", hub_.sync_port());
}

void AgentNode::publish(const std::string& name, const std::string& value) {
  write_file(directory_ + "/publish/" + name + ".json", timeout_json(name, value));
}

json::value AgentNode::status() const {
  return parse_or_null(read_file(directory_ + "/status.json"));
}

Resources AgentNode::mirror() const {
  Resources found;
  std::error_code failed;
  const auto current = fs::canonical(directory_ + "/mirror/current", failed);  // one cut, not two
  if (failed) return found;
  for (const auto& origin : fs::directory_iterator(current / "default" / "MeshTimeout", failed)) {
    for (const auto& file : fs::directory_iterator(origin.path(), failed)) {
      found[origin.path().filename().string() + '/' + file.path().stem().string()] =
          json::serialize(parse_or_null(read_file(file.path().string())));
    }
  }
  return found;
}

std::optional<Resources> AgentNode::expected() {
  std::optional<Resources> all = hub_.resources();
  const auto own = [&](const auto& item) { return item.first.starts_with(zone_ + '/'); };
  if (all) std::erase_if(*all, own);
  return all;
}

bool AgentNode::wait_equal(std::chrono::milliseconds deadline) {
  return eventually([&] {
    const auto wanted = expected();
    return wanted && *wanted == mirror();
  }, deadline);
}

}  // namespace zonesync::campaigns
