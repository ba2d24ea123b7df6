// Issue 2, Must show 1: the demo as a newcomer starts it.
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/parse.hpp>

#include "conformance/integration/support/hub_under_test.hpp"
#include "conformance/integration/support/workspace.hpp"

namespace zonesync::integration {
namespace {

class Demo : public ::testing::Test {
 protected:
  std::unique_ptr<ChildProcess> start(std::vector<std::string> arguments) {
    std::filesystem::create_directories(workspace.path() / "tmp");
    ChildProcess::Options options;
    options.argv = {program("zonesync-hub"), "demo", "--headless"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.extra_env = {"TMPDIR=" + workspace.file("tmp"),
                         "XDG_RUNTIME_DIR=" + workspace.file("tmp")};
    options.stderr_file = workspace.file("demo.log");
    auto started = ChildProcess::start(std::move(options));
    EXPECT_TRUE(started.has_value());
    return std::move(*started);
  }
  RunResult verb(const std::string& name, const std::string& zone) {
    return run({"/usr/bin/env", "XDG_RUNTIME_DIR=" + workspace.file("tmp"), program("zonesync-hub"),
                "demo", name, zone});
  }
  std::string log() { return read_file(workspace.file("demo.log")); }
  Workspace workspace;
};

bool is_event(const std::string& line, const std::string& name) {
  return line.find("\"event\":\"" + name + "\"") != std::string::npos;
}

TEST_F(Demo, RunsAndEndsWithEveryZoneAtTheHeadAndLeavesNothingBehind) {
  const std::string ready = workspace.file("ready.json");
  auto demo = start({"--exit-after", "3s", "--ready-file", ready, "--rate", "20"});
  const auto exit = demo->wait(kDeadline);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 0) << log();
  const auto last = demo->wait_line([](const auto& line) { return is_event(line, "end"); },
                                    kDeadline);
  ASSERT_TRUE(last.has_value()) << log();
  EXPECT_NE(last->find("\"ok\":true"), std::string::npos) << *last;
  const auto end = boost::json::parse(*last);
  EXPECT_GT(number_at(end, "/head"), 0);
  for (const char* zone : {"0", "1", "2"}) {
    EXPECT_EQ(number_at(end, std::string("/zones/") + zone + "/revision"), number_at(end, "/head"));
  }
  const auto files = boost::json::parse(read_file(ready));
  EXPECT_TRUE(files.as_object().contains("sync_url"));
  EXPECT_EQ(files.at("zones").as_array().size(), 3u);
  EXPECT_TRUE(std::filesystem::is_empty(workspace.path() / "tmp")) << "temporary data is removed";
}

TEST_F(Demo, VerbsCutAndHealAZone) {
  auto demo = start({"--exit-after", "60s", "--rate", "20", "--resources", "50"});
  ASSERT_TRUE(demo->wait_line([](const auto& l) { return is_event(l, "status"); },
                              kDeadline)) << log();
  EXPECT_EQ(verb("cut", "nowhere").code, 1);
  ASSERT_EQ(verb("cut", "west").code, 0);
  const auto west_lag = [](const std::string& line) {
    return number_at(boost::json::parse(line), "/zones/1/lag");
  };
  EXPECT_TRUE(demo->wait_line([&](const auto& l) {
    return is_event(l, "status") && west_lag(l) > 20;
  }, kDeadline));
  ASSERT_EQ(verb("heal", "west").code, 0);
  EXPECT_TRUE(demo->wait_line([&](const auto& l) {
    return is_event(l, "status") && west_lag(l) < 10;
  }, kDeadline));
  demo->signal(SIGINT);
  const auto exit = demo->wait(kDeadline);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 0) << log();
  EXPECT_TRUE(std::filesystem::is_empty(workspace.path() / "tmp"));
}

// Issue 3, "must show" 9: `edge` in v1 against delta; a poisoned policy is refused, then healed.
TEST_F(Demo, EdgeRunsInV1AndAPoisonedPolicyIsRefusedUntilHealed) {
  auto demo = start({"--exit-after", "60s", "--rate", "20", "--resources", "50"});
  const auto zone_row = [](const std::string& line, const std::string& name) {
    const auto status = boost::json::parse(line);
    for (const auto& row : status.at("zones").as_array()) {
      if (row.at("name").as_string() == name) return row;
    }
    return boost::json::value{{"mode", ""}};
  };
  const auto shows = [&](const std::function<bool(const boost::json::value&)>& wanted,
                         const std::string& name) {
    return demo->wait_line([&](const auto& line) {
      return is_event(line, "status") && wanted(zone_row(line, name));
    }, kDeadline).has_value();
  };
  EXPECT_TRUE(shows([](const auto& row) { return row.at("mode").as_string() == "v1"; }, "edge"))
      << log();
  EXPECT_TRUE(shows([](const auto& row) {
    return row.at("mode").as_string() == "delta" && number_at(row, "/bytes_rx") > 0 &&
           number_at(row, "/v1_bytes_est") > number_at(row, "/bytes_rx");
  }, "east")) << log();
  ASSERT_EQ(verb("poison", "east").code, 0);
  EXPECT_TRUE(shows([](const auto& row) { return number_at(row, "/rejects") == 1; }, "east"));
  ASSERT_EQ(verb("heal", "east").code, 0);
  EXPECT_TRUE(shows([](const auto& row) { return number_at(row, "/rejects") == 0; }, "east"));
  demo->signal(SIGINT);
  const auto exit = demo->wait(kDeadline);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 0) << log();
}

}  // namespace
}  // namespace zonesync::integration
