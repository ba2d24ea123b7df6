#include "conformance/integration/support/hub_under_test.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include <boost/json/parse.hpp>

#include "protocol/transport/tls_context.hpp"

namespace zonesync::integration {
namespace {

boost::json::value parse_json(const std::string& text) {
  boost::system::error_code failed;
  auto value = boost::json::parse(text, failed);
  return failed ? boost::json::value(nullptr) : value;
}

std::string text_at(const boost::json::value& value, const std::string& pointer) {
  boost::system::error_code failed;
  const auto* found = value.find_pointer(pointer, failed);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::int64_t number_at(const boost::json::value& value, const std::string& pointer) {
  boost::system::error_code failed;
  const auto* found = value.find_pointer(pointer, failed);
  if (found == nullptr || !found->is_number()) return -1;
  return found->to_number<std::int64_t>(failed);
}

HubUnderTest::HubUnderTest(const Workspace& workspace, std::string name)
    : workspace_(workspace),
      directory_(workspace.file(name)),
      config_file_(directory_ + "/hub.yaml"),
      ca_file_(directory_ + "/tls/ca.pem"),
      admin_token_file_(directory_ + "/admin.token"),
      ready_file_(workspace.file(name + "-ready.json")) {
  const RunResult made = run({program("zonesync-hub"), "init", "--dir", directory_});
  EXPECT_EQ(made.code, 0) << made.output;
}

void HubUnderTest::start() {
  std::filesystem::remove(ready_file_);
  ChildProcess::Options options;
  options.argv = {program("zonesync-hub"), "serve", "--config", config_file_, "--ready-file",
                  ready_file_};
  options.extra_env = {"ZONESYNC_LISTEN_SYNC=127.0.0.1:0", "ZONESYNC_LISTEN_API=127.0.0.1:0",
                       "ZONESYNC_LISTEN_METRICS=127.0.0.1:0"};
  options.keep_lines = 200'000;
  auto started = ChildProcess::start(std::move(options));
  ASSERT_TRUE(started.has_value()) << describe(started.error());
  process_ = std::move(*started);
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::exists(ready_file_) || !process_->running(); }));
  ASSERT_TRUE(process_->running()) << process_->recent_lines();
  const auto ready = parse_json(read_file(ready_file_));
  api_url_ = text_at(ready, "/api_url");
  metrics_url_ = text_at(ready, "/metrics_url");
  const std::string sync = text_at(ready, "/sync_url");
  const auto url = HttpUrl::parse("https" + sync.substr(std::min<std::size_t>(3, sync.size())));
  ASSERT_TRUE(url.has_value()) << sync;
  sync_port_ = url->port;
  connect_api();
}

void HubUnderTest::connect_api() {
  HttpClientOptions options;
  options.url = HttpUrl::parse(api_url_).value();
  TlsClientOptions tls;
  tls.ca_file = ca_file_;
  options.tls = TlsContext::client(tls).value();
  options.bearer_token = first_line(read_file(admin_token_file_));
  api_ = std::make_unique<BlockingHttpClient>(std::move(options));
}

void HubUnderTest::kill9() {
  process_->signal(SIGKILL);
  ASSERT_TRUE(process_->wait(kDeadline).has_value());
}

int HubUnderTest::stop() {
  process_->signal(SIGTERM);
  const auto exit = process_->wait(kDeadline);
  return exit && exit->signal == 0 ? exit->code : -1;
}

bool HubUnderTest::logged(const std::string& event_code) {
  return eventually([&] {
    return process_->recent_lines(200'000).find(event_code) != std::string::npos;
  }, std::chrono::seconds(15));
}

std::string HubUnderTest::zone_token_file(const std::string& zone, const std::string& valid_for) {
  const RunResult made = run({program("zonesync-hub"), "token", "zone", "--name", zone, "--dir",
                              directory_, "--valid-for", valid_for});
  EXPECT_EQ(made.code, 0) << made.output;
  static int number = 0;
  const std::string path = workspace_.file(zone + "-" + std::to_string(++number) + ".token");
  write_file(path, first_line(made.output) + "\n");
  return path;
}

HttpResponse HubUnderTest::call(const std::string& method, const std::string& target,
                                const std::string& body) {
  HttpClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  auto response = api_->request(std::move(request));
  if (response) return std::move(*response);
  HttpResponse none;
  none.status = 0;
  none.body = describe(response.error());
  return none;
}

boost::json::value HubUnderTest::get(const std::string& target) {
  return parse_json(call("GET", target).body);
}

std::uint64_t HubUnderTest::head() {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_at(get("/"), "/head")));
}

boost::json::value HubUnderTest::zone(const std::string& name) {
  const auto overview = get("/zones/_overview");
  boost::system::error_code failed;
  const auto* zones = overview.find_pointer("/items", failed);
  if (zones == nullptr || !zones->is_array()) return nullptr;
  for (const auto& zone : zones->as_array()) {
    if (text_at(zone, "/name") == name) return zone;
  }
  return nullptr;
}

bool HubUnderTest::wait_converged(const std::vector<std::string>& zones) {
  return eventually([&] {
    std::string list;
    for (const auto& zone : zones) list += (list.empty() ? "" : ",") + zone;
    const auto head_now = std::to_string(head());
    const auto answer = get("/wait?revision=" + head_now + "&timeout=5s&zones=" + list);
    boost::system::error_code failed;
    const auto* reached = answer.find_pointer("/reached", failed);
    return reached != nullptr && reached->is_bool() && reached->as_bool();
  });
}

std::size_t HubUnderTest::resident_kib() const {
  std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace zonesync::integration
