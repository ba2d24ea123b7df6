// A change of the master key that stops at every point ends well: the start names the file that
// helps, and the command, run again, brings it to its end.
#include "server/cmd/encryption.hpp"
#include "server/cmd/key_change.hpp"
#include "server/cmd/tests/process_fixture.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSpec = R"({"data":"CANARY-7d20"})";

class KeyChangeTest : public ProcessFixture {
 protected:
  void SetUp() override {
    ProcessFixture::SetUp();
    ASSERT_TRUE(write(secret()));
    stop_hub();
    file_ = init_.storage_key_file;
    next_ = file_.string() + ".new";
    first_ = id_in(file_);
  }
  static Resource secret() {
    Resource secret;
    secret.key = {"Secret", "default", std::string(kGlobalOrigin), "token"};
    secret.spec = kSpec;
    return secret;
  }
  static std::string id_in(const fs::path& file) {
    const auto key = read_master_key(file);
    return key ? (*key)->id : std::string(to_string(key.error().code));
  }
  [[nodiscard]] fs::path kept(const std::string& id) const { return file_.string() + ".old-" + id; }
  [[nodiscard]] HubConfig config() const {
    HubConfigSources sources;
    sources.file = init_.config_file;
    return *load_hub_config(sources);
  }
  Result<KeyChangeReport> change(std::optional<KeyChangeStep> stop_behind = {}, bool now = false) {
    KeyChangeOptions options;
    options.now = now;
    if (stop_behind) options.go_on = [=](KeyChangeStep step) { return step != *stop_behind; };
    return change_master_key(config().storage_dir, file_, options);
  }
  [[nodiscard]] std::string trouble() const {
    const auto found = key_trouble(config(), "hub.yaml");
    return found ? found->message : std::string();
  }
  [[nodiscard]] std::string master_key_of_log() const {
    return (*OfflineStore::open(config().storage_dir.string()))->info()->master_key;
  }
  /// The hub starts with the configured file, and what was sealed is readable.
  void expect_served() {
    start_hub();
    ASSERT_TRUE(hub);
    const auto latest = hub->log().latest(secret().key);
    ASSERT_TRUE(latest && *latest);
    const auto entry = hub->log().read((*latest)->position);
    ASSERT_TRUE(entry) << describe(entry.error());
    EXPECT_NE(std::string(entry->change.payload.view()).find("CANARY-7d20"), std::string::npos);
    stop_hub();
  }
  void expect_changed_once() {
    const std::string now = id_in(file_);
    EXPECT_NE(now, first_);
    EXPECT_EQ(master_key_of_log(), now);
    EXPECT_EQ(id_in(kept(first_)), first_) << "for the backups of its time";
    EXPECT_FALSE(fs::exists(next_));
    EXPECT_EQ(trouble(), "");
    expect_served();
  }

  fs::path file_;
  fs::path next_;
  std::string first_;
};

TEST_F(KeyChangeTest, AWholeChangeLeavesTheOldKeyBesideTheNewOne) {
  const auto report = change();
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_FALSE(report->finished);
  EXPECT_TRUE(report->resealing);
  EXPECT_TRUE(report->notes.empty());
  EXPECT_EQ(report->kept, kept(first_));
  EXPECT_EQ(report->key, id_in(file_));
  expect_changed_once();
}

TEST_F(KeyChangeTest, StoppedBehindTheNewKeyItIsUsedByTheNextRun) {
  EXPECT_EQ(change(KeyChangeStep::key_made).error().code, ErrorCode::canceled);
  const std::string made = id_in(next_);
  EXPECT_EQ(trouble(), "") << "the log has its old key still";
  expect_served();
  const auto again = change();
  ASSERT_TRUE(again) << describe(again.error());
  ASSERT_EQ(again->notes.size(), 1u);
  EXPECT_NE(again->notes[0].find(made), std::string::npos) << again->notes[0];
  EXPECT_EQ(again->key, made);
  expect_changed_once();
}

TEST_F(KeyChangeTest, StoppedBehindTheSealingTheStartNamesTheFileAndTheCommand) {
  EXPECT_EQ(change(KeyChangeStep::log_sealed).error().code, ErrorCode::canceled);
  const std::string wanted = id_in(next_);
  EXPECT_EQ(id_in(file_), first_);
  const std::string command = "zonesync-hub store rekey --config hub.yaml";
  for (const std::string& part : {wanted, first_, next_.string(), command}) {
    EXPECT_NE(trouble().find(part), std::string::npos) << part << ": " << trouble();
  }
  const auto again = change();
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_TRUE(again->finished);
  EXPECT_EQ(again->key, wanted);
  expect_changed_once();
}

TEST_F(KeyChangeTest, StoppedBetweenTheFilesTheNextRunFinishes) {
  EXPECT_EQ(change(KeyChangeStep::old_kept).error().code, ErrorCode::canceled);
  EXPECT_EQ(id_in(file_), first_) << "a key file is there at every moment";
  const auto again = change();
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_TRUE(again->finished);
  expect_changed_once();
}

TEST_F(KeyChangeTest, WithHalfACopyOfTheOldKeyItIsMadeAnew) {
  EXPECT_EQ(change(KeyChangeStep::log_sealed).error().code, ErrorCode::canceled);
  ASSERT_TRUE(auth::write_secret_file(kept(first_), "zonesync-master"));
  ASSERT_TRUE(change());
  expect_changed_once();
}

TEST_F(KeyChangeTest, WithoutAKeyFileTheStartNamesTheNewOneAndTheNextRunFinishes) {
  EXPECT_EQ(change(KeyChangeStep::old_kept).error().code, ErrorCode::canceled);
  fs::remove(file_);  // as between the two renames of version 0.1.0
  EXPECT_NE(trouble().find("is missing; " + next_.string() + " holds it"), std::string::npos)
      << trouble();
  ASSERT_TRUE(change());
  expect_changed_once();
}

TEST_F(KeyChangeTest, StoppedBehindTheRenameTheHubStartsAndEncryptsTheRest) {
  EXPECT_EQ(change(KeyChangeStep::in_place, true).error().code, ErrorCode::canceled);
  EXPECT_TRUE((*OfflineStore::open(config().storage_dir.string()))->info()->resealing);
  expect_changed_once();
}

TEST_F(KeyChangeTest, AtOnceNothingIsLeftForTheHub) {
  const auto report = change({}, true);
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_FALSE(report->resealing);
  expect_changed_once();
}

TEST_F(KeyChangeTest, WhatIsNoKeyInThePlaceOfTheNewOneIsMovedAwayAndSaid) {
  ASSERT_TRUE(auth::write_secret_file(next_, ""));  // stopped while it was written
  const auto report = change();
  ASSERT_TRUE(report) << describe(report.error());
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find(".new.unused"), std::string::npos) << report->notes[0];
  EXPECT_TRUE(fs::exists(next_.string() + ".unused"));
  expect_changed_once();
}

TEST_F(KeyChangeTest, TheKeyInUseIsNotTakenForTheNextOne) {
  fs::copy_file(file_, next_);
  ASSERT_TRUE(change());
  expect_changed_once();
}

TEST_F(KeyChangeTest, ABackupOfBeforeNamesTheKeyOfItsTime) {
  const fs::path store = config().storage_dir;
  const std::string backup = store.string() + "-backup";
  ASSERT_TRUE((*OfflineStore::open_to_change(store.string()))->checkpoint(backup));
  ASSERT_TRUE(change());
  fs::remove_all(store);
  fs::rename(backup, store);
  const auto refused = change();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  const std::string in_use = id_in(file_);
  const std::string aside = "mv " + file_.string() + ' ' + kept(in_use).string();
  const std::string back = "cp -p " + kept(first_).string() + ' ' + file_.string();
  for (const std::string& part : {aside, back}) {
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
    EXPECT_NE(trouble().find(part), std::string::npos) << trouble();
  }
  EXPECT_FALSE(fs::exists(next_)) << "nothing was begun";

  fs::rename(file_, kept(in_use));  // as it says
  fs::copy_file(kept(first_), file_);
  const auto again = change();
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(id_in(kept(in_use)), in_use) << "for the backups of its time";
  expect_changed_once();
}

// Its place would hold the key in use, under the name of a key that may be deleted.
TEST_F(KeyChangeTest, UnderTheNameOfAnEarlierKeyNothingIsChanged) {
  ASSERT_TRUE(change());
  const std::string in_use = id_in(file_);
  const fs::path misnamed = kept(in_use);
  fs::rename(file_, misnamed);
  const auto refused = change_master_key(config().storage_dir, misnamed, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("cp -p " + misnamed.string() + ' ' + file_.string()),
            std::string::npos)
      << refused.error().message;
  EXPECT_EQ(id_in(misnamed), in_use);
  EXPECT_FALSE(fs::exists(misnamed.string() + ".new")) << "nothing was begun";
}

TEST_F(KeyChangeTest, AKeyThatIsNowhereIsSaid) {
  const auto away = file_.string() + "-elsewhere";
  fs::rename(file_, away);
  EXPECT_NE(trouble().find("a new key opens nothing"), std::string::npos) << trouble();
  EXPECT_EQ(change().error().code, ErrorCode::forbidden);
  ASSERT_TRUE(auth::write_secret_file(file_, "garbage"));
  EXPECT_NE(trouble().find("is no key file"), std::string::npos) << trouble();
  const auto garbage = read_master_key(file_);
  ASSERT_FALSE(garbage);
  EXPECT_NE(garbage.error().message.find("from your copy"), std::string::npos);
}

TEST_F(KeyChangeTest, ALogInWhichNothingIsSealedIsLeftAlone) {
  fs::remove_all(config().storage_dir);
  EXPECT_EQ(change().error().code, ErrorCode::storage_corrupt) << "the anchor remembers a log";
  fs::remove(config().storage_dir.string() + ".anchor");
  EXPECT_EQ(change().error().code, ErrorCode::not_found);
  fs::remove(file_);
  EXPECT_NE(trouble().find("new-key " + file_.string()), std::string::npos) << trouble();
  EXPECT_FALSE(fs::exists(next_));
}

}  // namespace
}  // namespace zonesync::testing
