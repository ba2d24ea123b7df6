// A write as the API asks for it, and as it waits in the commit queue.
//
//   WriteRequest --prepare (caller's thread: validate, authorise, encode, hash)--> PreparedWrite
//   PreparedWrite --HubCore (writer thread: preconditions, revision, durable)--> WriteResult
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/resource.hpp"
#include "protocol/model/scope.hpp"

namespace zonesync::hub {

/// One operation of a transaction.
struct WriteOp {
  enum class Kind : std::uint8_t { upsert, remove };
  Kind kind = Kind::upsert;
  Resource resource;                  // upsert
  ResourceKey key;                    // remove
  std::optional<Revision> if_match;   // revision of the live version
  bool if_absent = false;             // no live version may exist
};

/// One transaction: all or nothing. At most limits::kTransactionMaxChanges ops of distinct keys
/// and limits::kTransactionMaxBytes.
struct WriteRequest {
  Writer writer{std::string(kGlobalOrigin)};
  std::vector<WriteOp> ops;
  bool dry_run = false;               // judge only: nothing is logged, no revision is taken
  std::string idempotency_key;        // empty = none; <= limits::kIdempotencyKeyMaxBytes
  std::string actor;                  // who, for the audit record; also the fairness source
};

enum class WriteAction : std::uint8_t {
  created,
  updated,
  unchanged,  // same content and class as the live version: nothing was logged
  removed,
  absent,     // removal of what was not there: nothing was logged
};
[[nodiscard]] std::string_view to_string(WriteAction action);

/// What became of one op, in request order.
struct WriteOutcome {
  ResourceKey key;
  WriteAction action = WriteAction::unchanged;
  Revision revision;  // of the version (or leave) that now is newest; 0 = never existed, dry run
  friend bool operator==(const WriteOutcome&, const WriteOutcome&) = default;
};

struct WriteResult {
  /// Of this transaction; when nothing changed (or dry run), the head it was judged against.
  Revision revision;
  bool changed = false;   // took a revision
  bool replayed = false;  // answered from an earlier request with the same idempotency key
  std::vector<WriteOutcome> outcomes;
};

using WriteDone = std::function<void(Result<WriteResult>)>;

/// A write that needs nothing but the writer thread. Movable, immutable by convention.
struct PreparedWrite {
  struct Op {
    Change change;                    // a leave of an unknown class for removals (class is filled
                                      // from the live version by the writer thread)
    std::optional<Revision> if_match;
    bool if_absent = false;
  };
  std::vector<Op> ops;
  std::size_t bytes = 0;
  bool dry_run = false;
  std::string idempotency_key;
  Hash128 request_hash;               // of the ops: the same key with other ops is a conflict
  std::string source;                 // fairness: the queue is served round robin by source
};

/// Checks and encodes on the caller's thread. Errors (field = "/ops/N" + "/part"): those of
/// may_write and may_remove, invalid_argument (no ops, key twice, system type, both preconditions),
/// too_large (changes, bytes, idempotency key).
[[nodiscard]] Result<PreparedWrite> prepare(const TypeRegistry& registry,
                                            const WriteRequest& request);

}  // namespace zonesync::hub
