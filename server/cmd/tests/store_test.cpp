// The store of a hub that serves: checkpoints, completeness, encryption by configuration.
#include "server/cmd/checkpoints.hpp"
#include "server/cmd/encryption.hpp"
#include "server/cmd/tests/process_fixture.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync::testing {
namespace {

class HubStoreTest : public ProcessFixture {
 protected:
  Result<hub::CheckpointInfo> checkpoint(const std::string& name) {
    return await<hub::CheckpointInfo>(
        [&](hub::CheckpointDone done) { hub->checkpoint(name, done); });
  }
  [[nodiscard]] std::string checkpoints() const {
    return (std::filesystem::path(init_.data_dir) / "backups").string();
  }
  static std::string text(int i) { return std::to_string(i) + "s"; }
};

TEST_F(HubStoreTest, ACheckpointWhileServingIsRestoredInANewEra) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(write(policy("p" + std::to_string(i % 5), text(i))));
  const auto made = checkpoint("nightly");
  ASSERT_TRUE(made) << describe(made.error());
  const LogState at = hub->log().state();
  EXPECT_EQ(made->head, at.head);
  ASSERT_TRUE(write(policy("later")));
  EXPECT_EQ(checkpoint("nightly").error().code, ErrorCode::conflict);
  const std::string restored = made->directory + "-restored";
  const auto key = read_master_key(init_.storage_key_file);
  ASSERT_TRUE(key) << describe(key.error());
  SealingOptions sealing;
  sealing.key = *key;
  const auto report = restore_store(made->directory, restored, sealing);
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->warning, "");
  EXPECT_EQ(report->state.log_id, at.log_id);
  EXPECT_EQ(report->state.head, at.head);
  EXPECT_NE(report->state.current_era(), at.current_era());
  auto store = OfflineStore::open(restored, nullptr, *key);
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->verify()->good());
  EXPECT_FALSE(hub->info().restored_at);
}

TEST_F(HubStoreTest, CheckpointsAreNamedSafelyAndBounded) {
  for (const char* name : {"../out", "a/b", ".hidden", "a b"}) {
    EXPECT_EQ(checkpoint(name).error().code, ErrorCode::invalid_argument) << name;
  }
  ASSERT_TRUE(write(policy("a")));
  for (std::size_t i = 0; i < kCheckpointsMax; ++i) {
    ASSERT_TRUE(checkpoint("c" + std::to_string(i)));
  }
  const std::filesystem::path half = std::filesystem::path(checkpoints()) / "c0~making";
  std::filesystem::create_directory(half);
  EXPECT_EQ(checkpoint("one-more").error().code, ErrorCode::resource_exhausted);
  EXPECT_FALSE(std::filesystem::exists(half)) << "what a crash left";
  EXPECT_TRUE(write(policy("b"))) << "the hub goes on";
}

TEST_F(HubStoreTest, ARunningHubIsDeclaredComplete) {
  EXPECT_FALSE(hub->info().complete);
  ASSERT_TRUE(await<void>([&](hub::StatusDone done) { hub->declare_complete(done); }));
  EXPECT_TRUE(hub->info().complete);
  stop_hub();
  start_hub();
  EXPECT_TRUE(hub->info().complete);
}

TEST_F(HubStoreTest, SecretsAreSealedByTheDirectoryThatInitMakes) {
  Resource secret;
  secret.key = {"Secret", "default", std::string(kGlobalOrigin), "token"};
  secret.spec = R"({"data":"CANARY-55e1"})";
  ASSERT_TRUE(write(secret));
  stop_hub();
  for (const auto& item : std::filesystem::recursive_directory_iterator(init_.data_dir)) {
    if (!item.is_regular_file() || item.path().filename() == "ballast") continue;
    std::ifstream file(item.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find("CANARY-55e1"), bytes.npos) << item.path();
  }
}

TEST_F(HubStoreTest, ASensitiveTypeThatIsRegisteredLaterIsSealedToo) {
  TypeInfo type;
  type.name = "VaultToken";
  type.plural = "vaulttokens";
  type.global_to_zones = type.provided_by_global = type.sensitive = true;
  ASSERT_TRUE(await<void>([&](hub::StatusDone done) { hub->add_type(type, done); }));
  Resource secret;
  secret.key = {"VaultToken", "default", std::string(kGlobalOrigin), "token"};
  secret.spec = R"({"data":"CANARY-0bd7"})";
  ASSERT_TRUE(write(secret));
  stop_hub();
  start_hub();
  secret.spec = R"({"data":"CANARY-0bd7 again"})";
  ASSERT_TRUE(write(secret)) << "the registration is read before anything is written";
  stop_hub();
  for (const auto& item : std::filesystem::recursive_directory_iterator(init_.data_dir)) {
    if (!item.is_regular_file() || item.path().filename() == "ballast") continue;
    std::ifstream file(item.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find("CANARY-0bd7"), bytes.npos) << item.path();
  }
}

// What no zone views wakes none, so that they stay behind the head; they lack nothing.
TEST_F(HubStoreTest, AZoneThatLacksOnlyWhatItMayNotSeeIsConverged) {
  const auto east = start_client("east");
  const auto west = start_client("west");
  const auto written = write(policy("a"));
  ASSERT_TRUE(written);
  ASSERT_TRUE(west->wait_revision(written->revision, deadline()));
  Resource insight;
  insight.key = {"DataplaneInsight", "default", "east", "dp-1"};
  for (int i = 0; i < 5; ++i) {
    insight.spec = "{\"n\":" + std::to_string(i) + "}";
    ASSERT_TRUE(east->publish(insight));
    ASSERT_TRUE(east->sync_barrier(deadline()));
  }
  ASSERT_TRUE(eventually([&] {
    const auto status = hub->zone("west");
    return status && status->converged == hub::Convergence::yes;
  }));
  EXPECT_EQ(hub->zone("west")->lag_revisions, 0u);
  const auto waited = await<hub::WaitResult>([&](auto done) {
    hub->wait_revision({"west"}, hub->log().state().head, kDeadline,
                       [done](hub::WaitResult wait) { done(std::move(wait)); });
  });
  EXPECT_TRUE(waited && waited->reached);
  EXPECT_EQ(hub->log().history(insight.key, 10)->size(), 5u);
}

}  // namespace
}  // namespace zonesync::testing
