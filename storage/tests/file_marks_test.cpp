// The marks of RocksDB's own files: a MANIFEST or a write-ahead log that lost its end, which
// RocksDB takes for a torn one and goes on, is refused by name or costs a verification, never a
// silent gap.
#include "storage/rocksdb/file_marks.hpp"

#include <fstream>
#include <map>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/store_lock.hpp"
#include "storage/tests/rocksdb_fixture.hpp"

namespace zonesync::test {
namespace {

using namespace rocksdb_store;
namespace fs = std::filesystem;

class RocksDbFileMarks : public RocksDbFixture {
 protected:
  /// Two openings: a close leaves what kill -9 leaves, so that the second MANIFEST names the tables
  /// that its recovery made of the first write-ahead log, which is gone.
  void write_twice() {
    for (const char* name : {"a", "b"}) ASSERT_TRUE(append(*open(), {{put(name, "x")}}));
  }
  /// Above one memtable: a closed write-ahead log is still needed by the smaller families.
  void write_two_logs() {
    options_.sync = false;
    const auto log = open();
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(append(*log, {{put("big", std::string(1u << 20, static_cast<char>('a' + i)))}}));
    }
  }
  std::string newest(const std::string& start, const std::string& end) {
    std::string found;
    for (const auto& file : fs::directory_iterator(path_)) {
      const std::string name = file.path().filename().string();
      if (name.starts_with(start) && name.ends_with(end)) found = std::max(found, name);
    }
    return found;
  }
  std::string oldest_log() {
    std::string found = "~";
    for (const auto& file : fs::directory_iterator(path_)) {
      const std::string name = file.path().filename().string();
      if (name.ends_with(".log")) found = std::min(found, name);
    }
    return found;
  }
  void cut(const std::string& name, std::uintmax_t bytes) {
    const std::string file = path_ + "/" + name;
    fs::resize_file(file, fs::file_size(file) - bytes);
  }
  void flip(const std::string& name, std::streamoff from_end) {
    std::fstream file(path_ + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    char byte = 0;
    file.seekg(-from_end, std::ios::end).get(byte);
    file.seekp(-from_end, std::ios::end).put(static_cast<char>(byte ^ 1));
  }
  /// Name to size and time of every file.
  using Files = std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>>;
  static Files files_in(const std::string& folder) {
    Files found;
    std::error_code gone;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (!file.is_regular_file(gone)) continue;
      found[file.path().string()] = {file.file_size(gone), file.last_write_time(gone)};
    }
    return found;
  }
  Files files() { return files_in(directory_.file("")); }
  std::vector<fs::path> tables() {
    std::vector<fs::path> found;
    for (const auto& file : fs::directory_iterator(path_)) {
      if (file.path().extension() == ".sst") found.push_back(file.path());
    }
    return found;
  }
  bool names_one_of(const std::vector<fs::path>& tables) {
    const std::string text = refusal();
    const bool named = std::any_of(tables.begin(), tables.end(), [&](const fs::path& table) {
      return text.find(table.filename().string()) != std::string::npos;
    });
    const bool whole = named && text.find(".ldb") == std::string::npos &&
                       text.find("restore a checkpoint") != std::string::npos;
    EXPECT_TRUE(whole) << text;
    return whole;
  }
};

TEST_F(RocksDbFileMarks, AManifestThatLostItsLastByteIsRefusedByName) {
  write_twice();
  const std::string manifest = newest("MANIFEST-", "");
  cut(manifest, 1);
  const std::string text = refusal();
  EXPECT_NE(text.find(manifest + " has "), std::string::npos) << text;
  EXPECT_NE(text.find("store restore"), std::string::npos) << text;
  const auto before = files();
  EXPECT_FALSE(OfflineStore::open(path_));
  EXPECT_FALSE(OfflineStore::open_to_change(path_));
  EXPECT_EQ(files(), before) << "a refusal changes nothing";
}

TEST_F(RocksDbFileMarks, AFlippedBitInTheLastRecordsOfTheManifestIsRefusedByName) {
  write_twice();
  const std::string manifest = newest("MANIFEST-", "");
  for (const std::streamoff from_end : {1, 5, 17, 40, 60}) {
    flip(manifest, from_end);
    const std::string text = refusal();
    EXPECT_NE(text.find(manifest + " is not what was written"), std::string::npos) << text;
    flip(manifest, from_end);
  }
  EXPECT_TRUE(open()) << "and opens when it is as it was";
}

TEST_F(RocksDbFileMarks, WithoutMarksTheWholeStoreIsVerifiedBeforeItOpens) {
  write_twice();
  fs::remove(path_ + "/file.marks");
  {
    const auto log = open();
    ASSERT_TRUE(log);
    EXPECT_EQ(log->report().lineage, Lineage::follows);
    EXPECT_NE(log->report().text.find("verified, because it has no file.marks; it is sound"),
              std::string::npos)
        << log->report().text;
  }
  EXPECT_EQ(open()->report().text, "") << "the marks are there again";
}

TEST_F(RocksDbFileMarks, WithoutMarksALossIsFoundByVerifying) {
  write_two_logs();
  fs::remove(path_ + "/file.marks");
  fs::remove(path_ + "/" + oldest_log());
  for (int i = 0; i < 2; ++i) {  // nothing is tidied up by the first refusal
    const std::string text = refusal();
    EXPECT_NE(text.find("because it has no file.marks, and does not fit together"),
              std::string::npos)
        << text;
  }
}

TEST_F(RocksDbFileMarks, DamagedMarksCostAVerificationOnly) {
  write_twice();
  flip("file.marks", 3);
  EXPECT_NE(open()->report().text.find("its file.marks is damaged; it is sound"),
            std::string::npos);
}

TEST_F(RocksDbFileMarks, AClosedWriteAheadLogThatIsGoneIsRefused) {
  write_two_logs();
  const std::string log = oldest_log();
  ASSERT_NE(log, newest("", ".log")) << "two logs are needed";
  fs::rename(path_ + "/" + log, directory_.file("kept"));
  const std::string text = refusal();
  EXPECT_NE(text.find(log + " is gone, and what was written to it is in no table"),
            std::string::npos)
      << text;
  EXPECT_EQ(OfflineStore::open(path_).error().code, ErrorCode::storage_corrupt);
  fs::rename(directory_.file("kept"), path_ + "/" + log);
  EXPECT_TRUE(open()) << "as the text says";
}

TEST_F(RocksDbFileMarks, AClosedWriteAheadLogThatLostItsEndIsRefused) {
  write_two_logs();
  const std::string log = oldest_log();
  cut(log, (1u << 20) + 1'000);
  const std::string text = refusal();
  EXPECT_NE(text.find(log + " has "), std::string::npos) << text;
  EXPECT_FALSE(OfflineStore::open(path_)) << "RocksDB must not read on behind the damage";
}

// Trimming takes away what a walk could miss: the running hash ends at the floor, and a class that
// was not touched since is consistently old.
TEST_F(RocksDbFileMarks, AHoleBelowTheTrimFloorIsFound) {
  const ResourceKey lost = key("a", "MeshRetry");
  const std::string digest = digest_key(class_of_key(lost));
  const std::string latest = latest_key(log_rules::Slot{lost, {}});
  const auto get = [&](Family family, const std::string& stored_key) {
    return (*Database::open_to_look(path_, nullptr))->get(family, stored_key, nullptr)->value();
  };
  { ASSERT_TRUE(append(*open(), {{upsert(lost, "old")}, {put("b", "1")}})); }
  const std::string old_digest = get(Family::meta, digest);
  const std::string old_latest = get(Family::latest, latest);
  const std::string old_entry = get(Family::log, log_key(Position{Revision{1}, 0}));
  {
    const auto log = open();
    ASSERT_TRUE(append(*log, {{upsert(lost, "new")}}));
    ASSERT_TRUE(append(*log, {{put("b", "2")}}));
    ASSERT_TRUE(append(*log, {{put("b", "3")}}));
    TrimRequest request;
    request.floor = Revision{5};
    ASSERT_TRUE(log->trim(request)->done);
  }
  {
    const auto database = Database::open(path_, false, nullptr);
    rocksdb::WriteBatch hole;
    (*database)->put(hole, Family::meta, digest, old_digest);
    (*database)->put(hole, Family::latest, latest, old_latest);
    (*database)->put(hole, Family::log, log_key(Position{Revision{1}, 0}), old_entry);
    (*database)->erase(hole, Family::log, log_key(Position{Revision{3}, 0}));
    ASSERT_TRUE((*database)->write(hole, true));
  }
  const auto report = (*OfflineStore::open(path_))->verify();
  ASSERT_EQ(report->problems, 1u) << "nothing else sees it";
  EXPECT_NE(report->texts.front().find("older than the log's head"), std::string::npos);
  EXPECT_NE(refusal().find("older than the log's head"), std::string::npos) << refusal();
}

TEST_F(RocksDbFileMarks, LogsThatAreNeededNoMoreAreForgotten) {
  write_two_logs();
  open();  // recovery makes tables of all of them
  EXPECT_EQ(open()->report().text, "");
  std::ifstream file(path_ + "/file.marks", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto marks = decode_marks(bytes);
  ASSERT_TRUE(marks);
  EXPECT_TRUE(marks->logs.empty());
  EXPECT_LE(marks->manifests.size(), FileMarks::kManifestsMax);
}

TEST_F(RocksDbFileMarks, ACheckpointVouchesForItself) {
  const std::string copy = directory_.file("copy");
  {
    const auto log = open();
    ASSERT_TRUE(append(*log, {{put("a", "x")}}));
    ASSERT_TRUE(log->checkpoint(copy + "/"));
  }
  EXPECT_TRUE(check_marks(copy, nullptr)->vouches());
  EXPECT_TRUE(fs::exists(copy + ".anchor"));
}

TEST_F(RocksDbFileMarks, AStoreWhoseMakingWasInterruptedIsMadeAgain) {
  { open(); }
  fs::remove_all(path_);
  fs::remove(anchor_path(path_));
  { ASSERT_TRUE(Database::open(path_, true, nullptr)); }  // no format yet
  fs::remove(path_ + "/file.marks");
  EXPECT_TRUE(open());
}

TEST_F(RocksDbFileMarks, ALostCurrentIsNoEmptyDirectory) {
  write_twice();
  fs::remove(path_ + "/CURRENT");
  EXPECT_NE(refusal().find("CURRENT, which names"), std::string::npos) << refusal();
  EXPECT_EQ(OfflineStore::open(path_).error().code, ErrorCode::storage_corrupt);
  fs::remove(anchor_path(path_));  // nothing else knows that a log was here
  const auto before = files();
  EXPECT_NE(refusal().find("CURRENT, which names"), std::string::npos) << refusal();
  EXPECT_EQ(files(), before) << "no new log is made over it";
}

TEST_F(RocksDbFileMarks, ACurrentThatNamesNothingIsNamed) {
  write_twice();
  flip("CURRENT", 2);
  EXPECT_NE(refusal().find("CURRENT names MANIFEST-"), std::string::npos) << refusal();
}

TEST_F(RocksDbFileMarks, LookingChangesNothing) {
  write_twice();
  const auto before = files();
  {
    auto store = OfflineStore::open(path_);
    ASSERT_TRUE(store) << describe(store.error());
    EXPECT_EQ((*store)->info()->state.head, Revision{2});
    EXPECT_TRUE((*store)->verify()->good());
    EXPECT_TRUE((*store)->each_entry([](const LogEntry&, bool) { return true; }));
    EXPECT_FALSE((*store)->compact()) << "opened to look";
  }
  auto after = files();
  after.erase(path_ + ".lock");
  auto expected = before;
  expected.erase(path_ + ".lock");
  EXPECT_EQ(after, expected);
}

TEST_F(RocksDbFileMarks, AMissingTableIsNamedWithItsName) {
  write_twice();
  const auto lost = tables();
  for (const fs::path& table : lost) fs::remove(table);
  EXPECT_TRUE(names_one_of(lost));
}

TEST_F(RocksDbFileMarks, ATableThatLostItsEndIsNamed) {
  write_twice();
  for (const fs::path& table : tables()) cut(table.filename().string(), 5);
  EXPECT_TRUE(names_one_of(tables()));
  for (const fs::path& table : tables()) fs::resize_file(table, 3);
  EXPECT_TRUE(names_one_of(tables()));
}

TEST_F(RocksDbFileMarks, ADamagedWriteAheadLogIsNamed) {
  options_.sync = false;
  {
    const auto log = open();
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(append(*log, {{put("n", std::string(16u << 10, 'x'))}}));
    }
  }
  const std::string log = newest("", ".log");
  flip(log, static_cast<std::streamoff>(fs::file_size(path_ + "/" + log) / 2));
  EXPECT_NE(refusal().find(log), std::string::npos) << refusal();
}

TEST_F(RocksDbFileMarks, OneStoreHasOneAnchorAndOneLockHoweverItIsSpelt) {
  { ASSERT_TRUE(append(*open(), {{put("a", "x")}})); }
  const std::string real = path_, link = directory_.file("link");
  fs::create_directory_symlink(real, link);
  for (const std::string& spelling : {link, link + "/", real + "//"}) {
    path_ = spelling;
    const auto log = open();
    EXPECT_TRUE(log->report().anchored) << spelling;
    EXPECT_EQ(OfflineStore::open(real).error().code, ErrorCode::unavailable);
  }
  EXPECT_FALSE(fs::exists(link + ".anchor"));
  EXPECT_FALSE(fs::exists(link + ".lock"));
}

TEST_F(RocksDbFileMarks, AnAnchorBesideALinkIsTakenOver) {
  { ASSERT_TRUE(append(*open(), {{put("a", "x")}})); }
  const std::string moved = directory_.file("moved");
  fs::rename(path_, moved);
  fs::create_directory_symlink(moved, path_);
  EXPECT_TRUE(open()->report().anchored);
  EXPECT_TRUE(fs::exists(moved + ".anchor"));
}

TEST_F(RocksDbFileMarks, ALockThatCannotBeMadeRefusesAWriterOnly) {
  { open(); }
  fs::remove(path_ + ".lock");
  fs::create_directory(path_ + ".lock");
  const auto log = RocksDbChangeLog::open(path_, options_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::storage_io);
  EXPECT_NE(log.error().message.find("the lock file cannot be opened"), std::string::npos);
}

TEST(PrefixHash, DoesNotDependOnThePieces) {
  const std::string bytes(200'000, 'q');
  PrefixHash whole, pieces;
  whole.add(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += 777) {
    pieces.add(std::string_view(bytes).substr(at, 777));
  }
  EXPECT_EQ(whole.value(), pieces.value());
  EXPECT_EQ(pieces.bytes(), bytes.size());
  pieces.add("q");
  EXPECT_NE(whole.value(), pieces.value());
}

TEST(FileMarks, DamageOfAnyByteIsRecognised) {
  const FileMarks marks{{{"MANIFEST-000004", 77, hash_bytes("m")}},
                        {{"000003.log", 5, hash_bytes("l")}}};
  const std::string bytes = encode_marks(marks);
  EXPECT_EQ(decode_marks(bytes), marks);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_marks(damaged)) << i;
    EXPECT_FALSE(decode_marks(bytes.substr(0, i)));
  }
}

}  // namespace
}  // namespace zonesync::test
