// Disks that fail and disks that are full, under the hub's log.
#include <random>

#include <rocksdb/env.h>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/testing/faulty_rocksdb_files.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using rocksdb_store::FaultyRocksDbFiles;
using Fault = FaultyRocksDbFiles::Fault;

class RocksDbFaults : public ::testing::Test {
 protected:
  RocksDbFaults() {
    options_.create = true;
    options_.reserve_bytes = 0;
    options_.env = env_.get();
  }
  std::unique_ptr<RocksDbChangeLog> open() {
    auto log = RocksDbChangeLog::open(path_, options_);
    if (!log) ADD_FAILURE() << describe(log.error());
    return log ? std::move(*log) : nullptr;
  }

  std::shared_ptr<FaultyRocksDbFiles> files_ = std::make_shared<FaultyRocksDbFiles>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  TempDir directory_;
  std::string path_ = directory_.file("log");
  RocksDbOptions options_;
};

// Acked = there after a restart; refused before a byte was written = not there. Of the one segment
// whose sync failed nobody can know, so that the log stops.
TEST_F(RocksDbFaults, FailureAtEveryStepStopsTheLogAndLosesNothingAcked) {
  for (const Fault fault :
       {Fault::write_error, Fault::short_write, Fault::no_space, Fault::sync_error}) {
    for (const std::uint64_t step : {1u, 2u, 3u, 7u, 12u}) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at step " +
                   std::to_string(step));
      auto log = open();
      const Revision before = log->state().head;
      files_->fail_at(step, fault);
      Revision acked = before;
      Status failed;
      for (int i = 0; i < 20 && failed; ++i) {
        failed = append(*log, {{put("a", std::to_string(i))}});
        if (failed) acked = acked.next();
      }
      ASSERT_FALSE(failed) << "the fault was not met";
      EXPECT_EQ(failed.error().code, ErrorCode::storage_io);
      EXPECT_EQ(log->state().head, acked) << "readers see only what is durable";
      files_->heal();
      EXPECT_EQ(append(*log, {{put("b", "x")}}).error().code, ErrorCode::storage_io)
          << "stopped until it is reopened, also when the disk seems to work again";
      log.reset();
      log = open();
      EXPECT_EQ(log->report().lineage, Lineage::follows) << log->report().text;
      EXPECT_GE(log->state().head, acked);
      EXPECT_LE(log->state().head.value, acked.value + (fault == Fault::sync_error ? 1 : 0));
      EXPECT_FALSE(*log->latest(key("b")));
      EXPECT_EQ(log->digests().digests, recompute(*log));
    }
  }
}

TEST_F(RocksDbFaults, TrimmingThatFailsIsContinuedAfterARestart) {
  for (std::uint64_t step = 1; step <= 6; ++step) {
    auto log = open();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(*log, {{put("a", std::to_string(i))}}));
    const std::uint64_t head = log->state().head.value;
    files_->fail_at(step, Fault::write_error);
    TrimRequest request{Revision{head}, Revision{0}, 3};
    Result<TrimProgress> progress = TrimProgress{};
    while (progress && !progress->done) progress = log->trim(request);
    files_->heal();
    log.reset();
    log = open();
    EXPECT_EQ(log->digests().digests, recompute(*log));
    request.max_visited = 1'000;
    ASSERT_TRUE(log->trim(request)->done);
    EXPECT_EQ(scan_all(*log).size(), 1u);
  }
}

// Floors of a type and a mark of the second range are written like everything else: whole or not.
TEST_F(RocksDbFaults, AFailureWithTheSecondRangeLosesNothingAndTearsNothing) {
  options_.aside = [](const Class& cls) { return cls.type == "DataplaneInsight"; };
  const ResourceKey insight = key("i", "DataplaneInsight", "east");
  for (const Fault fault : {Fault::write_error, Fault::no_space, Fault::sync_error}) {
    for (std::uint64_t step = 1; step <= 6; ++step) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at step " +
                   std::to_string(step));
      auto log = open();
      std::uint64_t acked = log->state().head.value;
      files_->fail_at(step, fault);
      for (int i = 0; i < 4; ++i) {
        if (append(*log, {{upsert(insight, std::to_string(i)), put("a", std::to_string(i))}})) {
          ++acked;
        }
      }
      TrimRequest request;
      request.type_floors["DataplaneInsight"] = request.tombstone_floor = log->state().head;
      request.max_visited = 3;
      Result<TrimProgress> progress = TrimProgress{};
      while (progress && !progress->done) progress = log->trim(request);
      files_->heal();
      log.reset();
      log = open();
      EXPECT_GE(log->state().head.value, acked);
      EXPECT_EQ(log->digests().digests, recompute(*log));
      request.type_floors["DataplaneInsight"] = request.tombstone_floor = log->state().head;
      request.max_visited = 1'000;
      ASSERT_TRUE(log->trim(request)->done);
      EXPECT_EQ(log->history(insight, 100)->size(), std::min<std::uint64_t>(acked, 1));
      EXPECT_EQ(log->history(key("a"), 1'000)->size(), log->state().head.value);
    }
  }
}

TEST_F(RocksDbFaults, ACompletelyFullDiskStillStarts) {
  options_.ballast_bytes = 8u << 20;
  std::uint64_t acked = 0;
  std::mt19937 random(7);  // bytes that do not compress
  {
    const auto log = open();
    log->housekeep();
    ASSERT_TRUE(rocksdb_store::has_ballast(path_, env_.get()));
    for (; acked < 32; ++acked) {
      std::string payload(64u << 10, 'x');
      for (char& byte : payload) byte = static_cast<char>(random());
      ASSERT_TRUE(append(*log, {{put("n" + std::to_string(acked), payload)}}));
    }
    files_->set_free(0);
    EXPECT_FALSE(append(*log, {{put("late", "x")}}));
  }
  options_.reserve_bytes = 1u << 30;
  {
    const auto log = open();
    ASSERT_TRUE(log);
    EXPECT_TRUE(log->report().ballast_used);
    EXPECT_NE(log->report().text.find("the disk is full"), std::string::npos);
    EXPECT_EQ(log->state().head, Revision{acked});
    EXPECT_EQ(scan_all(*log).size(), acked) << "reading goes on";
    EXPECT_EQ(append(*log, {{put("late", "x")}}).error().code, ErrorCode::resource_exhausted);
    log->housekeep();
    EXPECT_FALSE(rocksdb_store::has_ballast(path_, env_.get())) << "no room for it";
    files_->set_free(std::uint64_t{2} << 30);
    EXPECT_TRUE(append(*log, {{put("late", "x")}})) << "recovers by itself";
    log->housekeep();
    EXPECT_TRUE(rocksdb_store::has_ballast(path_, env_.get()));
  }
}

}  // namespace
}  // namespace zonesync::test
