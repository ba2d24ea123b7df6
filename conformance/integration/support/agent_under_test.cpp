#include "conformance/integration/support/agent_under_test.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include <boost/json/parse.hpp>

namespace zonesync::integration {

AgentUnderTest::AgentUnderTest(const Workspace& workspace, HubUnderTest& hub, std::string zone)
    : hub_(hub), zone_(std::move(zone)), root_(workspace.path() / ("agent-" + zone_)) {
  std::filesystem::create_directories(publish());
  write_file(publish() / ".zonesync-publish", "");
  token_file = hub_.zone_token_file(zone_);
  auto proxy = FaultProxy::start("127.0.0.1", hub_.sync_port());
  EXPECT_TRUE(proxy.has_value());
  if (proxy) proxy_ = std::move(*proxy);
}

void AgentUnderTest::start() {
  ChildProcess::Options options;
  options.argv = {program("zonesync-agent"), "run",
                  "--hub", "wss://127.0.0.1:" + std::to_string(proxy_->port()) + "/sync",
                  "--zone", zone_,
                  "--token-file", token_file,
                  "--ca", hub_.ca_file(),
                  "--store", store().string(),
                  "--mirror", mirror().string(),
                  "--publish", publish().string(),
                  "--publish-interval", "100ms",
                  "--status-file", (root_ / "status.json").string(),
                  "--log-cuts"};
  options.argv.insert(options.argv.end(), extra_arguments.begin(), extra_arguments.end());
  auto started = ChildProcess::start(std::move(options));
  ASSERT_TRUE(started.has_value()) << describe(started.error());
  process_ = std::move(*started);
}

void AgentUnderTest::kill9() {
  process_->signal(SIGKILL);
  ASSERT_TRUE(process_->wait(kDeadline).has_value());
}

int AgentUnderTest::stop() {
  process_->signal(SIGTERM);
  const auto exit = process_->wait(kDeadline);
  return exit && exit->signal == 0 ? exit->code : -1;
}

void AgentUnderTest::follow_hub() { proxy_->set_server("127.0.0.1", hub_.sync_port()); }

boost::json::value AgentUnderTest::status() const {
  boost::system::error_code failed;
  auto value = boost::json::parse(read_file(root_ / "status.json"), failed);
  return failed ? boost::json::value(nullptr) : value;
}

std::int64_t AgentUnderTest::status_number(const std::string& pointer) const {
  return number_at(status(), pointer);
}

bool AgentUnderTest::wait_mirror(std::uint64_t revision) const {
  return eventually([&] {
    boost::system::error_code failed;
    const auto cut = boost::json::parse(read_file(mirror() / "current" / ".cut.json"), failed);
    return !failed && number_at(cut, "/revision") >= static_cast<std::int64_t>(revision);
  });
}

std::vector<std::pair<std::string, std::string>> AgentUnderTest::mirror_files() const {
  std::vector<std::pair<std::string, std::string>> files;
  const auto root = std::filesystem::canonical(mirror() / "current");
  using std::filesystem::directory_options;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           root, directory_options::follow_directory_symlink)) {
    if (!entry.is_regular_file() || entry.path().filename() == ".cut.json") continue;
    files.emplace_back(entry.path().string().substr(root.string().size() + 1),
                       read_file(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace zonesync::integration
