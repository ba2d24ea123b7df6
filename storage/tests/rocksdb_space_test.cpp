// A log on a disk that is full or fills up: refused clearly, nothing stopped, and on again when
// there is space.
#include <random>

#include <rocksdb/env.h>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/testing/faulty_rocksdb_files.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using rocksdb_store::FaultyRocksDbFiles;
using Fault = FaultyRocksDbFiles::Fault;
namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1u << 20;

class RocksDbSpace : public ::testing::Test {
 protected:
  RocksDbSpace() {
    options_.create = true;
    options_.reserve_bytes = 16 * kMiB;
    options_.env = env_.get();
  }
  std::unique_ptr<RocksDbChangeLog> open() {
    auto log = RocksDbChangeLog::open(path_, options_);
    if (!log) ADD_FAILURE() << describe(log.error());
    return log ? std::move(*log) : nullptr;
  }
  /// 64 KiB that do not compress.
  std::string noise() {
    std::string payload(64u << 10, 'x');
    for (char& byte : payload) byte = static_cast<char>(random_());
    return payload;
  }
  void write(RocksDbChangeLog& log, std::uint64_t mib) {
    for (std::uint64_t i = 0; i < mib * 16; ++i) {
      ASSERT_TRUE(append(log, {{put("n" + std::to_string(i), noise())}}));
    }
  }
  /// Appends until one is refused.
  Status fill(RocksDbChangeLog& log) {
    for (int i = 0; i < 4'000; ++i) {
      if (Status status = append(log, {{put("f" + std::to_string(i), noise())}}); !status) {
        return status;
      }
    }
    return {};
  }
  void expect_nothing_at(const std::string& copy) {
    for (const auto& item : fs::directory_iterator(fs::path(copy).parent_path())) {
      EXPECT_FALSE(item.path().string().starts_with(copy)) << item.path() << " is left";
    }
  }
  void expect_good(const RocksDbChangeLog& log) {
    EXPECT_EQ(log.report().lineage, Lineage::follows) << log.report().text;
    EXPECT_EQ(log.digests().digests, recompute(log));
  }

  std::mt19937 random_{7};
  std::shared_ptr<FaultyRocksDbFiles> files_ = std::make_shared<FaultyRocksDbFiles>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  TempDir directory_;
  std::string path_ = directory_.file("log");
  std::string copy_ = directory_.file("copy");
  RocksDbOptions options_;
};

TEST_F(RocksDbSpace, ACheckpointOnAFullDiskIsRefusedAndWritingGoesOnWhenSpaceReturns) {
  const auto log = open();
  write(*log, 4);
  for (const std::uint64_t free : {std::uint64_t{0}, kMiB, 18 * kMiB}) {
    files_->set_free(free);
    const Status refused = log->checkpoint(copy_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_NE(refused.error().message.find("the disk is too full for a checkpoint"),
              std::string::npos)
        << refused.error().message;
    expect_nothing_at(copy_);
    files_->set_free(256 * kMiB);
    EXPECT_TRUE(append(*log, {{put("after", std::to_string(free))}})) << "no restart is needed";
  }
  EXPECT_TRUE(log->checkpoint(copy_));
}

TEST_F(RocksDbSpace, ACheckpointThatFindsNoSpaceHalfWayLeavesNothingAndStopsNothing) {
  auto log = open();
  unsigned failed = 0;
  for (const std::uint64_t step : {1u, 2u, 4u, 7u}) {  // RocksDB waits a second after each
    SCOPED_TRACE("step " + std::to_string(step));
    write(*log, 1);
    files_->fail_at(step, Fault::no_space);
    const Status made = log->checkpoint(copy_);
    files_->heal();
    if (made) {
      fs::remove_all(copy_);
      fs::remove(copy_ + ".anchor");
    } else {
      ++failed;
      EXPECT_EQ(made.error().code, ErrorCode::resource_exhausted) << describe(made.error());
      expect_nothing_at(copy_);
    }
    const Status written = append(*log, {{put("after", std::to_string(step))}});
    ASSERT_TRUE(written) << describe(written.error());
  }
  EXPECT_GE(failed, 2u) << "the faults were met";
  log.reset();
  log = open();
  expect_good(*log);
}

TEST_F(RocksDbSpace, ACheckpointOnAnotherDiskAsksThatOneToo) {
  const std::string other = "/dev/shm/" + fs::path(path_).parent_path().filename().string();
  const auto log = open();
  write(*log, 4);
  files_->set_free(1'000 * kMiB);
  if (!fs::create_directory(other)) GTEST_SKIP() << "no second file system here";
  if (fs::space(other).capacity == fs::space(directory_.file("")).capacity) {
    fs::remove_all(other);
    GTEST_SKIP() << "no second file system here";
  }
  files_->set_free_at(other, 3 * kMiB);
  const Status refused = log->checkpoint(other + "/copy");
  files_->set_free_at(other, 30 * kMiB);
  const Status made = log->checkpoint(other + "/copy");
  fs::remove_all(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(refused.error().field, other) << "which disk";
  EXPECT_TRUE(made) << describe(made.error());
}

TEST_F(RocksDbSpace, TrimmingPausesOnAFullDiskAndMayUseTheReserve) {
  const auto log = open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append(*log, {{put("a", std::to_string(i))}}));
  const TrimRequest request{Revision{60}, Revision{0}, 1'000};
  files_->set_free(512u << 10);
  const auto paused = log->trim(request);
  ASSERT_FALSE(paused);
  EXPECT_EQ(paused.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(log->declare_complete().error().code, ErrorCode::resource_exhausted);
  files_->set_free(4 * kMiB);
  EXPECT_EQ(append(*log, {{put("a", "x")}}).error().code, ErrorCode::resource_exhausted);
  const auto done = log->trim(request);
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_TRUE(done->done);
  EXPECT_TRUE(log->declare_complete());
  files_->set_free(64 * kMiB);
  EXPECT_TRUE(append(*log, {{put("a", "x")}})) << "the log did not stop";
}

// What memory holds becomes table files: users' writes end while those still fit.
TEST_F(RocksDbSpace, WritesEndWhileWhatMemoryHoldsStillFitsOnTheDisk) {
  options_.reserve_bytes = 2 * kMiB;
  const std::string base = path_;
  for (const std::uint64_t free : {20 * kMiB, 45 * kMiB, 62 * kMiB}) {
    SCOPED_TRACE(free);
    path_ = base + std::to_string(free);
    auto log = open();
    files_->set_free(free);
    const Status refused = fill(*log);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted) << describe(refused.error());
    if (const Status made = log->checkpoint(copy_ + std::to_string(free)); !made) {
      EXPECT_EQ(made.error().code, ErrorCode::resource_exhausted) << describe(made.error());
    }
    EXPECT_EQ(files_->met_the_end(), 0u) << "no write and no flush found the disk full";
    files_->set_free(kMiB);
    EXPECT_TRUE(log->space().refusing);
    files_->set_free(free);
    EXPECT_FALSE(log->space().refusing);
    EXPECT_TRUE(append(*log, {{put("after", std::to_string(free))}}));
    log.reset();
    files_->set_unbounded();
    log = open();
    expect_good(*log);
  }
}

TEST_F(RocksDbSpace, AFlushThatFindsNoSpaceIsDoneLaterAndLosesNothing) {
  auto log = open();
  files_->set_tables_full(true);
  const Status refused = fill(*log);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted) << describe(refused.error());
  EXPECT_TRUE(log->space().refusing);
  const LogState before = log->state();
  EXPECT_EQ(scan_all(*log).size(), before.head.value) << "reading goes on";
  log->housekeep();  // tries again, in vain
  EXPECT_FALSE(append(*log, {{put("again", "x")}}));
  files_->set_tables_full(false);
  EXPECT_TRUE(append(*log, {{put("after", "x")}})) << "no restart is needed";
  EXPECT_FALSE(log->space().refusing);
  files_->set_tables_full(true);
  ASSERT_FALSE(fill(*log));
  files_->set_tables_full(false);
  log->housekeep();
  EXPECT_FALSE(log->space().refusing) << "upkeep notices it without a write";
  const Revision head = log->state().head;
  log.reset();
  log = open();
  EXPECT_EQ(log->state().head, head);
  expect_good(*log);
}

TEST_F(RocksDbSpace, ACompactionThatFindsNoSpaceStopsNoWriting) {
  using namespace rocksdb_store;
  auto database = Database::open(path_, true, env_.get());
  ASSERT_TRUE(database);
  const auto put_one = [&](const std::string& name) {
    rocksdb::WriteBatch batch;
    (*database)->put(batch, Family::log, name, noise());
    return (*database)->write(batch, true);
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(put_one("a" + std::to_string(i)));
    ASSERT_TRUE((*database)->flush());
  }
  files_->set_tables_full(true);
  EXPECT_EQ((*database)->compact().error().code, ErrorCode::resource_exhausted);
  EXPECT_FALSE((*database)->starved());
  EXPECT_TRUE(put_one("b"));
  files_->set_tables_full(false);
  EXPECT_TRUE((*database)->flush());
  EXPECT_TRUE(put_one("c"));
}

TEST_F(RocksDbSpace, ReencryptionPausesOnAFullDiskAndGoesOn) {
  options_.sealing.key = *sealing::generate_master_key();
  options_.sealing.sensitive = [](std::string_view) { return true; };
  {
    const auto log = open();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(*log, {{put("s", std::to_string(i))}}));
  }
  const auto next = *sealing::generate_master_key();
  {
    auto store = OfflineStore::open_to_change(path_, env_.get(), options_.sealing.key);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->rekey(*next));
  }
  options_.sealing.key = next;
  const auto log = open();
  files_->set_free(512u << 10);
  log->housekeep();
  EXPECT_TRUE(log->space().resealing_waits);
  files_->set_free(64 * kMiB);
  log->housekeep();
  EXPECT_FALSE(log->space().resealing_waits);
  EXPECT_TRUE(append(*log, {{put("s", "after")}}));
  log->housekeep();
  files_->set_free(0);
  log->housekeep();
  EXPECT_FALSE(log->space().resealing_waits) << "it was done";
}

TEST_F(RocksDbSpace, ABallastWithoutRoomIsSaid) {
  options_.ballast_bytes = 8 * kMiB;
  const auto log = open();
  files_->set_free(20 * kMiB);
  log->housekeep();
  const StoreSpace lacking = log->space();
  EXPECT_TRUE(lacking.ballast_waits);
  EXPECT_EQ(lacking.ballast_needs_bytes, 32 * kMiB);
  EXPECT_EQ(lacking.free_bytes, 20 * kMiB);
  EXPECT_FALSE(lacking.refusing);
  files_->set_free(64 * kMiB);
  log->housekeep();
  EXPECT_FALSE(log->space().ballast_waits);
}

}  // namespace
}  // namespace zonesync::test
