// What scripts rely on of every program: exit codes as docs/exit-codes.md has them, and --version.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "client-sdk/agent/agent.hpp"
#include "conformance/integration/support/workspace.hpp"
#include "server/cli/outcome.hpp"
#include "server/cmd/commands.hpp"

namespace zonesync::integration {
namespace {

struct Program {
  std::string name;
  std::set<int> codes;
};

std::vector<Program> programs() {
  using cli::Exit;
  Program command{"zonesync", {}};
  for (const Exit exit : {Exit::ok, Exit::failed, Exit::usage, Exit::cannot_connect, Exit::auth,
                          Exit::not_found, Exit::conflict, Exit::rejected, Exit::timeout,
                          Exit::interrupted}) {
    command.codes.insert(static_cast<int>(exit));
  }
  return {{"zonesync-hub", {cmd::kOk, cmd::kFailed, cmd::kUsage, cmd::kStorage, cmd::kConfig}},
          {"zonesync-agent",
           {agent::kExitOk, agent::kExitFailed, agent::kExitUsage, agent::kExitSuperseded,
            agent::kExitStorage, agent::kExitConfig}},
          command};
}

/// The numbers of the table under "## NAME".
std::set<int> documented(const std::string& name) {
  std::istringstream page(read_file(ZONESYNC_SOURCE_DIR "/docs/exit-codes.md"));
  std::set<int> codes;
  bool here = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) here = line == "## " + name;
    if (here && line.starts_with("| ") && std::isdigit(static_cast<unsigned char>(line[2]))) {
      codes.insert(std::stoi(line.substr(2)));
    }
  }
  return codes;
}

/// The numbers after "Exit codes:" in a program's help.
std::set<int> told_by_help(const std::string& name) {
  const RunResult help = run({program(name), "--help"});
  EXPECT_EQ(help.code, 0);
  const auto at = help.output.find("Exit codes:");
  EXPECT_NE(at, std::string::npos) << help.output;
  if (at == std::string::npos) return {};
  std::istringstream words(help.output.substr(at));
  std::set<int> codes;
  for (std::string word; words >> word;) {
    if (std::isdigit(static_cast<unsigned char>(word[0]))) codes.insert(std::stoi(word));
  }
  return codes;
}

TEST(Programs, ExitCodesAreWhatPageAndHelpSay) {
  for (const Program& each : programs()) {
    EXPECT_EQ(documented(each.name), each.codes) << each.name;
    EXPECT_EQ(told_by_help(each.name), each.codes) << each.name;
    EXPECT_EQ(run({program(each.name), "--no-such-option"}).code, 2) << each.name;
  }
  EXPECT_EQ(run({program("zonesync-hub"), "config", "validate", "--config", "/none"}).code,
            cmd::kConfig);
  EXPECT_EQ(run({program("zonesync-hub"), "store", "info", "--store", "/none"}).code, cmd::kConfig);
}

TEST(Programs, TheStoreCommandsSayWhatTheyMean) {
  const std::string hub = program("zonesync-hub");
  EXPECT_EQ(run({hub, "store", "info"}).code, cmd::kUsage) << "which store, is part of the line";
  const std::string help = run({hub, "store", "bench", "--help"}).output;
  EXPECT_NE(help.find("=1000000"), std::string::npos) << help;
  const RunResult none = run({hub, "store", "bench", "--resources", "0"});
  EXPECT_EQ(none.code, cmd::kUsage);
  EXPECT_LT(none.output.size(), 200u) << none.output;
  const RunResult few = run({hub, "store", "bench", "--resources", "10"});
  EXPECT_EQ(few.code, 0) << few.output;
  EXPECT_EQ(few.output.find("E0"), std::string::npos) << few.output;
}

TEST(Programs, EachTellsItsVersion) {
  for (const Program& each : programs()) {
    const RunResult told = run({program(each.name), "--version"});
    EXPECT_EQ(told.code, 0) << each.name;
    EXPECT_EQ(told.output, each.name + " " + ZONESYNC_VERSION + "\n");
  }
}

}  // namespace
}  // namespace zonesync::integration
