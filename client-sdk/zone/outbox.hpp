// The zone's own log: what it publishes, at local revisions, as durable as the log below it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/flowlog/log_source.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/wire/message.hpp"
#include "storage/change_log.hpp"

namespace zonesync {

/// One own change: `resource` absent = leave of `key`. An empty origin means ours.
struct OutboxOp {
  ResourceKey key;
  std::optional<Resource> resource;
};

struct OutboxResult {
  Revision revision;          // where it is durable; nothing written = the head
  std::size_t written = 0;
  std::size_t unchanged = 0;
};

using OutboxDone = std::function<void(Result<OutboxResult>)>;

/// Checks ownership before anything is written, skips what would change nothing, and appends one
/// transaction per call. Life cycle: one per log, outlives the sessions.
/// Thread rule: the log's writer thread; source() may be read from any thread.
class Outbox {
 public:
  /// `log` outlives the outbox.
  Outbox(std::string zone, ChangeLog& log, std::size_t hot_tail_bytes,
         std::shared_ptr<const TypeRegistry> registry);

  void set_registry(std::shared_ptr<const TypeRegistry> registry);
  [[nodiscard]] const std::shared_ptr<const TypeRegistry>& registry() const { return registry_; }

  /// All or nothing. `done` runs once, inline or later. Errors: as may_write and may_remove;
  /// invalid_argument (a key twice), too_large, resource_exhausted, storage_io.
  void publish(std::vector<OutboxOp> ops, OutboxDone done);
  /// The log now holds everything the zone has.
  Status declare_complete();

  /// The present resources, in key order.
  [[nodiscard]] Result<std::vector<Resource>> present() const;
  [[nodiscard]] const LogSource& source() const { return source_; }
  [[nodiscard]] wire::LogInfo info() const;
  [[nodiscard]] Revision head() const { return source_.head(); }
  /// The hub's verdicts against what we sent; a newer version or an acceptance clears one.
  /// A verdict on a version that is not the newest any more says nothing.
  void on_verdict(const Verdict& verdict);
  /// A hub that welcomes us reports every open reject again (FLOW-26).
  void forget_rejects() { rejects_.clear(); }
  [[nodiscard]] std::vector<Verdict> rejects() const;

 private:
  struct Waiting {
    std::vector<OutboxOp> ops;
    OutboxDone done;
  };
  /// Appends what `op` changes: nothing, one entry, or a leave of the old class and an upsert.
  Status add_changes(OutboxOp op, std::vector<Change>& changes, OutboxResult& result) const;
  Status add_upsert(Resource resource, std::vector<Change>& changes, OutboxResult& result) const;
  Status add_leave(ResourceKey key, std::vector<Change>& changes, OutboxResult& result) const;
  [[nodiscard]] Result<std::vector<Change>> plan(std::vector<OutboxOp> ops,
                                                 OutboxResult& result) const;
  void start(Waiting request);
  void append(std::vector<Change> changes, OutboxResult result, OutboxDone done);

  std::string zone_;
  ChangeLog& log_;
  LogSource source_;
  std::shared_ptr<const TypeRegistry> registry_;
  std::map<ResourceKey, Verdict> rejects_;
  bool appending_ = false;
  std::deque<Waiting> waiting_;  // bounded by limits::kCommitQueueMaxRequests
};

}  // namespace zonesync
