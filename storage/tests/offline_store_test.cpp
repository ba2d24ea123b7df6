// A store without a hub: verify finds what does not fit, restore opens a new era.
#include "storage/rocksdb/offline_store.hpp"

#include "storage/entry_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using namespace rocksdb_store;
namespace fs = std::filesystem;

class Offline : public ::testing::Test {
 protected:
  Offline() { fill(); }
  void fill() {
    RocksDbOptions options;
    options.create = true;
    options.created_complete = true;
    options.reserve_bytes = 0;
    auto log = RocksDbChangeLog::open(path_, options);
    ASSERT_TRUE(log) << describe(log.error());
    for (int i = 0; i < 30; ++i) {
      const std::string name = "n" + std::to_string(i % 7);
      ASSERT_TRUE(append(**log, {{i % 5 == 4 ? leave(key(name)) : put(name, std::to_string(i))},
                                 {put("other", std::to_string(i))}}));
    }
    era_ = (*log)->state().current_era();
    head_ = (*log)->state().head;
  }
  void trim(std::uint64_t floor, std::uint64_t tombstones, std::size_t step = 100'000) {
    auto log = RocksDbChangeLog::open(path_, {});
    ASSERT_TRUE((*log)->trim(TrimRequest{Revision{floor}, Revision{tombstones}, step}));
  }
  void damage(Family family, const std::string& stored_key, std::optional<std::string> value) {
    auto database = Database::open(path_, false, nullptr);
    rocksdb::WriteBatch batch;
    if (value) {
      (*database)->put(batch, family, stored_key, *value);
    } else {
      (*database)->erase(batch, family, stored_key);
    }
    ASSERT_TRUE((*database)->write(batch, true));
  }
  VerifyReport verify() {
    auto store = OfflineStore::open(path_);
    EXPECT_TRUE(store);
    auto report = (*store)->verify();
    EXPECT_TRUE(report);
    return *report;
  }
  void expect_problem(const std::string& words) {
    const VerifyReport report = verify();
    EXPECT_FALSE(report.good());
    std::string all;
    for (const std::string& text : report.texts) all += text + "\n";
    EXPECT_NE(all.find(words), std::string::npos) << all;
  }

  TempDir directory_;
  std::string path_ = directory_.file("log");
  EraId era_;
  Revision head_;
};

TEST_F(Offline, AGoodStoreVerifiesAndIsNotChangedByLooking) {
  const VerifyReport report = verify();
  EXPECT_TRUE(report.good()) << report.texts.front();
  EXPECT_EQ(report.entries, 60u);
  EXPECT_EQ(report.segments, 30u);
  EXPECT_EQ(report.chained_segments, 30u);
  EXPECT_EQ((*OfflineStore::open(path_))->info()->state.eras.size(), 1u);
}

TEST_F(Offline, WhatIsMissingAboveTheFloorOfItsOwnTypeIsAProblem) {
  {
    auto log = RocksDbChangeLog::open(path_, {});
    TrimRequest request;
    request.type_floors["Another"] = (*log)->state().head;
    ASSERT_TRUE((*log)->trim(request)->done);
  }
  EXPECT_TRUE(verify().good());
  damage(Family::log, log_key(Position{Revision{1}, 0}), std::nullopt);
  expect_problem("the predecessor of an entry above its trim floor is missing");
}

TEST_F(Offline, ATrimmedStoreVerifiesAtEveryStep) {
  for (const std::size_t step : {1u, 7u, 20u, 100'000u}) {
    trim(40, 30, step);
    const VerifyReport report = verify();
    EXPECT_TRUE(report.good()) << report.texts.front();
    EXPECT_GE(report.chained_segments, 9u);
  }
}

TEST_F(Offline, AMissingEntryIsFound) {
  damage(Family::log, log_key({Revision{21}, 0}), std::nullopt);
  expect_problem("are not those that were written");
}

TEST_F(Offline, AMissingNewestEntryIsFound) {
  damage(Family::log, log_key({head_, 0}), std::nullopt);
  expect_problem("disagree about");
}

TEST_F(Offline, AChangedEntryIsFound) {
  auto store = OfflineStore::open(path_);
  LogEntry changed;
  ASSERT_TRUE((*store)->each_entry([&](const LogEntry& entry, bool) {
    changed = entry;
    return entry.position.revision < Revision{20};
  }));
  store->reset();
  changed.change.payload = SharedBytes("forged");
  damage(Family::log, log_key(changed.position), encode_entry(changed));
  expect_problem("are not those that were written");
}

TEST_F(Offline, AWrongIndexDigestSegmentAndEntryAreFound) {
  damage(Family::latest, latest_key({key("other"), ""}), std::nullopt);
  expect_problem("the resource index holds");
  damage(Family::meta, digest_key(class_of_key(key("other"))), digest_value(Digest{}));
  expect_problem("the digest of a class of type MeshTimeout");
  damage(Family::meta, numbered_key(kSegmentPrefix, head_.value), std::nullopt);
  expect_problem("the last segment ends at");
  damage(Family::log, log_key({Revision{3}, 0}), "junk");
  expect_problem("an entry is unreadable (revision 3, index 0)");
}

TEST_F(Offline, AStoreThatIsServedIsRefused) {
  const auto log = RocksDbChangeLog::open(path_, {});
  EXPECT_EQ(OfflineStore::open(path_).error().code, ErrorCode::unavailable);
}

TEST_F(Offline, ARestoreOpensANewEraAndKeepsTheOldAnchor) {
  const std::string copy = directory_.file("backup");
  ASSERT_TRUE((*OfflineStore::open_to_change(path_))->checkpoint(copy));
  EXPECT_EQ((*OfflineStore::open_to_change(path_))->checkpoint(copy).error().code,
            ErrorCode::conflict);
  fill();  // what the backup does not have
  const Cursor seen{era_, head_, {}};
  EXPECT_TRUE(fs::exists(copy + ".anchor"));
  EXPECT_EQ(restore_store(copy, path_).error().code, ErrorCode::conflict);
  fs::rename(path_, directory_.file("old"));
  const auto report = restore_store(copy, path_);
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->state.head, Revision{60});
  EXPECT_EQ(report->state.eras.size(), 2u);
  EXPECT_TRUE(report->state.complete) << "the operator chose it";
  EXPECT_EQ(report->anchor_before->head, Revision{120});
  EXPECT_TRUE(fs::exists(anchor_path(path_) + ".before-restore"));
  EXPECT_EQ(judge_cursor(report->state, seen), CursorVerdict::unknown_era);
  EXPECT_EQ((*RocksDbChangeLog::open(path_, {}))->report().text, "");
  const auto restored = (*RocksDbChangeLog::open(path_, {}))->report().restored;
  ASSERT_TRUE(restored) << "every later opening knows";
  EXPECT_EQ(restored->revision, Revision{60});
  EXPECT_GT(restored->at_ms, 1'600'000'000'000);
  EXPECT_TRUE(verify().good());
}

TEST_F(Offline, ARestoreWhileAHubRunsOnWhatWasMovedAwayIsRefused) {
  const std::string copy = directory_.file("backup");
  ASSERT_TRUE((*OfflineStore::open_to_change(path_))->checkpoint(copy));
  const auto log = RocksDbChangeLog::open(path_, {});
  ASSERT_TRUE(log);
  ASSERT_TRUE(append(**log, {{put("before", "1")}}));
  fs::rename(path_, directory_.file("old"));
  EXPECT_EQ(restore_store(copy, path_).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(fs::exists(path_));
  const Status written = append(**log, {{put("after", "1")}});
  ASSERT_FALSE(written) << "RocksDB would make its next files in the new store";
  EXPECT_EQ(written.error().code, ErrorCode::storage_io);
  EXPECT_NE(written.error().message.find("moved away or replaced"), std::string::npos);
}

TEST_F(Offline, HalfACheckpointIsRefusedAndChangesNothing) {
  const std::string copy = directory_.file("backup");
  {
    auto store = OfflineStore::open_to_change(path_);
    ASSERT_TRUE((*store)->compact());
    ASSERT_TRUE((*store)->checkpoint(copy));
  }
  fs::rename(path_, directory_.file("old"));
  std::vector<fs::path> tables;
  for (const auto& file : fs::directory_iterator(copy)) {
    if (file.path().extension() == ".sst") tables.push_back(file.path());
  }
  ASSERT_FALSE(tables.empty());
  for (const bool lost : {false, true}) {  // cut in the middle of a file, then without it
    fs::resize_file(tables.front(), fs::file_size(tables.front()) / 2);
    if (lost) fs::remove(tables.front());
    const auto refused = restore_store(copy, path_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage_corrupt) << describe(refused.error());
    EXPECT_NE(refused.error().message.find("nothing was changed"), std::string::npos);
    EXPECT_FALSE(fs::exists(path_));
    EXPECT_FALSE(fs::exists(path_ + ".restoring"));
    EXPECT_TRUE(fs::exists(anchor_path(path_))) << "the anchor stays where it was";
  }
}

TEST_F(Offline, ARestoreOfNothingIsNotFound) {
  EXPECT_EQ(restore_store(directory_.file("nothing"), directory_.file("new")).error().code,
            ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(directory_.file("new")));
}

TEST_F(Offline, CompactingKeepsEverything) {
  trim(60, 60);
  ASSERT_TRUE((*OfflineStore::open_to_change(path_))->compact());
  EXPECT_TRUE(verify().good());
}

}  // namespace
}  // namespace zonesync::test
