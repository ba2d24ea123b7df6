// What only the journal has: files and their modes, locks, damage, torn tails, compaction.
#include <fstream>

#include "storage/journal/journal_store.hpp"
#include "storage/journal/testing/faulty_file_system.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using journal::FaultyFileSystem;
namespace fs = std::filesystem;

TEST(JournalStore, FilesArePrivate) {
  const TempDir directory;
  const std::string path = directory.file("store");
  const auto store = JournalStore::open(path, {});
  ASSERT_TRUE(store) << describe(store.error());
  const auto others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(path).permissions() & others, fs::perms::none);
  for (const char* name : {"/lock", "/replica.journal", "/outbox.journal"}) {
    EXPECT_EQ(fs::status(path + name).permissions() & others, fs::perms::none) << name;
  }
}

TEST(JournalStore, SecondOpenIsRefusedAndTheFirstGoesOn) {
  const TempDir directory;
  const auto first = JournalStore::open(directory.file("store"), {});
  ASSERT_TRUE(first);
  const auto second = JournalStore::open(directory.file("store"), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(append((*first)->outbox(), {{put("a", "1")}}));
}

TEST(JournalStore, MissingParentIsNotFound) {
  const TempDir directory;
  const auto store = JournalStore::open(directory.file("no/such"), {});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::not_found);
}

class JournalFiles : public ::testing::Test {
 protected:
  [[nodiscard]] Result<std::unique_ptr<JournalStore>> open() {
    JournalStoreOptions options;
    options.files = &files_;
    options.compact_min_bytes = compact_min_bytes_;
    return JournalStore::open("store", options);
  }
  // Appends `count` segments in a store of their own and returns the file's content.
  std::string& outbox_with(int count) {
    auto store = open();
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(append((*store)->outbox(), {{put("n" + std::to_string(i), "payload")}}));
    }
    return files_.content("store/outbox.journal");
  }
  void expect_corrupt() {
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::storage_corrupt) << describe(store.error());
    EXPECT_NE(store.error().message.find("offset"), std::string::npos) << store.error().message;
    EXPECT_NE(store.error().field.find("outbox.journal"), std::string::npos);
  }

  FaultyFileSystem files_;
  std::uint64_t compact_min_bytes_ = 4u << 20;
};

TEST_F(JournalFiles, CreatedCompleteStaysComplete) {
  JournalStoreOptions options;
  options.files = &files_;
  options.created_complete = true;
  EXPECT_TRUE((*JournalStore::open("store", options))->outbox().state().complete);
  EXPECT_TRUE((*open())->outbox().state().complete);
}

TEST_F(JournalFiles, TornTailIsCutAtEveryLength) {
  const std::string whole = outbox_with(2);
  const std::string shorter = whole.substr(0, whole.size());
  std::size_t previous_heads = 0;
  for (std::size_t cut = 1; cut < 120; ++cut) {
    files_.content("store/outbox.journal") = shorter.substr(0, shorter.size() - cut);
    const auto store = open();
    ASSERT_TRUE(store) << cut << ": " << describe(store.error());
    const std::uint64_t head = (*store)->outbox().state().head.value;
    ASSERT_LE(head, 1u) << "the last segment lost bytes";
    previous_heads += head;
    ASSERT_TRUE(append((*store)->outbox(), {{put("again", "x")}}));
  }
  EXPECT_GT(previous_heads, 0u);
}

TEST_F(JournalFiles, DamageInTheMiddleIsCorrupt) {
  std::string& bytes = outbox_with(5);
  const std::string whole = bytes;
  for (std::size_t at = 0; at < whole.size() - 300; at += 7) {
    bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    ASSERT_NO_FATAL_FAILURE(expect_corrupt()) << at;
  }
}

TEST_F(JournalFiles, DamageInTheLastGroupIsATornTail) {
  std::string& bytes = outbox_with(2);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  const auto store = open();
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_EQ((*store)->outbox().state().head, Revision{1});
}

// Pages reach the disk in any order: the end of a group may be there without its beginning.
TEST_F(JournalFiles, UnsyncedGroupWithoutItsBeginningIsATornTail) {
  const std::size_t durable = outbox_with(1).size();
  auto store = open();
  ASSERT_TRUE(append((*store)->outbox(), {{put("a", "1"), put("b", "2"), put("c", "3")}}));
  (*store).reset();
  std::string& bytes = files_.content("store/outbox.journal");
  const std::size_t era_record = journal::kRecordHeaderBytes + 24;  // of the second open
  bytes[durable + era_record + 10] = '!';
  store = open();
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_EQ((*store)->outbox().state().head, Revision{1});
}

TEST_F(JournalFiles, EmptyAndForeignFilesAreCorrupt) {
  std::string& bytes = outbox_with(1);
  for (const std::string& content : {std::string(), std::string("not a journal at all")}) {
    bytes = content;
    expect_corrupt();
  }
  bytes = files_.content("store/replica.journal");
  expect_corrupt();
}

TEST_F(JournalFiles, CompactionKeepsTheNewestOfEveryKeyAndRaisesTheFloor) {
  compact_min_bytes_ = 2'000;
  auto store = open();
  ChangeLog& log = (*store)->outbox();
  ASSERT_TRUE(append(log, {{put("gone", "x"), put("quiet", "y")}, {leave(key("gone"))}}));
  ASSERT_TRUE(log.declare_complete());
  const EraId first_era = log.state().current_era();
  std::size_t largest = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(append(log, {{put("busy", "payload " + std::to_string(i))}}));
    largest = std::max(largest, files_.content("store/outbox.journal").size());
  }
  EXPECT_LT(largest, 6'000u) << "the file is bounded by its content";
  EXPECT_GT(log.state().trim_floor, Revision{2});
  (*store).reset();
  files_.crash();
  store = open();
  ASSERT_TRUE(store);
  ChangeLog& reopened = (*store)->outbox();
  EXPECT_EQ(reopened.state().head, Revision{202});
  EXPECT_TRUE(reopened.state().complete);
  EXPECT_EQ(judge_cursor(reopened.state(), Cursor{first_era, Revision{5}, {}}),
            CursorVerdict::valid);
  EXPECT_EQ((*reopened.latest(key("gone")))->kind, ChangeKind::leave) << "tombstones stay";
  EXPECT_EQ((*reopened.latest(key("quiet")))->position.revision, Revision{1});
  EXPECT_EQ(reopened.read((*reopened.latest(key("busy")))->position)->change.payload.view(),
            "payload 199");
  EXPECT_EQ(reopened.digests().digests, recompute(reopened));
}

TEST_F(JournalFiles, ReplicaFileIsBoundedByItsContent) {
  compact_min_bytes_ = 2'000;
  auto store = open();
  std::size_t largest = 0;
  for (std::uint64_t i = 1; i < 300; ++i) {
    ReplicaBatch batch;
    batch.upserts.push_back(ReplicaUpsert{Revision{i}, put("busy", "payload"), {}});
    batch.cursor.revision = Revision{i};
    ASSERT_TRUE((*store)->replica().commit(batch));
    largest = std::max(largest, files_.content("store/replica.journal").size());
  }
  EXPECT_LT(largest, 6'000u);
}

TEST_F(JournalFiles, FailedSyncStopsTheStoreAndAReopenHelps) {
  auto store = open();
  ChangeLog& log = (*store)->outbox();
  files_.set_fault({.at_step = files_.steps() + 2});  // write, then sync
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::storage_io);
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::storage_io) << "fail-stop";
  EXPECT_EQ(log.state().head, Revision{0});
  EXPECT_FALSE(*log.latest(key("a")));
  (*store).reset();
  files_.crash();
  store = open();
  EXPECT_TRUE(append((*store)->outbox(), {{put("a", "1")}}));
}

TEST_F(JournalFiles, FullDiskIsRefusedCleanlyAndGoesOnLater) {
  auto store = open();
  files_.set_fault({.at_step = files_.steps() + 1, .code = ErrorCode::resource_exhausted});
  ChangeLog& log = (*store)->outbox();
  EXPECT_EQ(append(log, {{put("a", "1")}}).error().code, ErrorCode::resource_exhausted);
  ASSERT_TRUE(append(log, {{put("b", "2")}}));
  (*store).reset();
  files_.crash();
  store = open();
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_EQ(scan_all((*store)->outbox()).size(), 1u);
}

TEST_F(JournalFiles, FullDiskDuringACompactionLosesNothing) {
  compact_min_bytes_ = 500;
  auto store = open();
  ChangeLog& log = (*store)->outbox();
  files_.set_fault({.at_step = files_.steps() + 1,
                    .code = ErrorCode::resource_exhausted,
                    .dead_afterwards = false});
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    files_.set_fault({.at_step = files_.steps() + 4, .code = ErrorCode::resource_exhausted});
    if (!append(log, {{put("busy", std::to_string(i))}})) ++refused;
  }
  EXPECT_EQ(refused, 0) << "appends take two steps; only compactions meet the fault";
  (*store).reset();
  files_.crash();
  store = open();
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_EQ((*store)->outbox().state().head, Revision{60});
}

TEST_F(JournalFiles, RecordOverTheLimitIsTooLargeAndStopsNothing) {
  auto store = open();
  const std::string huge(journal::kRecordMaxBytes, 'x');
  EXPECT_EQ(append((*store)->outbox(), {{put("a", "1"), put("b", huge)}}).error().code,
            ErrorCode::too_large);
  EXPECT_TRUE(append((*store)->outbox(), {{put("a", "1")}}));
}

}  // namespace
}  // namespace zonesync::test
