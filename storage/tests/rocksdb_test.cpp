// What only the RocksDB log has: opening, formats, locks, full disks, damaged files, its keys.
#include <fstream>
#include <random>

#include <rocksdb/env.h>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/file_logger.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using namespace rocksdb_store;

class RocksDbStore : public ::testing::Test {
 protected:
  RocksDbStore() {
    options_.create = true;
    options_.reserve_bytes = 0;
  }
  [[nodiscard]] Result<std::unique_ptr<RocksDbChangeLog>> open() {
    return RocksDbChangeLog::open(path_, options_);
  }
  void put_meta(std::string_view meta_key, std::string_view value) {
    auto database = Database::open(path_, false, nullptr);
    ASSERT_TRUE(database) << describe(database.error());
    rocksdb::WriteBatch batch;
    (*database)->put(batch, Family::meta, meta_key, value);
    ASSERT_TRUE((*database)->write(batch, true));
  }
  void expect_open_fails(ErrorCode code) {
    const auto log = open();
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, code) << describe(log.error());
    EXPECT_EQ(log.error().field, path_) << "the text says where";
  }

  TempDir directory_;
  std::string path_ = directory_.file("log");
  RocksDbOptions options_;
};

TEST_F(RocksDbStore, MissingLogIsNotFoundUnlessItMayBeCreated) {
  options_.create = false;
  expect_open_fails(ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "a failed open leaves nothing behind";
}

TEST_F(RocksDbStore, DirectoryIsPrivate) {
  ASSERT_TRUE(open());
  const auto mode = std::filesystem::status(path_).permissions();
  EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

TEST_F(RocksDbStore, CreatedCompleteStaysComplete) {
  options_.created_complete = true;
  EXPECT_TRUE((*open())->state().complete);
  options_.created_complete = false;
  EXPECT_TRUE((*open())->state().complete);
}

TEST_F(RocksDbStore, SecondOpenIsRefusedAndSaysWhy) {
  const auto first = open();
  ASSERT_TRUE(first);
  expect_open_fails(ErrorCode::unavailable);
  EXPECT_TRUE(append(**first, {{put("a", "1")}}));
}

TEST_F(RocksDbStore, FormatOfAnotherVersionIsUnsupported) {
  ASSERT_TRUE(open());
  put_meta(kFormatKey, number_value(kFormatVersion + 1));
  expect_open_fails(ErrorCode::unsupported);
  const std::string text = open().error().message;
  EXPECT_NE(text.find("has format " + std::to_string(kFormatVersion + 1)), text.npos) << text;
  EXPECT_NE(text.find("use the version that wrote it"), text.npos) << text;
  const auto offline = OfflineStore::open(path_);
  ASSERT_FALSE(offline);
  EXPECT_EQ(offline.error().code, ErrorCode::unsupported);
  put_meta(kFormatKey, number_value(0));
  expect_open_fails(ErrorCode::unsupported);
}

TEST_F(RocksDbStore, HeadThatIsNoSegmentEndIsCorrupt) {
  ASSERT_TRUE(append(**open(), {{put("a", "1")}, {put("b", "2")}}));
  put_meta(kHeadKey, number_value(1));
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, EntriesBeyondTheHeadAreCorrupt) {
  {
    const auto log = open();
    ASSERT_TRUE(append(**log, {{put("a", "1")}}));
    ASSERT_TRUE(append(**log, {{put("b", "2")}}));
  }
  put_meta(kHeadKey, number_value(1));
  put_meta(numbered_key(kSegmentPrefix, 1), {});
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, UnreadableIdentityIsCorrupt) {
  ASSERT_TRUE(open());
  put_meta(kLogIdKey, "short");
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, AlmostFullDiskRefusesWritesAndGoesOnReading) {
  {
    const auto log = open();
    ASSERT_TRUE(append(**log, {{put("a", "1")}}));
  }
  options_.reserve_bytes = std::uint64_t{1} << 62;
  const auto log = open();
  ASSERT_TRUE(log) << "starting must work";
  const Status status = append(**log, {{put("b", "2")}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ((*log)->state().head, Revision{1});
  EXPECT_EQ(scan_all(**log).size(), 1u);
  EXPECT_EQ(append(**log, {{put("b", "2")}}).error().code, ErrorCode::resource_exhausted)
      << "not a fail-stop: it goes on by itself once there is room";
}

// A zone that restarts on an almost full disk was kept out: its admission is a record of the hub's.
TEST_F(RocksDbStore, TheReserveIsThereForTheHubsOwnEntries) {
  { ASSERT_TRUE(open()); }
  options_.reserve_bytes = std::filesystem::space(path_).free * 2;
  const auto log = open();
  EXPECT_EQ(append(**log, {{put("b", "2")}}).error().code, ErrorCode::resource_exhausted);
  ResourceKey zone = key("east", "$zone");
  zone.mesh.clear();
  EXPECT_EQ(append(**log, {{put("b", "2")}, {upsert(zone, "1")}}).error().code,
            ErrorCode::resource_exhausted);
  EXPECT_TRUE(append(**log, {{upsert(zone, "1")}}));
}

TEST_F(RocksDbStore, OldErasAreForgotten) {
  const EraId first = (*open())->state().current_era();
  put_meta(numbered_key(kEraPrefix, log_rules::kErasMax - 1), era_value(EraRecord{}));
  EXPECT_EQ((*open())->state().eras.size(), 3u);
  const LogState state = (*open())->state();
  EXPECT_EQ(judge_cursor(state, Cursor{first, Revision{0}, {}}), CursorVerdict::unknown_era);
  EXPECT_EQ(state.eras.size(), 3u) << "the oldest one went when number 1000 came";
}

// One flipped bit in the middle of the write-ahead log must be an error, not silently lost tail.
TEST_F(RocksDbStore, DamagedWriteAheadLogIsRefused) {
  {
    const auto log = open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(append(**log, {{put("n" + std::to_string(i), std::string(300, 'x'))}}));
    }
  }
  std::filesystem::path wal;
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    if (file.path().extension() == ".log" && file.file_size() > 10'000) wal = file.path();
  }
  ASSERT_FALSE(wal.empty());
  std::fstream bytes(wal, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(20'000);
  bytes.put('!');
  bytes.close();
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, TornTailOfTheWriteAheadLogIsTolerated) {
  {
    const auto log = open();
    ASSERT_TRUE(append(**log, {{put("a", "1")}}));
    ASSERT_TRUE(append(**log, {{put("b", "2")}}));
  }
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    if (file.path().extension() != ".log" || file.file_size() < 100) continue;
    std::filesystem::resize_file(file.path(), file.file_size() - 3);
  }
  const auto log = open();
  ASSERT_TRUE(log) << describe(log.error());
  EXPECT_EQ((*log)->state().head, Revision{1});
  EXPECT_EQ((*log)->digests().digests, recompute(**log));
  EXPECT_EQ((*log)->report().lineage, Lineage::rewound) << "it was durable: say so";
}

TEST_F(RocksDbStore, FormatOneIsTakenOver) {
  ASSERT_TRUE(append(**open(), {{put("a", "1")}}));
  put_meta(kFormatKey, number_value(1));
  put_meta(numbered_key(kSegmentPrefix, 1), {});
  const auto log = open();
  ASSERT_TRUE(log) << describe(log.error());
  EXPECT_EQ((*log)->report().text, "");
  EXPECT_TRUE(append(**log, {{put("b", "2")}}));
}

// Format 3 had one range and one floor: what is there stays, and goes, where it is.
TEST_F(RocksDbStore, FormatThreeIsTakenOver) {
  const ResourceKey insight = key("i", "DataplaneInsight", "east");
  const ResourceKey gone = key("gone", "DataplaneInsight", "east");
  {
    const auto log = open();
    ASSERT_TRUE(append(**log, {{upsert(insight, "1")}, {upsert(insight, "2"), put("a", "1")}}));
    ASSERT_TRUE(append(**log, {{upsert(gone, "1")}, {upsert(insight, "3"), put("a", "2")}}));
    ASSERT_TRUE((*log)->trim(TrimRequest{Revision{2}, Revision{0}})->done);
  }
  put_meta(kFormatKey, number_value(3));
  options_.aside = [](const Class& cls) { return cls.type == "DataplaneInsight"; };
  {
    const auto log = open();
    ASSERT_TRUE(log) << describe(log.error());
    EXPECT_EQ((*log)->report().text, "");
    EXPECT_EQ((*log)->state().trim_floor, Revision{2});
    EXPECT_EQ((*log)->viewed_floor(), Revision{2});
    EXPECT_EQ((*log)->history(insight, 10)->size(), 2u);
    ASSERT_TRUE(append(**log, {{upsert(insight, "4")}, {leave(gone)}, {put("a", "3")}}));
    TrimRequest request;
    request.type_floors["DataplaneInsight"] = request.tombstone_floor = (*log)->state().head;
    ASSERT_TRUE((*log)->trim(request)->done);
    EXPECT_EQ((*log)->history(insight, 10)->size(), 1u) << "from the first range and the second";
    EXPECT_FALSE(*(*log)->latest(gone));
    EXPECT_EQ((*log)->history(key("a"), 10)->size(), 3u) << "of other types nothing went";
    EXPECT_EQ((*log)->digests().digests, recompute(**log));
  }
  const auto store = OfflineStore::open(path_);
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_EQ((*store)->info()->format, kFormatVersion);
  EXPECT_EQ((*store)->info()->floors.floor_of("DataplaneInsight"), Revision{7});
  const auto report = (*store)->verify();
  EXPECT_TRUE(report->good()) << report->texts.front();
  EXPECT_EQ(report->aside, 1u);
}

// Format 4 had no total of the digests: the open writes it, and judges nothing by its absence.
TEST_F(RocksDbStore, FormatFourIsTakenOver) {
  ASSERT_TRUE(append(**open(), {{put("a", "1")}}));
  put_meta(kFormatKey, number_value(4));
  {
    auto database = Database::open(path_, false, nullptr);
    rocksdb::WriteBatch batch;
    (*database)->erase(batch, Family::meta, kDigestTotalKey);
    ASSERT_TRUE((*database)->write(batch, true));
  }
  EXPECT_TRUE((*OfflineStore::open(path_))->verify()->good());
  {
    const auto log = open();
    ASSERT_TRUE(log) << describe(log.error());
    EXPECT_EQ((*log)->report().text, "");
  }
  EXPECT_TRUE(open()) << "the total that the open wrote is right";
  put_meta(kDigestTotalKey, std::string(16, '\0'));
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, UnreadableFloorsAndMarksAreCorrupt) {
  ASSERT_TRUE(append(**open(), {{put("a", "1")}}));
  TrimState trim;
  trim.floors.types["MeshTimeout"] = {};
  const std::string cut = trim_value(trim).substr(0, trim_value(trim).size() - 1);
  put_meta(kTrimKey, cut);
  expect_open_fails(ErrorCode::storage_corrupt);
  put_meta(kTrimKey, trim_value(trim));
  ASSERT_TRUE(open());
  put_meta(aside_key({"MeshTimeout", {}, "global", {}}), "short");
  expect_open_fails(ErrorCode::storage_corrupt);
}

TEST_F(RocksDbStore, NoLogFileOfRocksDbItself) {
  const auto log = open();
  ASSERT_TRUE(log);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/LOG"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/warnings.txt"));
}

TEST(FileLogger, IsBoundedAndSurvivesAnUnwritablePath) {
  const TempDir directory;
  const std::string path = directory.file("warnings.txt");
  FileLogger logger(path);
  const std::string line(900, 'x');
  for (int i = 0; i < 2'500; ++i) rocksdb::Warn(&logger, "%s", line.c_str());
  EXPECT_LE(std::filesystem::file_size(path), FileLogger::kMaxBytes);
  EXPECT_GT(std::filesystem::file_size(path), 900u);
  FileLogger nowhere(directory.file("missing/warnings.txt"));
  rocksdb::Warn(&nowhere, "dropped");
}

TEST(KeyCodec, KeysSortLikeTheValuesTheyStandFor) {
  std::mt19937 random(7);
  const auto part = [&] {
    std::string text(random() % 4, '\0');
    for (char& byte : text) byte = std::string("\0\x01\x02" "a\xff", 5)[random() % 5];
    return text;
  };
  for (int i = 0; i < 5'000; ++i) {
    const log_rules::Slot a{ResourceKey{part(), part(), part(), part()}, part()};
    const log_rules::Slot b{ResourceKey{part(), part(), part(), part()}, part()};
    ASSERT_EQ(a < b, latest_key(a) < latest_key(b));
    ASSERT_EQ(parse_latest_key(latest_key(a)), a);
    const std::string prefix = latest_prefix(a.key);
    ASSERT_LT(latest_key(a), prefix_end(prefix));
    if (a.key < b.key) {
      ASSERT_LT(prefix_end(prefix), latest_key(b));
    }
  }
  EXPECT_LT(log_key(Position{Revision{255}, 9}), log_key(Position{Revision{256}, 0}));
}

TEST(KeyCodec, FloorsAndMarksAreReadAsWritten) {
  TrimState trim;
  trim.floors.rest = {Revision{9}, {Revision{8}, 2}, {Revision{7}, 1}};
  trim.floors.tombstone_floor = Revision{6};
  trim.segments_swept = Revision{5};
  EXPECT_EQ(parse_trim(trim_value(trim)), trim) << "formats 2 and 3 wrote no more";
  trim.floors.types["MeshTimeout"] = {Revision{4}, {Revision{3}, 0}, {Revision{2}, 0}};
  trim.floors.types[std::string("\0", 1)] = {Revision{1}, {}, {}};
  EXPECT_EQ(parse_trim(trim_value(trim)), trim);
  EXPECT_FALSE(parse_trim(trim_value(trim) + "x"));
  const Class pattern{"Insight", {}, "zone", "home"};
  EXPECT_EQ(parse_aside_key(aside_key(pattern)), pattern);
  EXPECT_FALSE(parse_aside_key(aside_key(pattern) + "x"));
  EXPECT_EQ(parse_aside(aside_value({Revision{3}, true})), (AsideMark{Revision{3}, true}));
  EXPECT_FALSE(parse_aside("short"));
  const Position position{Revision{3}, 4};
  for (const LogRange range : {LogRange::viewed, LogRange::aside}) {
    const auto parsed = parse_log_key(log_key(position, range));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->range, range);
    EXPECT_EQ(parsed->position, position);
  }
  EXPECT_LT(log_key(Position{Revision{~0ull >> 8}, 0}), log_key(Position{}, LogRange::aside));
}

TEST(KeyCodec, DamagedKeysAreRecognised) {
  EXPECT_FALSE(parse_latest_key("no terminator"));
  EXPECT_FALSE(parse_latest_key(std::string("a\0", 2)));
  EXPECT_FALSE(parse_latest_key(std::string("a\0\x07", 3)));
  EXPECT_FALSE(parse_log_key("short"));
  EXPECT_FALSE(parse_latest(latest_key({key("a"), ""}), "short"));
}

}  // namespace
}  // namespace zonesync::test
