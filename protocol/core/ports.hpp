// The two ports of a flow: where a sender reads from and where a receiver applies to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/buckets.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/log.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/model/verdict.hpp"
#include "protocol/wire/message.hpp"

namespace zonesync {

/// Says of a class whether it is wanted. May be called under the log's lock: it must not call back.
using ClassFilter = std::function<bool(const Class&)>;

/// One page of what a view held of one type at one revision, in key order.
struct StatePage {
  std::vector<LogEntry> entries;     // live ones; may be empty although more follows
  std::optional<ResourceKey> next;   // `after` of the next page; empty = end
  bool forgotten = false;            // the log trimmed what that state needs: ask for a newer one
};

/// Payloads of the packets that carry one upsert, as zstd frames: one for a Change, one per Part.
/// An empty one does not pay: that packet travels as it is.
using Frames = std::vector<std::string>;

/// Read side of a log as a flow's sender sees it. Implementation: protocol/flowlog.
/// Thread rule: called on the session's thread only, but several sessions on several threads share
/// one log, so implementations are thread-safe.
class ChangeSource {
 public:
  virtual ~ChangeSource() = default;
  [[nodiscard]] virtual LogState state() const = 0;
  /// Newest durable revision: cheap, called at every pull.
  [[nodiscard]] virtual Revision head() const = 0;
  /// Admitted entries after `after`, at most about `max_bytes` of payload (one always fits).
  [[nodiscard]] virtual Result<ScanPage> scan(Position after, const View& view,
                                              std::size_t max_bytes) const = 0;
  /// The same for any set of classes.
  [[nodiscard]] virtual Result<ScanPage> scan_classes(Position after, const ClassFilter& wanted,
                                                      std::size_t max_bytes) const = 0;
  /// Wanted classes with content at the newest durable revision.
  [[nodiscard]] virtual std::vector<Class> classes_now(const ClassFilter& wanted) const = 0;
  /// Wanted classes that had content at `base`, a segment's end, or were touched after it up to
  /// `until`; nothing when `base` is too far behind the head to know.
  [[nodiscard]] virtual std::optional<std::vector<Class>> classes_between(
      Revision base, Position until, const ClassFilter& wanted) const = 0;
  /// Digest of the view's content at `revision`, when it is near enough to the head to know.
  [[nodiscard]] virtual std::optional<Digest> digest_at(Revision revision,
                                                        const View& view) const = 0;
  /// Fingerprints of everything live at the head, whatever the view: for repairs (REP-*).
  [[nodiscard]] virtual Result<std::shared_ptr<const FingerprintTable>> fingerprints() const = 0;
  /// One entry by position. Errors: not_found (trimmed since), storage_io, storage_corrupt.
  [[nodiscard]] virtual Result<LogEntry> read(Position position) const = 0;

  // What v1 needs besides. A source that cannot answer serves delta only.
  /// As digest_at, per type; types without content are left out.
  [[nodiscard]] virtual std::optional<std::map<std::string, Digest>> type_digests_at(
      Revision revision, const View& view) const;
  /// At most about `max_bytes` of payload (one entry always fits), after the key `after`. The
  /// revision is the end of a segment, and was the head not long ago. Errors: storage_io,
  /// storage_corrupt, unsupported.
  [[nodiscard]] virtual Result<StatePage> state_at(Revision revision, const std::string& type,
                                                   const std::optional<ResourceKey>& after,
                                                   const View& view, std::size_t max_bytes) const;

  // Smaller forms of an upsert that `scan` gave, made once and shared between sessions; nothing =
  // there is none. Never asked for sensitive types.
  [[nodiscard]] virtual std::shared_ptr<const Frames> compressed(const LogEntry&) const {
    return nullptr;
  }
  /// Payload of a Patch packet that leads from the entry's direct predecessor to it.
  [[nodiscard]] virtual std::shared_ptr<const std::string> patch(const LogEntry&) const {
    return nullptr;
  }
};

/// A change with the revision it has in the sender's log.
struct StagedChange {
  Revision revision;
  Change change;
};

/// What ends a cut, as the sink needs it.
struct CutEnd {
  wire::IntentReason reason = wire::IntentReason::changes;
  bool complete = false;             // of the sender's log
  Id128 log_id;
  std::optional<Cursor> from;        // absent = the cut replaces (full) or repairs (reason)
  Cursor to;
  std::optional<Digest> digest;      // expected after this cut
};

struct CutResult {
  Cursor cursor;                     // durable now
  std::vector<Verdict> verdicts;     // refused versions of this cut, withdrawn rejects
};

using CommitToken = std::uint64_t;

/// Why a cut did not become durable; the receiver reacts by kind, not by text.
struct CutFailure {
  enum class Kind : std::uint8_t {
    digest_mismatch,  // content would not match: ask again (full), wipe nothing
    hold,             // storage trouble or a guard: keep the flow, send Hold, retry later
    stale,            // fenced: close the session; error code conflict = another instance took
                      // over (final for this one), precondition_failed = only the cursor moved
    fatal,            // the store refuses for good
  };
  Kind kind = Kind::fatal;
  Error error;
  std::string hold_reason;           // for hold: "mass_delete", "disk_full", ...
};

using CommitDone =
    std::function<void(CommitToken, tl::expected<CutResult, CutFailure>)>;

/// A full cut: what it does not name goes, if the log is complete.
[[nodiscard]] inline bool is_full(const CutEnd& end) {
  return !end.from && end.reason != wire::IntentReason::repair;
}
/// A repair: what it does not name stays and is equal to what the sender has.
[[nodiscard]] inline bool is_repair(const CutEnd& end) {
  return !end.from && end.reason == wire::IntentReason::repair;
}

/// Apply side of a flow's receiver. Thread rule: the session's thread; completions arrive there.
class CutSink {
 public:
  virtual ~CutSink() = default;
  /// What is durably applied; absent = nothing yet.
  [[nodiscard]] virtual std::optional<Cursor> cursor() const = 0;
  /// Whether entries are kept that a full answer of a partial log did not name (§4.9).
  [[nodiscard]] virtual bool holds_unconfirmed() const { return false; }
  /// Whether anything is held that a repair could build on, also without a cursor.
  [[nodiscard]] virtual bool has_content() const { return cursor().has_value(); }
  /// A print of every key that is held, unconfirmed ones too; a version that must come again, such
  /// as a rejected one, has a zero hash (REP-03). Called when no commit is outstanding. Nothing =
  /// not able to repair, or more than limits::kRepairPrintsMax.
  [[nodiscard]] virtual std::optional<std::vector<Print>> prints() const { return std::nullopt; }
  /// How far the open cut is staged, when the sender may go on behind it, in this session or a
  /// later one; nothing = it must start anew (STG-01).
  [[nodiscard]] virtual std::optional<wire::Staged> staged() const { return std::nullopt; }
  /// A new answer of the sender starts. Staged changes of an unfinished cut are dropped, unless
  /// `intent.resumed` says that the answer goes on behind staged().
  virtual void begin(const wire::Intent& intent) = 0;
  /// Stages one change of the open cut. Errors: too_large, resource_exhausted, storage_io.
  virtual Status stage(StagedChange change) = 0;
  /// A class left the view, or enters it anew: what is staged of it goes, and with the cut what is
  /// there of it (VIEW-02). Staged changes that follow may be older than the cursor. Errors:
  /// protocol (this receiver's views do not change).
  virtual Status drop(const Class& cls);
  /// v1: a complete list of `type` begins; what is staged until the next list or the commit is all
  /// the view holds of it, so that other resources of the type, as far as this log ever named them,
  /// leave with the cut. What was staged of the type before in this cut is void (V1-05). Errors:
  /// protocol (a type that the flow does not carry, V1-04), unsupported.
  virtual Status list(const std::string& type);
  /// The open repair's sender does not have this printed key. Before any change of the cut: one
  /// that comes later for the key wins. From a complete log the resource goes, from a partial one
  /// it becomes unconfirmed. Errors: as stage.
  virtual Status stage_remove(const Id128& key_fingerprint) {
    static_cast<void>(key_fingerprint);
    return fail(ErrorCode::unsupported, "this sink cannot repair");
  }
  /// Ends the open cut: what was staged becomes durable together with the cursor, then `done` is
  /// called exactly once, inline or later. Several commits may be outstanding, answered in order.
  /// `end.from == end.to` with nothing staged is an idle Mark: check the digest, write nothing.
  virtual void commit(const CutEnd& end, CommitToken token, CommitDone done) = 0;
  /// The payload of the version of `key` with this hash, staged or stored, the offered one whatever
  /// its verdict; empty = not here, then the sender sends the next one whole (ZIP-16).
  [[nodiscard]] virtual SharedBytes held(const ResourceKey&, const Hash128&) const { return {}; }
};

}  // namespace zonesync
