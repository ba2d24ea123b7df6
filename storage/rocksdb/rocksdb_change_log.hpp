// The hub's change log: ChangeLog on RocksDB.
//
// One append = one WriteBatch, fsynced: the group commit of storage.md. It is answered inline. The
// head and a RocksDB snapshot are published together after the write, and readers use only these,
// so that nobody sees a segment in part or before it is durable.
//
// Life cycle: open() takes the store's lock, compares the log with its lineage anchor, appends an
// era durably, and only then returns. The destructor closes the store; nothing else needs to be
// called. Thread rule: as in ChangeLog.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "storage/change_log.hpp"
#include "storage/lineage.hpp"
#include "storage/log_rules.hpp"
#include "storage/random_id.hpp"
#include "storage/rocksdb/sealing_options.hpp"
#include "storage/trim_floors.hpp"

namespace rocksdb {
class Env;
class Snapshot;
class WriteBatch;
}  // namespace rocksdb

namespace zonesync {

namespace rocksdb_store {
class AsideMarks;
class Database;
class DigestTotal;
class Seals;
struct TrimState;
}

struct RocksDbOptions {
  bool create = false;            // make a new log when there is none
  bool created_complete = false;  // a new log is complete from birth (its owner says so)
  bool sync = true;               // false = tests only: acked is then not durable
  /// An append that would leave less free space, beside what memory still has to flush, is refused
  /// with resource_exhausted before anything is written: compactions and a restart need room too.
  /// Segments of nothing but the hub's own entries, and trimming, may use most of it.
  std::uint64_t reserve_bytes = 64u << 20;
  /// Space set aside inside the store, given up when a full disk would prevent the start, and set
  /// aside again once there is room. 0 = none.
  std::uint64_t ballast_bytes = 0;
  std::optional<std::int64_t> restored_ms{};  // this opening ends a restore, at this unix time
  rocksdb::Env* env = nullptr;    // not owned; must outlive the log. nullptr = the real one
  IdSource ids = random_id;
  SealingOptions sealing;
  AsideRule aside{};              // classes of the second range; empty = there is none
};

/// How a log stands with its disk.
struct StoreSpace {
  bool refusing = false;            // users' writes are refused with resource_exhausted
  std::optional<std::uint64_t> free_bytes;  // nothing = the file system cannot tell
  std::uint64_t needed_bytes = 0;   // free space from which writes are taken
  std::uint64_t ballast_bytes = 0;
  std::uint64_t ballast_needs_bytes = 0;    // free space from which ballast is set aside
  bool ballast_waits = false;       // there was no room for it
  bool resealing_waits = false;     // re-encryption stands still until there is space
};

class RocksDbChangeLog final : public ChangeLog {
 public:
  using OpenOptions = RocksDbOptions;

  /// Errors: not_found (no log and `create` is false), unavailable (another process has it open),
  /// unsupported (format of another version), forbidden (encryption: no key, another key, or
  /// sensitive values stored readable; says what to do), resource_exhausted, storage_io,
  /// storage_corrupt.
  [[nodiscard]] static Result<std::unique_ptr<RocksDbChangeLog>> open(const std::string& path,
                                                                      OpenOptions options);
  ~RocksDbChangeLog() override;

  [[nodiscard]] LogState state() const override;
  void append(Segment segment, AppendDone done) override;
  [[nodiscard]] Status admits(std::string_view type) const override;
  Status declare_complete() override;
  /// With a lineage anchor of its own, so that a copy that lost something is noticed. Besides the
  /// errors of ChangeLog: invalid_argument (inside the store), not_found (no such folder). A
  /// checkpoint that fails leaves nothing, and the log goes on.
  [[nodiscard]] Status checkpoint(const std::string& directory) override;
  /// May use most of the reserve. Besides the errors of ChangeLog: resource_exhausted (the disk is
  /// full; nothing was lost, call again later).
  [[nodiscard]] Result<TrimProgress> trim(const TrimRequest& request) override;
  /// Brings the lineage anchor up to date, goes on with what waited for space, and sets ballast
  /// aside again.
  void housekeep() override;
  /// Writer thread.
  [[nodiscard]] StoreSpace space() const;
  /// What the open found. A log that ends before its anchor, or has another history, is marked
  /// partial and says so here: its owner must log it.
  [[nodiscard]] const OpenReport& report() const { return report_; }
  [[nodiscard]] Result<ScanPage> scan(Position after, const ScanOptions& options) const override;
  [[nodiscard]] Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const override;
  [[nodiscard]] Result<LogEntry> read(Position position) const override;
  [[nodiscard]] Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                      std::size_t limit) const override;
  [[nodiscard]] Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                         Revision revision) const override;
  [[nodiscard]] Result<ListPage> list(const ListFilter& filter,
                                      const std::optional<ResourceKey>& after,
                                      std::size_t limit) const override;
  [[nodiscard]] DigestsAt digests() const override;
  [[nodiscard]] bool is_aside(const Class& cls) const override {
    return options_.aside && options_.aside(cls);
  }
  [[nodiscard]] Revision trim_floor_of(std::string_view type) const override;
  [[nodiscard]] Revision viewed_floor() const override;

 private:
  /// What readers may see, replaced as a whole.
  struct Published {
    Revision head;
    std::shared_ptr<const TrimFloors> floors;
    std::shared_ptr<const rocksdb::Snapshot> snapshot;
    std::shared_ptr<const rocksdb_store::AsideMarks> marks;
  };

  RocksDbChangeLog(std::unique_ptr<rocksdb_store::Database> database, OpenOptions options);
  [[nodiscard]] static Result<std::unique_ptr<RocksDbChangeLog>> open_once(const std::string& path,
                                                                           OpenOptions options);
  [[nodiscard]] Status start(const std::optional<LineageAnchor>& anchor);
  [[nodiscard]] Status check_lineage(const std::optional<LineageAnchor>& anchor);
  [[nodiscard]] Status recall_loss();
  [[nodiscard]] Status recall_restore();
  void write_anchor_if_due();
  Status write_anchor();
  [[nodiscard]] Error stopped_error() const;
  [[nodiscard]] Status create_log(const std::optional<LineageAnchor>& anchor);
  [[nodiscard]] Status load();
  [[nodiscard]] Status load_eras();
  [[nodiscard]] Status load_digests();
  [[nodiscard]] Status check_total() const;
  [[nodiscard]] Status check_bounds() const;
  [[nodiscard]] Status add_era();
  [[nodiscard]] Status check_sealing() const;
  [[nodiscard]] Status write_segment(Segment segment);
  struct SegmentBatch;
  [[nodiscard]] Result<std::optional<LatestEntry>> newest_for(const Class& cls,
                                                              const ResourceKey& key,
                                                              SegmentBatch& batch) const;
  [[nodiscard]] Status add_entries(const log_rules::SegmentPlan& plan, SegmentBatch& batch) const;
  [[nodiscard]] Status add_digests(const ClassDigests& deltas, SegmentBatch& batch) const;
  [[nodiscard]] Status reseal_step();
  enum class Writer : std::uint8_t { user, hub };
  [[nodiscard]] Status check_space(std::size_t bytes, Writer writer);
  [[nodiscard]] Error full_error(std::uint64_t free) const;
  [[nodiscard]] Status write_batch(rocksdb::WriteBatch& batch, bool sync);
  [[nodiscard]] std::uint64_t ballast_needs() const {
    return options_.reserve_bytes + 2 * options_.ballast_bytes;
  }
  void publish(Revision head, const SegmentBatch& batch, const ClassDigests& deltas);
  [[nodiscard]] Status raise_floors(const TrimRequest& request);
  [[nodiscard]] Result<TrimProgress> trim_step(std::size_t max_visited);
  void publish_trim();

  [[nodiscard]] Published published() const;
  void publish_floors(TrimFloors floors);  // the caller holds `mutex_`, or is opening
  [[nodiscard]] Error corrupt(const std::string& what) const;
  [[nodiscard]] Result<LogEntry> read_at(const Published& at, Position position) const;
  [[nodiscard]] Result<std::vector<LatestEntry>> newest_of(const Published& at,
                                                           const ResourceKey& key) const;
  [[nodiscard]] Result<std::optional<Revision>> segment_end_before(const Published& at,
                                                                   Revision floor,
                                                                   Revision revision) const;

  OpenOptions options_;
  std::unique_ptr<rocksdb_store::Database> database_;
  std::unique_ptr<rocksdb_store::Seals> seals_;  // fixed once open
  OpenReport report_;            // fixed once open
  // Writer only:
  bool opened_ = false;
  bool stopped_ = false;
  std::uint64_t next_era_ = 0;   // number of the next era's key
  bool resealing_ = false;       // entries under an older data key may be left
  bool resealing_waits_ = false;
  bool ballast_waits_ = false;
  Hash128 chain_;                // running hash at the head
  std::unique_ptr<rocksdb_store::DigestTotal> total_;
  std::unique_ptr<rocksdb_store::TrimState> trim_;
  Revision anchored_head_;       // what the anchor says
  std::uint64_t segments_since_anchor_ = 0;
  std::chrono::steady_clock::time_point anchored_at_;

  mutable std::mutex mutex_;     // guards what follows; never held over I/O, nor over AsideRule
  LogState state_;
  std::shared_ptr<const TrimFloors> floors_ = std::make_shared<TrimFloors>();
  ClassDigests digests_;
  std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  std::shared_ptr<const rocksdb_store::AsideMarks> marks_;
};

}  // namespace zonesync
