// Encryption at rest: what is sealed is nowhere readable, cannot be moved or changed, and survives
// a change of keys.
#include <fstream>
#include <iterator>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/sealing/sealed_entry.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using namespace rocksdb_store;
namespace fs = std::filesystem;

constexpr const char* kCanary = "CANARY-7f3a-do-not-store-me";

sealing::MasterKeyPtr new_key() { return *sealing::generate_master_key(); }

Change secret(const std::string& name, const std::string& value) {
  return upsert(key(name, "Secret"), value);
}

/// Files under `path` (and beside it, with its name) whose bytes hold `needle`.
std::vector<std::string> files_with(const std::string& path, const std::string& needle) {
  std::vector<std::string> found;
  for (const auto& item : fs::recursive_directory_iterator(fs::path(path).parent_path())) {
    if (!item.is_regular_file() || item.path().filename() == "ballast") continue;
    std::ifstream file(item.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.find(needle) != bytes.npos) found.push_back(item.path().string());
  }
  return found;
}

class Sealing : public ::testing::Test {
 protected:
  RocksDbOptions options(sealing::MasterKeyPtr master) const {
    RocksDbOptions options;
    options.create = true;
    options.reserve_bytes = 0;
    options.sealing.key = std::move(master);
    options.sealing.required = true;
    options.sealing.sensitive = [](std::string_view type) { return type == "Secret"; };
    return options;
  }
  Result<std::unique_ptr<RocksDbChangeLog>> open() {
    return RocksDbChangeLog::open(path_, options(master_));
  }
  Result<std::unique_ptr<OfflineStore>> offline() {
    return OfflineStore::open_to_change(path_, nullptr, master_);
  }
  void fill() {
    auto log = open();
    ASSERT_TRUE(log) << describe(log.error());
    ASSERT_TRUE(append(**log, {{secret("a", std::string(kCanary) + "1"), put("plain", "PLAIN")}}));
    ASSERT_TRUE(append(**log, {{secret("a", std::string(kCanary) + "2")},
                               {leave(key("a", "Secret"))},
                               {secret("b", std::string(kCanary) + "3")}}));
  }

  TempDir directory_;
  std::string path_ = directory_.file("log");
  sealing::MasterKeyPtr master_ = new_key();
};

TEST_F(Sealing, CanariesAreNowhereOnDiskButReadable) {
  fill();
  EXPECT_TRUE(files_with(path_, kCanary).empty()) << "in the write-ahead log";
  ASSERT_TRUE((*offline())->compact());
  ASSERT_TRUE((*offline())->checkpoint(directory_.file("backup")));
  EXPECT_TRUE(files_with(path_, kCanary).empty()) << "in table files or the backup";
  EXPECT_FALSE(files_with(path_, "Secret").empty()) << "the check looks at the right files";
  auto log = open();
  ASSERT_TRUE(log);
  const auto history = (*log)->history(key("a", "Secret"), 10);
  ASSERT_TRUE(history) << describe(history.error());
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ(history->at(1).change.payload.view(), std::string(kCanary) + "2");
  EXPECT_EQ(history->at(1).change.hash, hash_bytes(std::string(kCanary) + "2"));
  EXPECT_EQ(history->at(1).previous->hash, hash_bytes(std::string(kCanary) + "1"));
  EXPECT_EQ((*log)->digests().digests, recompute(**log));
}

// A short secret can be found by trying all of them against its hash.
TEST_F(Sealing, TheHashOfASecretIsNotOnDisk) {
  fill();
  ASSERT_TRUE((*offline())->compact());
  for (const char* version : {"1", "2", "3"}) {
    ByteWriter hash;
    hash.id(hash_bytes(std::string(kCanary) + version).id);
    EXPECT_TRUE(files_with(path_, hash.bytes()).empty()) << version;
  }
  Digest digest;
  digest.add(fingerprint(key("b", "Secret")), hash_bytes(std::string(kCanary) + "3"));
  ByteWriter sums;
  sums.u64(digest.high);
  sums.u64(digest.low);
  EXPECT_TRUE(files_with(path_, sums.bytes()).empty());
}

TEST_F(Sealing, WithoutAKeySensitiveTypesAreRefusedWithTheRemedy) {
  auto log = RocksDbChangeLog::open(path_, options(nullptr));
  ASSERT_TRUE(log) << describe(log.error());
  EXPECT_TRUE((*log)->admits("MeshTimeout"));
  const Status refused = append(**log, {{secret("a", "x")}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_NE(refused.error().message.find("storage.encryption.mode"), std::string::npos);
  EXPECT_EQ((*log)->admits("Secret").error().message, refused.error().message);
  EXPECT_TRUE(append(**log, {{put("a", "x")}})) << "nothing else is affected";
}

TEST_F(Sealing, AStartWithReadableSecretsAndNoKeyIsRefused) {
  RocksDbOptions off = options(nullptr);
  off.sealing.seal = off.sealing.required = false;
  { ASSERT_TRUE(append(**RocksDbChangeLog::open(path_, off), {{secret("a", "x")}})); }
  const auto refused = RocksDbChangeLog::open(path_, options(nullptr));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_NE(refused.error().message.find("new-key"), std::string::npos) << refused.error().message;
  // With a key it starts; what is written from now on is sealed, also over what was not.
  auto log = open();
  ASSERT_TRUE(log) << describe(log.error());
  ASSERT_TRUE(append(**log, {{secret("a", kCanary)}}));
  log->reset();
  EXPECT_TRUE(files_with(path_, kCanary).empty());
  EXPECT_TRUE((*offline())->verify()->good());
}

TEST_F(Sealing, ASealedLogWantsItsKey) {
  fill();
  const auto none = RocksDbChangeLog::open(path_, options(nullptr));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::forbidden);
  EXPECT_NE(none.error().message.find(master_->id), std::string::npos);
  const auto other = RocksDbChangeLog::open(path_, options(new_key()));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::forbidden);
  EXPECT_NE(other.error().message.find(master_->id), std::string::npos);
}

// Turned off later: old values still open, and what replaces them does not give their hash away.
TEST_F(Sealing, TurnedOffTheKeyStillOpensWhatWasSealed) {
  fill();
  RocksDbOptions off = options(master_);
  off.sealing.seal = off.sealing.required = false;
  auto log = RocksDbChangeLog::open(path_, off);
  ASSERT_TRUE(log) << describe(log.error());
  ASSERT_TRUE(append(**log, {{secret("b", "replaced"), secret("c", "readable")}}));
  log->reset();
  EXPECT_TRUE(files_with(path_, "replaced").empty());
  EXPECT_FALSE(files_with(path_, "readable").empty());
  EXPECT_TRUE((*offline())->verify()->good());
}

TEST_F(Sealing, VerifyReadsThroughWithTheKeyAndSaysWhatItCannotOpenWithout) {
  fill();
  const auto with = (*offline())->verify();
  ASSERT_TRUE(with && with->good()) << (with->texts.empty() ? "" : with->texts[0]);
  EXPECT_EQ(with->sealed, 4u);
  EXPECT_EQ(with->unopened, 0u);
  const auto without = (*OfflineStore::open(path_))->verify();
  ASSERT_TRUE(without && without->good()) << (without->texts.empty() ? "" : without->texts[0]);
  EXPECT_EQ(without->unopened, 4u);
}

TEST_F(Sealing, AValueMovedToAnotherKeyDoesNotOpen) {
  fill();
  {
    auto database = Database::open(path_, false, nullptr);
    const auto from = (*database)->get(Family::log, log_key({Revision{2}, 0}), nullptr);
    auto view = decode_stored_entry(**from);
    const auto to = (*database)->get(Family::log, log_key({Revision{4}, 0}), nullptr);
    ByteWriter forged;  // the header of "b" over the sealed bytes of "a"
    forged.raw(decode_stored_entry(**to)->header);
    forged.text(view->payload);
    rocksdb::WriteBatch batch;
    (*database)->put(batch, Family::log, log_key({Revision{4}, 0}), forged.bytes());
    ASSERT_TRUE((*database)->write(batch, true));
  }
  EXPECT_FALSE((*offline())->verify()->good());
  auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->read({Revision{4}, 0}).error().code, ErrorCode::storage_corrupt);
  EXPECT_EQ((*log)->scan(Position::start(), {}).error().code, ErrorCode::storage_corrupt);
}

TEST_F(Sealing, RekeyAtOnceLeavesTheOldKeyWithoutUse) {
  fill();
  const sealing::MasterKeyPtr old = master_, fresh = new_key();
  EXPECT_EQ((*OfflineStore::open_to_change(path_))->rekey(*fresh).error().code,
            ErrorCode::forbidden);
  {
    const auto store = offline();
    ASSERT_TRUE((*store)->rekey(*fresh));
    ASSERT_TRUE((*store)->reseal()) << "with the key that it has now";
    ASSERT_TRUE((*store)->compact());
  }
  EXPECT_TRUE(files_with(path_, old->id).empty());
  master_ = fresh;
  EXPECT_EQ((*offline())->info()->master_key, fresh->id);
  EXPECT_FALSE((*offline())->info()->resealing);
  const auto verified = (*offline())->verify();
  EXPECT_TRUE(verified->good()) << (verified->texts.empty() ? "" : verified->texts[0]);
  EXPECT_EQ(RocksDbChangeLog::open(path_, options(old)).error().code, ErrorCode::forbidden);
  auto log = open();
  ASSERT_TRUE(log) << describe(log.error());
  EXPECT_EQ((*log)->report().lineage, Lineage::follows) << "the running hash is what it was";
  EXPECT_EQ((*log)->read({Revision{2}, 0})->change.payload.view(), std::string(kCanary) + "2");
  EXPECT_EQ((*log)->digests().digests, recompute(**log));
}

TEST_F(Sealing, RekeyIsFinishedByTheRunningHub) {
  fill();
  const sealing::MasterKeyPtr fresh = new_key();
  ASSERT_TRUE((*offline())->rekey(*fresh));
  master_ = fresh;
  EXPECT_TRUE((*offline())->info()->resealing);
  {
    auto log = open();
    ASSERT_TRUE(log) << describe(log.error());
    EXPECT_EQ((*log)->read({Revision{1}, 0})->change.payload.view(), std::string(kCanary) + "1");
    (*log)->housekeep();
    EXPECT_EQ((*log)->read({Revision{1}, 0})->change.payload.view(), std::string(kCanary) + "1");
  }
  EXPECT_FALSE((*offline())->info()->resealing);
  EXPECT_TRUE((*offline())->verify()->good());
}

TEST_F(Sealing, RestoredBackupsOpenWithTheKeyOfTheirTime) {
  fill();
  ASSERT_TRUE((*offline())->checkpoint(directory_.file("backup")));
  fs::rename(path_, directory_.file("away"));
  EXPECT_EQ(restore_store(directory_.file("backup"), path_).error().code, ErrorCode::forbidden);
  fs::remove_all(path_);
  SealingOptions with_key;
  with_key.key = master_;
  const auto restored = restore_store(directory_.file("backup"), path_, with_key);
  ASSERT_TRUE(restored) << describe(restored.error());
  EXPECT_EQ((*open())->read({Revision{4}, 0})->change.payload.view(), std::string(kCanary) + "3");
}

TEST(MasterKeys, TextFormIsReadBackAndDamageIsRefusedWithoutQuotingIt) {
  const auto made = new_key();
  const std::string text = sealing::to_text(*made);
  const auto again = sealing::parse_master_key(text, "file");
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->id, made->id);
  EXPECT_EQ((*again)->key.expose(), made->key.expose());
  for (const std::string& bad :
       {std::string(), std::string("hello"), text.substr(0, text.size() - 2), text + "00",
        text.substr(0, 40) + "G" + text.substr(41)}) {
    const auto refused = sealing::parse_master_key(bad, "file");
    ASSERT_FALSE(refused) << bad.size();
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused.error().message.find(text.substr(39, 20)), std::string::npos);
  }
}

}  // namespace
}  // namespace zonesync::test
