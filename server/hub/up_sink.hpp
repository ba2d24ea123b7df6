// Apply side of a zone's up flow: collects cuts on the session's thread and hands them to the
// writer, whole while they are small and in pieces when they are not.
//
//   changes  <= one transaction: atomic. More: upserts as they come, in pieces; removes and the
//            cursor only with the last piece.
//   full     upserts in pieces as they come; the last piece carries every key that was named.
//   repair   the same; the last piece carries the keys that the zone does not have.
//
// Nothing moves the cursor but the last piece, so an interrupted answer is sent again and what is
// equal already is skipped.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/up_commit.hpp"
#include "server/hub/up_versions.hpp"

namespace zonesync::hub {

/// Life cycle: one per session. Thread rule: the session's thread; completions arrive there.
class UpSink final : public CutSink {
 public:
  struct Options {
    std::string zone;
    Generation generation;
    SessionId session;
    std::size_t atomic_max_changes = limits::kTransactionMaxChanges;
    std::size_t atomic_max_bytes = limits::kTransactionMaxBytes;
    std::size_t piece_max_changes = limits::kUpPieceMaxChanges;
    std::size_t piece_max_bytes = limits::kUpPieceMaxBytes;
    std::size_t named_max = 2 * limits::kResourcesPerZoneMax;
    std::size_t backlog_max_bytes = 32u << 20;  // handed to the writer, not answered
  };
  struct Events {
    std::function<void(std::size_t bytes)> backlog;  // changed: adapt the flow's window
    std::function<void()> idle;                      // nothing is with the writer any more
    std::function<std::int64_t()> now_ms;            // wall clock
    std::function<bool()> has_content;               // of this origin; absent = by the cursor
    std::function<std::optional<std::vector<Print>>()> prints;  // absent = never repaired
    /// Payload of the hub's version of a key, if it has this hash; none = no patch finds a base
    /// that is durable.
    std::function<SharedBytes(const ResourceKey&, const Hash128&)> stored;
  };

  /// `port` outlives the sink. `cursor` = what Welcome said.
  UpSink(Options options, UpPort& port, std::shared_ptr<const TypeRegistry> registry, View view,
         std::optional<Cursor> cursor, Events events);
  ~UpSink() override;

  [[nodiscard]] std::optional<Cursor> cursor() const override { return cursor_; }
  [[nodiscard]] bool has_content() const override;
  [[nodiscard]] std::optional<std::vector<Print>> prints() const override;
  Status stage_remove(const Id128& key_fingerprint) override;
  void begin(const wire::Intent& intent) override;
  /// Errors: protocol (a leave of somebody else's key), too_large (more keys than a zone may have).
  Status stage(StagedChange change) override;
  /// Errors: protocol (a type that zones do not publish).
  Status list(const std::string& type) override;
  void commit(const CutEnd& end, CommitToken token, CommitDone done) override;
  [[nodiscard]] SharedBytes held(const ResourceKey& key, const Hash128& hash) const override;

  /// Pieces with the writer.
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }

 private:
  [[nodiscard]] std::optional<Reject> judge(const Change& change) const;
  Status name(const ResourceKey& key, bool leave);
  void fold_transaction();
  void flush_upserts();
  void submit(UpCommit commit, UpDone done);
  [[nodiscard]] UpCommit make_commit() const;
  void reset_cut();
  void answered(std::size_t bytes);

  Options options_;
  UpPort& port_;
  std::shared_ptr<const TypeRegistry> registry_;
  View view_;
  std::optional<Cursor> cursor_;
  Events events_;
  std::shared_ptr<bool> alive_;

  Id128 log_id_;
  bool replacing_ = false;                    // the open cut is a full one or a repair
  bool in_pieces_ = false;                    // pieces of the open cut went out already
  std::map<ResourceKey, UpChange> transaction_;  // the zone's transaction that is arriving
  Revision transaction_revision_;
  std::map<ResourceKey, UpChange> staged_;    // of finished ones, the newest version of each key
  std::size_t staged_bytes_ = 0;
  std::size_t transaction_bytes_ = 0;
  std::map<ResourceKey, UpChange> leaves_;    // wait for the last piece
  std::shared_ptr<NamedKeys> named_;          // full
  std::shared_ptr<NamedKeys> removed_;        // repair
  std::map<std::string, NamedKeys> listed_;   // v1: what the lists of the open cut named
  std::optional<CutFailure> piece_failure_;   // a piece of the open cut failed
  std::shared_ptr<std::vector<Verdict>> verdicts_;  // of pieces, also of cuts that failed
  std::uint64_t cut_ = 0;                     // number of the open cut
  std::uint32_t piece_ = 0;                   // number of its next piece
  UpVersions with_writer_;
  std::size_t outstanding_ = 0;
  std::size_t backlog_bytes_ = 0;
};

}  // namespace zonesync::hub
