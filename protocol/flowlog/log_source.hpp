// ChangeLog -> ChangeSource, used by hub (its log) and SDK (its outbox) alike.
//
// Keeps the hot tail: the newest segments in memory, so that caught-up readers never touch the
// disk, with their digest deltas, so that the digest of a view is known at every recent boundary.
// Thread rule: `on_appended` on the log's writer thread; everything else from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "protocol/core/ports.hpp"
#include "protocol/flowlog/fingerprint_index.hpp"
#include "protocol/flowlog/pack_cache.hpp"
#include "storage/change_log.hpp"

namespace zonesync {

class LogSource final : public ChangeSource {
 public:
  /// `log` outlives the source. `hot_tail_bytes` bounds the payload kept in memory.
  explicit LogSource(const ChangeLog& log, std::size_t hot_tail_bytes);
  ~LogSource() override;

  [[nodiscard]] const ChangeLog& log() const { return log_; }
  /// A segment became durable (call after the log's `done`, before anyone is woken).
  void on_appended(const Segment& segment);
  /// The log changed in another way (declare_complete, trim): reread its state.
  void refresh();

  /// With the floors of what flows read: of types that no zone views they may be higher.
  [[nodiscard]] LogState state() const override;
  [[nodiscard]] Revision head() const override;
  /// The newest revision with a change that a zone may view (ChangeLog::is_aside); after a start,
  /// the head. Who is there has all there is to have.
  [[nodiscard]] Revision viewed_head() const;
  [[nodiscard]] Result<ScanPage> scan(Position after, const View& view,
                                      std::size_t max_bytes) const override;
  [[nodiscard]] Result<ScanPage> scan_classes(Position after, const ClassFilter& wanted,
                                              std::size_t max_bytes) const override;
  [[nodiscard]] std::vector<Class> classes_now(const ClassFilter& wanted) const override;
  [[nodiscard]] std::optional<std::vector<Class>> classes_between(
      Revision base, Position until, const ClassFilter& wanted) const override;
  [[nodiscard]] std::optional<Digest> digest_at(Revision revision,
                                                const View& view) const override;
  [[nodiscard]] std::optional<std::map<std::string, Digest>> type_digests_at(
      Revision revision, const View& view) const override;
  [[nodiscard]] Result<StatePage> state_at(Revision revision, const std::string& type,
                                           const std::optional<ResourceKey>& after,
                                           const View& view, std::size_t max_bytes) const override;
  [[nodiscard]] Result<std::shared_ptr<const FingerprintTable>> fingerprints() const override {
    return fingerprints_.at_head();
  }
  [[nodiscard]] Result<LogEntry> read(Position position) const override {
    return log_.read(position);
  }
  [[nodiscard]] std::shared_ptr<const Frames> compressed(const LogEntry& entry) const override;
  [[nodiscard]] std::shared_ptr<const std::string> patch(const LogEntry& entry) const override;

  /// Payload of the live version of `key`, if it has this hash; else empty.
  [[nodiscard]] SharedBytes version(const ResourceKey& key, const Hash128& hash) const;

 private:
  struct Chunk;
  struct Slice;
  /// The chunks that a scan after `after` needs, or nothing when the tail does not reach back.
  [[nodiscard]] std::optional<Slice> slice(Position after) const;
  /// Calls `add` and `remove` with the class digests that make up those at `revision`; false = too
  /// far behind the head to know. The caller holds the lock.
  template <typename Visit>
  [[nodiscard]] bool digests_at(Revision revision, const View& view, Visit visit) const;
  /// What `entry` replaced, when it is an upsert that can still be read.
  [[nodiscard]] std::optional<LogEntry> predecessor(const LogEntry& entry) const;

  const ChangeLog& log_;
  const std::size_t hot_tail_bytes_;
  mutable FingerprintIndex fingerprints_;
  mutable PackCache packed_{limits::kPackedCacheBytes};
  std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> viewed_head_{0};

  mutable std::shared_mutex mutex_;      // guards everything below
  LogState state_;
  Revision viewed_floor_;
  ClassDigests digests_;                 // at state_.head
  std::deque<std::shared_ptr<const Chunk>> chunks_;  // newest last, without gaps up to the head
  std::size_t chunk_bytes_ = 0;
};

}  // namespace zonesync
