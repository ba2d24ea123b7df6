// Issue 4, Must show 8: values of sensitive types are found nowhere but where they are meant to be.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCanary = "CANARY-91c4-do-not-store-me";

std::string secret_json(const std::string& name, const std::string& value) {
  return R"({"type":"Secret","mesh":"default","name":")" + name + R"(","data":")" + value + R"("})";
}

std::vector<std::string> files_with(const fs::path& directory, const std::string& needle) {
  std::vector<std::string> found;
  for (const auto& item : fs::recursive_directory_iterator(directory)) {
    if (!item.is_regular_file() || item.path().filename() == "ballast") continue;
    if (read_file(item.path()).find(needle) != std::string::npos) {
      found.push_back(item.path().string());
    }
  }
  return found;
}

unsigned mode_of(const fs::path& path) {
  return static_cast<unsigned>(fs::status(path).permissions()) & 0777u;
}

RunResult hub_command(const HubUnderTest& hub, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program("zonesync-hub"));
  arguments.insert(arguments.end(), {"--config", hub.directory() + "/hub.yaml"});
  return run(arguments);
}

TEST(Secrets, ACanaryIsNowhereInDatabaseBackupLogsAndDumpButReachesTheZone) {
  Cluster cluster({"east"});
  HubUnderTest& hub = cluster.hub;
  const std::string path = "/meshes/default/secrets/token";
  for (int i = 0; i < 3; ++i) {
    const auto put = hub.call("PUT", path, secret_json("token", kCanary + std::to_string(i)));
    ASSERT_LT(put.status, 300u) << put.body;
  }
  EXPECT_NE(hub.call("GET", path).body.find(kCanary), std::string::npos) << "an admin reads it";
  ASSERT_TRUE(cluster.converges());
  const fs::path mirror = cluster.agent("east").mirror();
  const auto mirrored = files_with(mirror, kCanary);
  ASSERT_FALSE(mirrored.empty()) << "the zone has it";
  for (const std::string& file : mirrored) EXPECT_EQ(mode_of(file), 0600u) << file;
  for (const std::string& file : files_with(cluster.agent("east").store(), kCanary)) {
    EXPECT_EQ(mode_of(file), 0600u) << file;
  }
  EXPECT_EQ(mode_of(cluster.agent("east").store()), 0700u);
  EXPECT_EQ(hub.process().recent_lines(200'000).find(kCanary), std::string::npos) << "hub's log";

  const std::string online = cluster.workspace.file("online");
  const RunResult made = hub_command(hub, {"store", "checkpoint", online, "--api", hub.api_url()});
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_TRUE(fs::exists(online + "/CURRENT") && fs::exists(online + ".anchor"));
  EXPECT_TRUE(files_with(online, kCanary).empty());

  hub.kill9();
  EXPECT_TRUE(files_with(hub.directory(), kCanary).empty()) << "after a kill: write-ahead log";
  const std::string backup = cluster.workspace.file("backup");
  ASSERT_EQ(hub_command(hub, {"store", "checkpoint", backup}).code, 0);
  ASSERT_EQ(hub_command(hub, {"store", "compact"}).code, 0);
  EXPECT_TRUE(files_with(hub.directory(), kCanary).empty());
  EXPECT_TRUE(files_with(backup, kCanary).empty());
  const RunResult dump = hub_command(hub, {"store", "dump"});
  EXPECT_EQ(dump.code, 0);
  EXPECT_NE(dump.output.find("\"Secret\""), std::string::npos);
  EXPECT_EQ(dump.output.find(kCanary), std::string::npos);
  EXPECT_NE(hub_command(hub, {"store", "dump", "--reveal"}).output.find(kCanary),
            std::string::npos) << "who asks for it sees it";
  EXPECT_EQ(hub_command(hub, {"store", "verify"}).code, 0);
}

TEST(Secrets, ChangingTheKeysKeepsEverything) {
  Cluster cluster({"east"});
  HubUnderTest& hub = cluster.hub;
  const std::string path = "/meshes/default/secrets/token";
  ASSERT_LT(hub.call("PUT", path, secret_json("token", kCanary)).status, 300u);
  ASSERT_EQ(hub.stop(), 0);
  const fs::path key = fs::path(hub.directory()) / "keys" / "storage.key";
  EXPECT_EQ(mode_of(key), 0600u);
  const std::string before = read_file(key);
  const RunResult rekeyed = hub_command(hub, {"store", "rekey", "--now"});
  ASSERT_EQ(rekeyed.code, 0) << rekeyed.output;
  EXPECT_NE(read_file(key), before);
  EXPECT_EQ(mode_of(key), 0600u);
  hub.start();
  EXPECT_NE(hub.call("GET", path).body.find(kCanary), std::string::npos);
  ASSERT_EQ(hub.stop(), 0);
  write_file(key, before);
  const RunResult refused = hub_command(hub, {"serve"});
  EXPECT_EQ(refused.code, 78) << refused.output;
  EXPECT_NE(refused.output.find("from your copy"), std::string::npos) << refused.output;
}

TEST(Secrets, WithoutAKeyASecretIsRefusedWithTheRemedy) {
  const Workspace workspace;
  HubUnderTest hub(workspace);
  const std::string config = hub.directory() + "/hub.yaml";
  std::string text = read_file(config);
  const auto at = text.find("storage:");
  text.erase(at, text.find("auth:") - at);
  write_file(config, text);
  hub.start();
  const auto refused =
      hub.call("PUT", "/meshes/default/secrets/token", secret_json("token", "x"));
  EXPECT_EQ(refused.status, 403u) << refused.body;
  EXPECT_NE(refused.body.find("storage.encryption.key_file"), std::string::npos) << refused.body;
  EXPECT_EQ(hub.stop(), 0);
}

/// Whether a program that allows it leaves a core in `directory`.
bool machine_writes_cores(const fs::path& directory) {
  const RunResult crashed =
      run({"/bin/sh", "-c", "cd '" + directory.string() + "' && ulimit -c hard; kill -ABRT $$"});
  EXPECT_NE(crashed.code, 0);
  const bool wrote = !fs::is_empty(directory);
  fs::remove_all(directory);
  fs::create_directory(directory);
  return wrote;
}

TEST(Secrets, ACrashLeavesNoCore) {
  const Workspace workspace;
  const fs::path here = fs::current_path();
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_CORE, &limit);  // the hub would inherit this
  const fs::path crash = workspace.path() / "crash";
  fs::create_directory(crash);
  const bool shown = machine_writes_cores(crash);
  for (const int signal : {SIGABRT, SIGSEGV}) {
    HubUnderTest hub(workspace, "hub" + std::to_string(signal));
    fs::current_path(crash);
    hub.start();
    fs::current_path(here);
    ASSERT_LT(hub.call("PUT", "/meshes/default/secrets/token", secret_json("token", kCanary))
                  .status, 300u);
    const std::string limits =
        read_file("/proc/" + std::to_string(hub.process().pid()) + "/limits");
    const auto line = limits.find("Max core file size");
    ASSERT_NE(line, std::string::npos);
    EXPECT_EQ(limits.compare(limits.find_first_of("0123456789u", line + 18), 2, "0 "), 0)
        << limits.substr(line, 80);
    hub.process().signal(signal);
    const auto exit = hub.process().wait(kDeadline);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->signal, signal);
    EXPECT_TRUE(fs::is_empty(crash)) << "signal " << signal;
  }
  if (!shown) {
    GTEST_SKIP() << "this environment writes no core for any program (hard limit "
                 << limit.rlim_max << ", core_pattern '"
                 << read_file("/proc/sys/kernel/core_pattern")
                 << "'): only the hub's own limit was checked";
  }
}

}  // namespace
}  // namespace zonesync::integration
