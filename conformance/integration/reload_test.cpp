// SIGHUP: certificates, keys and revocations are read again; what needs a restart is named.
#include <gtest/gtest.h>
#include <signal.h>

#include "conformance/integration/support/hub_under_test.hpp"

namespace zonesync::integration {
namespace {

TEST(Reload, SettingsThatNeedARestartAreNamed) {
  const Workspace workspace;
  HubUnderTest hub(workspace);
  hub.start();
  const auto logs = [&hub](const std::string& words) {
    return hub.process()
        .wait_line([&](const std::string& line) { return line.find(words) != line.npos; },
                   kDeadline)
        .value_or("");
  };
  const std::string file = hub.directory() + "/hub.yaml";
  const std::string text = read_file(file);
  write_file(file, text + "log: {level: debug}\nzones: {auto_register: false}\n");
  hub.process().signal(SIGHUP);
  EXPECT_NE(logs("hub.reloaded").find("settings need a restart"), std::string::npos);
  EXPECT_NE(logs("hub.reload.restart_needed").find("zones.auto_register,log.level"),
            std::string::npos)
      << hub.process().recent_lines();

  write_file(file, text + "storage: {retention: {types: [{type: Meshh}]}}\n");
  hub.process().signal(SIGHUP);
  EXPECT_NE(logs("hub.reload.config_invalid").find("hub.yaml"), std::string::npos);

  write_file(file, text + "# nothing but a remark\n");
  hub.process().signal(SIGHUP);
  EXPECT_FALSE(logs("hub.reloaded").empty());
  EXPECT_EQ(hub.stop(), 0);
  EXPECT_FALSE(hub.logged("hub.reload.failed"));
}

}  // namespace
}  // namespace zonesync::integration
