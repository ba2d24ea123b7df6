#include "storage/rocksdb/options.hpp"

#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/comparator.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

namespace zonesync::rocksdb_store {
namespace {

constexpr std::size_t kMiB = 1u << 20;
constexpr std::size_t kDeletionWindow = 20'000;  // entries of a table, half of them deletions

rocksdb::ColumnFamilyOptions family_options(std::size_t write_buffer_bytes, std::size_t block_bytes,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.checksum = rocksdb::kXXH3;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.format_version = 5;
  table.verify_compression = true;
  table.whole_key_filtering = true;

  rocksdb::ColumnFamilyOptions options;
  options.comparator = rocksdb::BytewiseComparator();
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = 2;  // more, with parallel flush, has a retry bug in 7.8
  options.min_write_buffer_number_to_merge = 1;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.compaction_style = rocksdb::kCompactionStyleLevel;
  options.level_compaction_dynamic_level_bytes = true;
  options.level0_file_num_compaction_trigger = 4;
  options.level0_slowdown_writes_trigger = 20;
  options.level0_stop_writes_trigger = 36;
  options.target_file_size_base = 32 * kMiB;
  options.max_bytes_for_level_base = 128 * kMiB;
  options.max_bytes_for_level_multiplier = 10;
  options.disable_auto_compactions = false;
  options.paranoid_file_checks = false;  // reads every new file back: too slow for each flush
  options.force_consistency_checks = true;
  options.ttl = 0;
  options.periodic_compaction_seconds = 0;
  options.report_bg_io_stats = false;
  // Trimming deletes key by key (docs/adr/0004): tables that are mostly deletions are compacted at
  // once, so that what went gives its space back and nobody walks over its markers.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kDeletionWindow, kDeletionWindow / 2, 0.5));
  options.enable_blob_files = false;
  return options;
}

}  // namespace

rocksdb::DBOptions database_options(bool create, rocksdb::Env* env,
                                    std::shared_ptr<rocksdb::Logger> logger) {
  rocksdb::DBOptions options;
  options.env = env != nullptr ? env : rocksdb::Env::Default();
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  options.error_if_exists = false;
  options.info_log = std::move(logger);
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;

  options.paranoid_checks = true;
  // Nobody touches a store whose disk failed: RocksDB's own attempts to go on flush some families
  // and not others, with the write that was refused in one and not in the next.
  options.max_bgerror_resume_count = 0;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = false;  // with SyncWAL it refuses good stores in 7.8
  options.avoid_flush_during_recovery = false;
  options.avoid_flush_during_shutdown = true;  // the WAL holds it
  options.manual_wal_flush = false;
  options.recycle_log_file_num = 0;
  options.max_total_wal_size = 64 * kMiB;
  options.WAL_ttl_seconds = 0;
  options.WAL_size_limit_MB = 0;
  options.atomic_flush = false;
  options.two_write_queues = false;
  options.unordered_write = false;
  options.enable_pipelined_write = false;
  options.allow_concurrent_memtable_write = false;  // one writer
  options.allow_2pc = false;

  options.max_open_files = 256;
  options.max_background_jobs = 2;
  options.max_subcompactions = 1;
  options.bytes_per_sync = kMiB;
  options.wal_bytes_per_sync = 0;
  options.use_fsync = false;  // fdatasync: enough, and half the price
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  options.use_direct_reads = false;
  options.use_direct_io_for_flush_and_compaction = false;
  options.max_manifest_file_size = 16 * kMiB;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.persist_stats_to_disk = false;
  options.skip_stats_update_on_db_open = true;
  options.fail_if_options_file_error = false;  // the options are these, never the file's
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  const auto cache = rocksdb::NewLRUCache(64 * kMiB);
  return {
      {rocksdb::kDefaultColumnFamilyName, family_options(4 * kMiB, 4u << 10, cache)},
      {kLogFamily, family_options(32 * kMiB, 16u << 10, cache)},
      {kLatestFamily, family_options(16 * kMiB, 4u << 10, cache)},
  };
}

rocksdb::WriteOptions write_options(bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  options.disableWAL = false;
  options.no_slowdown = false;
  options.low_pri = false;
  return options;
}

rocksdb::ReadOptions read_options(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.verify_checksums = true;
  options.fill_cache = true;
  options.total_order_seek = true;
  options.async_io = false;  // corrupts memory in this generation of RocksDB
  return options;
}

}  // namespace zonesync::rocksdb_store
