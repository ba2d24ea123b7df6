// Checkpoints and restored stores: whose they are, where they may lie, and what a failure leaves.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

namespace fs = std::filesystem;

class PrivateFiles : public ::testing::Test {
 protected:
  PrivateFiles() {
    ::umask(022);
    options_.create = true;
    options_.reserve_bytes = 0;
    auto log = RocksDbChangeLog::open(path_, options_);
    EXPECT_TRUE(log) << describe(log.error());
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(append(**log, {{put("n" + std::to_string(i), std::string(4'096, 'v'))}}));
    }
  }
  Status checkpoint(const std::string& directory) {
    return (*RocksDbChangeLog::open(path_, options_))->checkpoint(directory);
  }
  Status checkpoint_offline(const std::string& directory) {
    return (*OfflineStore::open_to_change(path_))->checkpoint(directory);
  }
  static unsigned others(const fs::path& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 077;
  }
  static void expect_private(const fs::path& directory) {
    EXPECT_EQ(others(directory), 0u) << directory;
    EXPECT_EQ(others(directory.string() + ".anchor"), 0u) << directory;
    for (const auto& item : fs::directory_iterator(directory)) {
      EXPECT_EQ(others(item.path()), 0u) << item.path();
    }
  }
  [[nodiscard]] std::vector<std::string> beside() const {
    std::vector<std::string> names;
    for (const auto& item : fs::directory_iterator(fs::path(path_).parent_path())) {
      const std::string name = item.path().filename();
      if (!name.ends_with(".lock")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TempDir directory_;
  std::string path_ = directory_.file("log");
  RocksDbOptions options_;
};

TEST_F(PrivateFiles, CheckpointsAndRestoredStoresAreTheirOwnersAlone) {
  const std::string online = directory_.file("online"), offline = directory_.file("offline");
  ASSERT_TRUE(checkpoint(online));
  ASSERT_TRUE(checkpoint_offline(offline));
  expect_private(online);
  expect_private(offline);
  for (const auto& item : fs::directory_iterator(online)) ::chmod(item.path().c_str(), 0644);
  const std::string restored = directory_.file("restored");
  ASSERT_TRUE(restore_store(online, restored));
  EXPECT_EQ(others(restored), 0u);
  for (const auto& item : fs::directory_iterator(online)) {
    const fs::path copied = fs::path(restored) / item.path().filename();
    if (fs::exists(copied) && copied.filename() != "CURRENT") {  // RocksDB writes it anew
      EXPECT_EQ(others(copied), 0u) << copied;
    }
  }
}

TEST_F(PrivateFiles, ADirectoryThatWasMadeBeforeTheStoreBecomesPrivate) {
  const std::string made = directory_.file("made");
  fs::create_directory(made);
  ::chmod(made.c_str(), 0755);
  ASSERT_TRUE(RocksDbChangeLog::open(made, options_));
  EXPECT_EQ(others(made), 0u);
  EXPECT_EQ(others(made + ".anchor"), 0u);
}

TEST_F(PrivateFiles, ACheckpointInsideItsStoreIsRefused) {
  fs::create_directory_symlink(path_, directory_.file("link"));
  for (const std::string& inside :
       {path_ + "/copy", path_ + "/a/../copy", directory_.file("link") + "/copy", path_}) {
    for (const Status& refused : {checkpoint(inside), checkpoint_offline(inside)}) {
      ASSERT_FALSE(refused) << inside;
      EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument) << describe(refused.error());
      EXPECT_NE(refused.error().message.find("inside the store"), std::string::npos);
    }
    EXPECT_FALSE(fs::exists(path_ + "/copy"));
  }
}

TEST_F(PrivateFiles, ACheckpointWithASlashBehindItIsTheSame) {
  ASSERT_TRUE(checkpoint_offline(directory_.file("copy") + "//"));
  EXPECT_EQ(beside(), (std::vector<std::string>{"copy", "copy.anchor", "log", "log.anchor"}));
}

TEST_F(PrivateFiles, ARestoreToADirectoryWithASlashBehindItIsTheSame) {
  const std::string copy = directory_.file("copy");
  ASSERT_TRUE(checkpoint_offline(copy));
  fs::remove_all(path_);
  const auto report = restore_store(copy + "/", path_ + "/");
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->warning, "");
  EXPECT_EQ(beside(), (std::vector<std::string>{"copy", "copy.anchor", "log", "log.anchor",
                                                "log.anchor.before-restore"}));
}

TEST_F(PrivateFiles, ACheckpointWhereThereIsNoFolderSaysSo) {
  const Status refused = checkpoint_offline(directory_.file("no/such/copy"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_EQ(beside(), (std::vector<std::string>{"log", "log.anchor"}));
}

TEST_F(PrivateFiles, WhatACrashLeftOfACheckpointIsInNobodysWay) {
  const std::string copy = directory_.file("copy");
  fs::create_directories(copy + std::string(kMakingSuffix) + "/copy.tmp");
  std::ofstream(copy + std::string(kMakingSuffix) + "/copy.tmp/000001.sst") << "half";
  ASSERT_TRUE(checkpoint_offline(copy));
  EXPECT_EQ(beside(), (std::vector<std::string>{"copy", "copy.anchor", "log", "log.anchor"}));
  EXPECT_TRUE((*(*OfflineStore::open(copy))->verify()).good());
}

/// Files cannot grow beyond `bytes` as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST_F(PrivateFiles, ARestoreWithoutSpaceSaysHowMuchItNeedsAndLeavesNothing) {
  const std::string copy = directory_.file("copy");
  ASSERT_TRUE(checkpoint_offline(copy));
  fs::rename(path_, directory_.file("old"));
  std::ofstream(copy + "/999999.sst") << "";
  fs::resize_file(copy + "/999999.sst", std::uintmax_t{1} << 42);  // no disk here has that much
  const auto before = beside();
  const FileSizeLimit limit(1u << 20);  // were it not refused, it would fill this disk
  const auto refused = restore_store(copy, path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted) << describe(refused.error());
  EXPECT_NE(refused.error().message.find("the disk is too full for this restore: it needs about"),
            std::string::npos)
      << refused.error().message;
  EXPECT_EQ(beside(), before);
}

TEST_F(PrivateFiles, ARestoreWhoseCopyFailsNamesTheCauseAndLeavesNothing) {
  const std::string copy = directory_.file("copy");
  ASSERT_TRUE(checkpoint_offline(copy));
  fs::rename(path_, directory_.file("old"));
  const auto before = beside();
  for (const rlim_t bytes : {rlim_t{64}, rlim_t{1'024}}) {
    const auto refused = [&] {
      const FileSizeLimit limit(bytes);
      return restore_store(copy, path_);
    }();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage_io) << describe(refused.error());
    EXPECT_NE(refused.error().message.find("copying the checkpoint failed: File too large"),
              std::string::npos)
        << refused.error().message;
    EXPECT_EQ(beside(), before);
  }
  EXPECT_TRUE(restore_store(copy, path_));
}

}  // namespace
}  // namespace zonesync::test
