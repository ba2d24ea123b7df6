// One harness per change log implementation: the contract suites run over all of them.
//
// A harness gives `log()`, and `reopen()` = the process ended and started again.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "storage/journal/journal_store.hpp"
#include "storage/journal/testing/faulty_file_system.hpp"
#include "storage/memory/memory_change_log.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/testing/faulty_rocksdb_files.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {

/// The rule of the second range in these tests: one type is in no view.
inline constexpr const char* kAsideType = "DataplaneInsight";
inline bool aside_rule(const Class& cls) { return cls.type == kAsideType; }

class MemoryHarness {
 public:
  [[nodiscard]] ChangeLog& log() { return log_; }
  void reopen() { log_.reopen(); }

 private:
  MemoryChangeLog log_{{.aside = aside_rule}};
};

class RocksDbHarness {
 public:
  explicit RocksDbHarness(rocksdb::Env* env = nullptr) : env_(env) { open(); }
  [[nodiscard]] ChangeLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    open();
  }

 private:
  void open() {
    RocksDbOptions options;
    options.create = true;
    options.reserve_bytes = 0;
    options.env = env_;
    options.aside = aside_rule;
    auto log = RocksDbChangeLog::open(directory_.file("log"), options);
    if (!log) throw std::runtime_error(describe(log.error()));
    log_ = std::move(*log);
  }
  rocksdb::Env* env_;
  TempDir directory_;
  std::unique_ptr<RocksDbChangeLog> log_;
};

/// Every value sealed, as if all types were sensitive.
class RocksDbSealedHarness {
 public:
  RocksDbSealedHarness() : key_(*sealing::generate_master_key()) { open(); }
  [[nodiscard]] ChangeLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    open();
  }

 private:
  void open() {
    RocksDbOptions options;
    options.create = true;
    options.reserve_bytes = 0;
    options.aside = aside_rule;
    options.sealing.key = key_;
    options.sealing.sensitive = [](std::string_view) { return true; };
    auto log = RocksDbChangeLog::open(directory_.file("log"), options);
    if (!log) throw std::runtime_error(describe(log.error()));
    log_ = std::move(*log);
  }
  sealing::MasterKeyPtr key_;
  TempDir directory_;
  std::unique_ptr<RocksDbChangeLog> log_;
};

class RocksDbInMemoryHarness {
 public:
  [[nodiscard]] ChangeLog& log() { return harness_.log(); }
  void reopen() { harness_.reopen(); }

 private:
  std::unique_ptr<rocksdb::Env> env_{rocksdb::NewMemEnv(rocksdb::Env::Default())};
  RocksDbHarness harness_{env_.get()};
};

/// On the file system that tests can make fail; here it does not.
class RocksDbOnFaultyFilesHarness {
 public:
  [[nodiscard]] ChangeLog& log() { return harness_.log(); }
  void reopen() { harness_.reopen(); }

 private:
  std::unique_ptr<rocksdb::Env> env_{rocksdb::NewCompositeEnv(
      std::make_shared<rocksdb_store::FaultyRocksDbFiles>())};
  RocksDbHarness harness_{env_.get()};
};

class JournalHarness {
 public:
  JournalHarness() { open(); }
  [[nodiscard]] ChangeLog& log() { return store_->outbox(); }
  void reopen() {
    store_.reset();
    open();
  }

 private:
  void open() {
    auto store = JournalStore::open(directory_.file("store"), {});
    if (!store) throw std::runtime_error(describe(store.error()));
    store_ = std::move(*store);
  }
  TempDir directory_;
  std::unique_ptr<JournalStore> store_;
};

/// Every reopen is a power cut that keeps only what was synced.
class JournalPowerCutHarness {
 public:
  JournalPowerCutHarness() { open(); }
  [[nodiscard]] ChangeLog& log() { return store_->outbox(); }
  void reopen() {
    store_.reset();
    files_.crash();
    open();
  }

 private:
  void open() {
    JournalStoreOptions options;
    options.files = &files_;
    auto store = JournalStore::open("store", options);
    if (!store) throw std::runtime_error(describe(store.error()));
    store_ = std::move(*store);
  }
  journal::FaultyFileSystem files_;
  std::unique_ptr<JournalStore> store_;
};

using LogHarnesses = ::testing::Types<MemoryHarness, JournalHarness, JournalPowerCutHarness,
                                      RocksDbHarness, RocksDbInMemoryHarness, RocksDbSealedHarness,
                                      RocksDbOnFaultyFilesHarness>;

class HarnessNames {
 public:
  template <class T>
  static std::string GetName(int) {
    if (std::is_same_v<T, MemoryHarness>) return "Memory";
    if (std::is_same_v<T, RocksDbHarness>) return "RocksDb";
    if (std::is_same_v<T, RocksDbOnFaultyFilesHarness>) return "RocksDbOnFaultyFiles";
    if (std::is_same_v<T, RocksDbSealedHarness>) return "RocksDbSealed";
    if (std::is_same_v<T, RocksDbInMemoryHarness>) return "RocksDbInMemory";
    return std::is_same_v<T, JournalHarness> ? "Journal" : "JournalPowerCut";
  }
};

template <class Harness>
class LogContract : public ::testing::Test {
 protected:
  [[nodiscard]] ChangeLog& log() { return harness_.log(); }
  void reopen() { harness_.reopen(); }

 private:
  Harness harness_;
};

}  // namespace zonesync::test
