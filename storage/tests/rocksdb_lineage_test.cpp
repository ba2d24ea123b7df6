// The lineage anchor: a log that lost its end, is an older copy or another log is never opened as
// if nothing had happened.
#include <fstream>

#include <rocksdb/env.h>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/tests/rocksdb_fixture.hpp"

namespace zonesync::test {
namespace {

namespace fs = std::filesystem;

class RocksDbLineage : public RocksDbFixture {
 protected:
  /// Appends revisions and closes; answers the cursor of whoever saw them all.
  Cursor write(int revisions) {
    const auto log = open();
    for (int i = 0; i < revisions; ++i) {
      EXPECT_TRUE(append(*log, {{put("n" + std::to_string(i), "x")}}));
    }
    return Cursor{log->state().current_era(), log->state().head, {}};
  }
  void expect_refused(const std::string& words) {
    const std::string text = refusal();
    EXPECT_NE(text.find(words), std::string::npos) << text;
  }
  void remove_wal() {
    for (const auto& file : fs::directory_iterator(path_)) {
      if (file.path().extension() == ".log") fs::remove(file.path());
    }
  }
};

TEST_F(RocksDbLineage, AGoodLogOpensWithoutAWord) {
  write(3);
  const auto log = open();
  EXPECT_TRUE(log->report().anchored);
  EXPECT_EQ(log->report().lineage, Lineage::follows);
  EXPECT_EQ(log->report().anchor_head, Revision{3});
  EXPECT_EQ(log->report().text, "");
  EXPECT_TRUE(log->state().complete);
}

TEST_F(RocksDbLineage, ADeletedWriteAheadLogIsSaidAndOpensANewEra) {
  const Cursor seen = write(5);
  remove_wal();
  const auto log = open();
  ASSERT_TRUE(log);
  const OpenReport& report = log->report();
  EXPECT_EQ(report.lineage, Lineage::rewound);
  EXPECT_EQ(report.lost_revisions, 5 - log->state().head.value);
  EXPECT_GT(report.lost_revisions, 0u);
  EXPECT_NE(report.text.find("revision 5 was durable"), std::string::npos) << report.text;
  EXPECT_FALSE(log->state().complete) << "what was lost is not deleted";
  EXPECT_EQ(log->state().eras.back().start, log->state().head);
  EXPECT_NE(judge_cursor(log->state(), seen), CursorVerdict::valid);
}

TEST_F(RocksDbLineage, ALossIsSaidAtEveryStartUntilTheLogIsDeclaredComplete) {
  write(5);
  remove_wal();
  const Revision found = open()->state().head;
  for (int start = 0; start < 2; ++start) {
    const std::string text = open()->report().text;
    EXPECT_NE(text.find("found at an earlier start"), std::string::npos) << text;
    EXPECT_NE(text.find("revision 5 was durable"), std::string::npos) << text;
    EXPECT_NE(text.find("store complete"), std::string::npos) << text;
  }
  const LossRecord loss{Lineage::rewound, found, Revision{5}};
  EXPECT_EQ((*OfflineStore::open(path_))->info()->loss, loss);
  ASSERT_TRUE(open()->declare_complete());
  EXPECT_EQ(open()->report().text, "");
  EXPECT_FALSE((*OfflineStore::open(path_))->info()->loss);
}

TEST_F(RocksDbLineage, AnOlderCopyIsRewound) {
  write(2);
  fs::copy(path_, directory_.file("copy"), fs::copy_options::recursive);
  const Cursor seen = write(4);
  fs::remove_all(path_);
  fs::rename(directory_.file("copy"), path_);
  const auto log = open();
  EXPECT_EQ(log->report().lineage, Lineage::rewound);
  EXPECT_EQ(log->report().lost_revisions, 4u);
  EXPECT_EQ(judge_cursor(log->state(), seen), CursorVerdict::unknown_era);
}

TEST_F(RocksDbLineage, AnOlderCopyThatWasWrittenToSinceIsDiverged) {
  write(2);
  fs::copy(path_, directory_.file("copy"), fs::copy_options::recursive);
  write(2);
  const std::string anchor = rocksdb_store::anchor_path(path_);
  fs::rename(anchor, directory_.file("kept"));
  fs::remove_all(path_);
  fs::rename(directory_.file("copy"), path_);
  write(9);  // without its anchor
  fs::rename(directory_.file("kept"), anchor);
  const auto log = open();
  EXPECT_EQ(log->report().lineage, Lineage::diverged);
  EXPECT_FALSE(log->state().complete);
  EXPECT_NE(log->report().text.find("history differs"), std::string::npos);
}

TEST_F(RocksDbLineage, AnotherLogIsRefused) {
  write(2);
  fs::remove_all(path_);
  options_.create = true;
  expect_refused("is gone; put it back");
  EXPECT_FALSE(fs::exists(path_)) << "a refusal makes nothing";
  const std::string other = directory_.file("other");
  { ASSERT_TRUE(RocksDbChangeLog::open(other, options_)); }
  fs::rename(other, path_);
  expect_refused("this is another log");
  fs::remove(rocksdb_store::anchor_path(path_));
  EXPECT_TRUE(open()) << "as the text says";
}

TEST_F(RocksDbLineage, ADamagedAnchorIsRefusedByName) {
  write(1);
  std::ofstream(rocksdb_store::anchor_path(path_), std::ios::app) << "x";
  expect_refused("the lineage anchor is damaged");
}

TEST_F(RocksDbLineage, AMissingAnchorIsMadeAgain) {
  write(1);
  fs::remove(rocksdb_store::anchor_path(path_));
  {
    const auto log = open();
    EXPECT_FALSE(log->report().anchored);
    EXPECT_NE(log->report().text.find("there was no lineage anchor"), std::string::npos);
  }
  EXPECT_TRUE(open()->report().anchored);
}

TEST_F(RocksDbLineage, ABusyLogIsAnchoredWhileItRuns) {
  options_.sync = false;
  const auto log = open();
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(append(*log, {{put("a", std::to_string(i))}}));
  const auto anchor = rocksdb_store::read_anchor(path_, nullptr);
  ASSERT_TRUE(anchor && *anchor);
  EXPECT_GT((*anchor)->head, Revision{0});
  EXPECT_LE((*anchor)->head, log->state().head);
}

TEST_F(RocksDbLineage, TrimmingKeepsTheAnchorComparable) {
  {
    const auto log = open();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(*log, {{put("a", std::to_string(i))}}));
    ASSERT_TRUE(log->trim(TrimRequest{Revision{20}, Revision{0}}));
  }
  EXPECT_EQ(open()->report().text, "");
}

TEST_F(RocksDbLineage, TheBallastIsMadeKeptAndGivenUp) {
  options_.ballast_bytes = 1u << 20;
  {
    const auto log = open();
    EXPECT_FALSE(rocksdb_store::has_ballast(path_, nullptr));
    log->housekeep();
    EXPECT_EQ(fs::file_size(path_ + "/ballast"), 1u << 20);
  }
  open();
  EXPECT_TRUE(rocksdb_store::has_ballast(path_, nullptr)) << "the database leaves it alone";
  EXPECT_TRUE(rocksdb_store::drop_ballast(path_, nullptr));
  EXPECT_FALSE(rocksdb_store::drop_ballast(path_, nullptr));
}

TEST(LineageAnchor, DamageOfAnyByteIsRecognised) {
  LineageAnchor anchor{random_id(), Revision{7}, EraId{random_id()}, hash_bytes("x")};
  const std::string bytes = encode_anchor(anchor);
  EXPECT_EQ(decode_anchor(bytes), anchor);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_anchor(damaged)) << i;
    EXPECT_FALSE(decode_anchor(bytes.substr(0, i)));
  }
}

}  // namespace
}  // namespace zonesync::test
