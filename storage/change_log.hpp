// The durable, versioned change log: one order over all types.
//
// Concurrency contract
//   - exactly one writer thread calls `append`, `trim` and `declare_complete`;
//   - every const function may be called from any thread at any time, also during an append, and
//     sees only durable segments (a segment becomes visible at once, after its fsync);
//   - `append` answers through `done` exactly once, inline or later on the writer thread
//     (implementations that answer later say where); appends are answered in order.
//
//   writer:   append(S1) ---- fsync ---- done(S1) ---- append(S2) ...
//   readers:  ......head = before S1.....|head = S1|.................
//
// After `done` reported storage_io or storage_corrupt the log refuses every further append
// (fail-stop): nobody can know what the disk holds. Reopen the store to find out. Every other error
// means that nothing was written, and the next append is judged afresh.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/model/digest.hpp"
#include "protocol/model/log.hpp"
#include "protocol/model/result.hpp"

namespace zonesync {

/// Changes that are committed together at one revision. At most one change per (class, key).
struct Transaction {
  Revision revision;
  std::vector<Change> changes;
};

/// The transactions of one group commit. Revisions are consecutive; the first is head + 1.
struct Segment {
  std::vector<Transaction> transactions;
};

using AppendDone = std::function<void(Status)>;

/// Newest entry of one (class, key); `kind` leave = tombstone.
struct LatestEntry {
  Class cls;
  ResourceKey key;
  ChangeKind kind = ChangeKind::upsert;
  Hash128 hash;
  Position position;
};

struct ScanOptions {
  std::size_t max_entries = 1'000;     // of admitted entries
  std::size_t max_bytes = 256u << 10;  // of admitted payload; the first entry always fits
  std::size_t max_visited = 20'000;    // entries looked at, admitted or not: bounds one call
  std::function<bool(const Class&)> admits;  // empty = everything
  bool viewed_only = false;  // for readers that want no class of the second range: it is not read
};

/// Which classes lie in the second range of a log: those in no zone's down view. Called from any
/// thread; of a class it says the same as long as the log is open.
using AsideRule = std::function<bool(const Class&)>;

struct ListFilter {
  std::string type;                    // required unless `all_types`
  bool all_types = false;
  std::optional<std::string> mesh;     // "" = global scope
  std::optional<std::string> origin;
  /// The resources that were live at this revision, in [trim_floor, head], instead of those that
  /// are: what was live at an older one may be missing. Trimming may pass it during a read: compare
  /// it with `state().trim_floor` afterwards.
  std::optional<Revision> at;
  std::function<bool(const Class&)> admits;  // empty = everything
  std::size_t max_bytes = std::numeric_limits<std::size_t>::max();    // of payload; one fits
  std::size_t max_visited = std::numeric_limits<std::size_t>::max();  // keys looked at
};
/// Live resources in key order (type, mesh, origin, name).
struct ListPage {
  std::vector<LogEntry> entries;
  std::optional<ResourceKey> next;     // `after` of the next page; empty = end
};

/// How far a log may forget. Floors only rise: lower ones than the log has change nothing.
struct TrimRequest {
  Revision floor;  // superseded entries go when their direct successor is at or below it
  Revision tombstone_floor;    // newest entries that are leaves go at or below it; <= floor
  std::size_t max_visited = 20'000;  // entries looked at: bounds one step
  /// Floors of types with a retention of their own, in the place of `floor`; the tombstone floor
  /// counts for each of them up to its own. Types that are no longer named follow `floor` again.
  std::map<std::string, Revision, std::less<>> type_floors{};
};
/// Types with a retention of their own in one request.
inline constexpr std::size_t kTrimTypesMax = 64;
struct TrimProgress {
  bool done = false;           // false = call again with the same request
  std::size_t visited = 0;
  std::size_t removed = 0;     // entries
};

using ClassDigests = std::unordered_map<Class, Digest>;

class ChangeLog {
 public:
  virtual ~ChangeLog() = default;

  [[nodiscard]] virtual LogState state() const = 0;

  /// Makes the segment durable and visible, atomically. Errors: precondition_failed (first
  /// revision is not head + 1), invalid_argument (no transaction, gap in the revisions, a (class,
  /// key) twice in a transaction, class and key disagree on type, mesh or origin), storage_io
  /// (fail-stop), resource_exhausted (disk full, nothing written).
  virtual void append(Segment segment, AppendDone done) = 0;

  /// Whether entries of `type` may be stored: a sensitive type needs encryption at rest. An append
  /// that holds another is refused whole, so ask before. Errors: forbidden (says what to do).
  [[nodiscard]] virtual Status admits(std::string_view type) const {
    static_cast<void>(type);
    return {};
  }

  /// Whether changes of this class lie in the second range.
  [[nodiscard]] virtual bool is_aside(const Class& cls) const {
    static_cast<void>(cls);
    return false;
  }

  /// Below it superseded entries of this type may be missing; state().trim_floor is the highest.
  [[nodiscard]] virtual Revision trim_floor_of(std::string_view type) const {
    static_cast<void>(type);
    return state().trim_floor;
  }

  /// The highest floor of what a scan with `viewed_only` is for.
  [[nodiscard]] virtual Revision viewed_floor() const { return state().trim_floor; }

  /// Marks the log complete, durably: receivers may rely on absences again (protocol.md §4.9).
  virtual Status declare_complete() = 0;

  /// A consistent copy of the log as it stands, in `directory`, which must not exist; files that
  /// cannot change any more are shared by hard links. Takes as long as a flush: writer thread.
  /// Errors: unsupported (this kind of log has none), conflict (it exists), resource_exhausted,
  /// storage_io.
  [[nodiscard]] virtual Status checkpoint(const std::string& directory) {
    return fail(ErrorCode::unsupported, "this kind of log makes no checkpoints", directory);
  }

  /// One bounded step of forgetting. The floors are durable and visible before anything is removed;
  /// a step that a crash interrupted is continued by the next one. An entry goes only when its
  /// direct successor (same class and key) is at or below its type's floor; the newest entry of
  /// every (class, key) stays, unless it is a leave at or below `tombstone_floor` and that floor.
  /// Cursors at or above the tombstone floor go on by changes only. Errors: invalid_argument (a
  /// floor beyond the head, tombstone floor above every floor, too many types), unsupported (this
  /// log has no floors of types), storage_io (fail-stop), storage_corrupt.
  [[nodiscard]] virtual Result<TrimProgress> trim(const TrimRequest& request) = 0;

  /// Small upkeep; the owner calls it about once a second on the writer thread.
  virtual void housekeep() {}

  /// Forward scan after `after`. A page that reaches its limits ends at the last segment end it
  /// passed, if it passed one, else in the middle of the segment: so a reader with small pages
  /// still meets every segment end that it needs. Entries of revisions at or below trim_floor that
  /// have a direct successor at or below it may be missing; the page's trim_floor is the highest
  /// of the types that were read (viewed_floor). Errors: storage_io, storage_corrupt.
  [[nodiscard]] virtual Result<ScanPage> scan(Position after, const ScanOptions& options) const = 0;

  /// The live entry of `key`, else its newest tombstone, else nothing.
  [[nodiscard]] virtual Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const = 0;

  /// One entry by position. Errors: not_found (trimmed or never existed).
  [[nodiscard]] virtual Result<LogEntry> read(Position position) const = 0;

  /// Newest first, at most `limit`, across class changes.
  [[nodiscard]] virtual Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                              std::size_t limit) const = 0;

  /// The newest entry of `key` at or below `revision`, across class changes, leaves included;
  /// nothing when there was none. `revision` as for ListFilter::at.
  [[nodiscard]] virtual Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                                 Revision revision) const = 0;

  /// Errors: invalid_argument (no type), storage_io, storage_corrupt.
  [[nodiscard]] virtual Result<ListPage> list(const ListFilter& filter,
                                              const std::optional<ResourceKey>& after,
                                              std::size_t limit) const = 0;

  /// Digest per class of the live resources at `state().head`, with that head, consistently.
  struct DigestsAt {
    Revision head;
    ClassDigests digests;
  };
  [[nodiscard]] virtual DigestsAt digests() const = 0;
};

}  // namespace zonesync
