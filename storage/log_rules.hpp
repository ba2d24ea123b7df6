// The rules of a change log that every implementation shares, as pure functions: what a valid
// segment is, what it replaces, what it does to the digests, where a page ends.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/byte_codec.hpp"
#include "storage/change_log.hpp"

namespace zonesync::log_rules {

/// Eras kept by a log: older cursors are repaired.
inline constexpr std::size_t kErasMax = 1'000;

/// What "(class, key)" comes down to: type, mesh and origin of the class are those of the key.
/// The order is the order of listings.
struct Slot {
  ResourceKey key;
  std::string tag;
  friend auto operator<=>(const Slot&, const Slot&) = default;
};
[[nodiscard]] Slot slot_of(const Class& cls, const ResourceKey& key);
[[nodiscard]] Class class_of_slot(const Slot& slot);

/// A validated segment, ready to be written.
struct SegmentPlan {
  Revision end;                   // head after the segment
  std::vector<LogEntry> entries;  // in log order, each with what it replaces
  ClassDigests digest_deltas;     // to add to the class digests
};

/// The newest entry of (class, key) among what is already in the log.
using LatestLookup =
    std::function<Result<std::optional<LatestEntry>>(const Class&, const ResourceKey&)>;

/// Whether `segment` may follow `head`. Errors: precondition_failed (first revision is not
/// head + 1), invalid_argument (no transaction, gap in the revisions, a (class, key) twice in one
/// transaction, class and key disagree on type, mesh or origin, unknown kind).
[[nodiscard]] Status check_segment(const Segment& segment, Revision head);

/// check_segment, then `previous` of every entry and the digest deltas. Errors also from `lookup`.
[[nodiscard]] Result<SegmentPlan> plan_segment(Segment segment, Revision head,
                                               const LatestLookup& lookup);

/// The newest entry that an entry makes of its (class, key).
[[nodiscard]] LatestEntry latest_from(const LogEntry& entry);

/// What entries, with their predecessors, do to the digests.
[[nodiscard]] ClassDigests deltas_of(const std::vector<LogEntry>& entries);

/// Adds deltas; classes that become empty are dropped.
void add_deltas(ClassDigests& digests, const ClassDigests& deltas);

/// Of all classes of one key: the live one, else the newest tombstone.
[[nodiscard]] std::optional<LatestEntry> prefer(std::vector<LatestEntry> candidates);

/// History of a key from the newest entries of its classes, newest first, at most `limit`. A
/// predecessor that `read` reports as not_found was trimmed and ends its chain.
[[nodiscard]] Result<std::vector<LogEntry>> merge_history(
    const std::vector<LatestEntry>& newest, std::size_t limit,
    const std::function<Result<LogEntry>(Position)>& read);

/// ChangeLog::entry_at, from the newest entries of a key's classes.
[[nodiscard]] Result<std::optional<LogEntry>> entry_at(
    const std::vector<LatestEntry>& newest, Revision revision,
    const std::function<Result<LogEntry>(Position)>& read);

/// What a listing shows of one (class, key): the version that is live, or that was live at `at`;
/// nothing when none was. Errors: those of `read`; a trimmed predecessor is nothing.
[[nodiscard]] Result<std::optional<LogEntry>> listed(
    const LatestEntry& newest, const std::optional<Revision>& at,
    const std::function<Result<LogEntry>(Position)>& read);

/// Errors: invalid_argument when neither a type nor `all_types` is given.
[[nodiscard]] Status check_filter(const ListFilter& filter);
[[nodiscard]] bool matches(const ListFilter& filter, const ResourceKey& key);

/// Fills a page of a listing from the newest entries in key order.
class ListBuilder {
 public:
  using Read = std::function<Result<LogEntry>(Position)>;
  /// All outlive the builder.
  ListBuilder(const ListFilter& filter, std::size_t limit, ListPage& page, Read read)
      : filter_(filter), limit_(limit), page_(page), read_(std::move(read)) {}

  /// False: the page is full, or `status` holds an error.
  [[nodiscard]] bool take(const LatestEntry& newest);
  [[nodiscard]] Status take_status() { return std::exchange(status_, Status{}); }

 private:
  const ListFilter& filter_;
  const std::size_t limit_;
  ListPage& page_;
  Read read_;
  Status status_;
  std::optional<ResourceKey> last_;    // looked at
  std::size_t visited_ = 0;
  std::size_t bytes_ = 0;
};

/// Errors: invalid_argument.
[[nodiscard]] Status check_trim(const TrimRequest& request, const LogState& state);

/// The running hash of a log over one more segment: add every entry's stored form, then end.
class Chain {
 public:
  Chain(const Hash128& before, Revision end);
  void add(Position position, std::string_view stored);
  [[nodiscard]] Hash128 end() const { return hash_bytes(content_.bytes()); }

 private:
  ByteWriter content_;
};

/// Appends an era and drops the oldest beyond kErasMax.
void push_era(std::vector<EraRecord>& eras, EraRecord era);

/// Ends a page. `next_entry` = revision of the first entry not covered, nothing = the head was
/// reached; `segment_end` = the newest segment end before it. A page that stopped at a limit is cut
/// back to that end, if it lies behind `after`.
void finish_page(ScanPage& page, Position after, std::optional<Revision> next_entry, Revision head,
                 std::optional<Revision> segment_end);

/// Counts what a page holds and says when it is full.
class PageLimit {
 public:
  explicit PageLimit(const ScanOptions& options) : options_(options) {}
  [[nodiscard]] bool admits(const Class& cls) const {
    return !options_.admits || options_.admits(cls);
  }
  /// Whether one more visited entry fits.
  [[nodiscard]] bool may_visit() const { return visited_ == 0 || visited_ < options_.max_visited; }
  /// Whether an admitted entry of `bytes` fits; the first always does.
  [[nodiscard]] bool may_take(std::size_t bytes) const {
    return entries_ == 0 ||
           (entries_ < options_.max_entries && bytes_ + bytes <= options_.max_bytes);
  }
  void visited() { ++visited_; }
  void taken(std::size_t bytes) {
    ++entries_;
    bytes_ += bytes;
  }

 private:
  const ScanOptions& options_;
  std::size_t visited_ = 0;
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace zonesync::log_rules
