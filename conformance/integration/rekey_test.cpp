// `zonesync-hub store rekey` that was killed: the files and the log of every such moment, with real
// processes. The states themselves are those of KeyChangeTest.
#include <gtest/gtest.h>

#include <filesystem>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* kValue = "CANARY-3b18";
constexpr const char* kPath = "/meshes/default/secrets/token";

/// Characters 22 to 38 of "zonesync-master-key-1 ID KEY".
std::string id_in(const fs::path& key_file) { return read_file(key_file).substr(22, 16); }

class Rekey : public ::testing::Test {
 protected:
  void SetUp() override {
    hub.start();
    const auto put = hub.call("PUT", kPath, R"({"type":"Secret","mesh":"default","name":"token",)"
                                            R"("data":")" + std::string(kValue) + R"("})");
    ASSERT_LT(put.status, 300u) << put.body;
    ASSERT_EQ(hub.stop(), 0);
    key = fs::path(hub.directory()) / "keys" / "storage.key";
    next = key.string() + ".new";
  }
  RunResult command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program("zonesync-hub"));
    arguments.insert(arguments.end(), {"--config", hub.directory() + "/hub.yaml"});
    return run(arguments);
  }
  /// A whole change, then the files as a kill behind the sealing leaves them.
  void seal_with_files_of_before() {
    const std::string first = id_in(key);
    ASSERT_EQ(command({"store", "rekey"}).code, 0);
    fs::rename(key, next);
    fs::rename(key.string() + ".old-" + first, key);
  }
  void expect_served() {
    hub.start();
    EXPECT_NE(hub.call("GET", kPath).body.find(kValue), std::string::npos);
    ASSERT_EQ(hub.stop(), 0);
  }

  Workspace workspace;
  HubUnderTest hub{workspace};
  fs::path key;
  fs::path next;
};

TEST_F(Rekey, KilledBeforeTheRenamesTheStartSaysWhatToDoAndTheNextRunDoesIt) {
  ASSERT_NO_FATAL_FAILURE(seal_with_files_of_before());
  const std::string wanted = id_in(next), first = id_in(key);
  const RunResult refused = command({"serve"});
  EXPECT_EQ(refused.code, 78) << refused.output;
  const RunResult info = command({"store", "info"});
  EXPECT_EQ(info.code, 78) << info.output;
  EXPECT_EQ(info.output.find("hint:"), std::string::npos) << "said once: " << info.output;
  EXPECT_EQ(info.output.find(".old-" + wanted), std::string::npos) << "it is in .new";
  for (const std::string& output : {refused.output, info.output}) {
    for (const std::string& part : {wanted, next.string(), std::string("store rekey --config")}) {
      EXPECT_NE(output.find(part), std::string::npos) << part << '\n' << output;
    }
  }
  const RunResult again = command({"store", "rekey", "--now"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("is finished"), std::string::npos) << again.output;
  EXPECT_EQ(id_in(key), wanted);
  EXPECT_EQ(id_in(key.string() + ".old-" + first), first);
  EXPECT_FALSE(fs::exists(next));
  EXPECT_NE(command({"store", "info", "--json"}).output.find(R"("resealing":false)"),
            std::string::npos);
  expect_served();
}

TEST_F(Rekey, WithoutAKeyFileTheStartSaysWhatToDoAndTheNextRunDoesIt) {
  const std::string first = id_in(key);
  ASSERT_EQ(command({"store", "rekey"}).code, 0);
  fs::rename(key, next);  // between two renames
  const RunResult refused = command({"serve"});
  EXPECT_EQ(refused.code, 78) << refused.output;
  EXPECT_NE(refused.output.find(next.string() + " holds it"), std::string::npos)
      << refused.output;
  const RunResult again = command({"store", "rekey"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(id_in(key.string() + ".old-" + first), first);
  expect_served();
}

TEST_F(Rekey, KilledBehindTheNewKeyTheHubStartsAndTheNextRunUsesIt) {
  ASSERT_EQ(run({program("zonesync-hub"), "store", "new-key", next.string()}).code, 0);
  const std::string made = id_in(next);
  expect_served();
  const RunResult again = command({"store", "rekey"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("it is the new key now"), std::string::npos) << again.output;
  EXPECT_EQ(id_in(key), made);
  expect_served();
}

TEST_F(Rekey, ARestoreOfABackupOfBeforeNamesTheOldKey) {
  const std::string first = id_in(key);
  const std::string backup = workspace.file("backup");
  ASSERT_EQ(command({"store", "checkpoint", backup}).code, 0);
  ASSERT_EQ(command({"store", "rekey"}).code, 0);
  const fs::path log = fs::path(hub.directory()) / "data" / "log";
  fs::rename(log, workspace.file("away"));
  const RunResult refused = command({"store", "restore", backup});
  EXPECT_EQ(refused.code, 78) << refused.output;
  EXPECT_NE(refused.output.find(".old-" + first), std::string::npos) << refused.output;
}

}  // namespace
}  // namespace zonesync::integration
