// A full answer says what is there, not how it came to be: entries that a later one of their key
// took the place of are left out of it (docs/protocol.md FLOW-05).
//
// Leaving one out is as if the log had been trimmed there: the cut may not end before the one that
// took its place. Thread rule: the session's thread.
#pragma once

#include <optional>

#include "protocol/core/ports.hpp"

namespace zonesync {

/// What a source may know besides. One that does not sends its whole log.
/// Thread rule: as ChangeSource.
class KnowsSuccessors {
 public:
  virtual ~KnowsSuccessors() = default;
  /// Revision of what took the place of this upsert, in any class, as of now; nothing = it is
  /// what the log holds of its key. Errors: storage_io, storage_corrupt.
  [[nodiscard]] virtual Result<std::optional<Revision>> superseded_at(
      const LogEntry& upsert) const = 0;
};

struct LeaveOut {
  std::size_t from = 0;     // first entry of the page that may go
  Revision until;           // no entry of a later revision goes
  bool leaves = false;      // leaves go too: the receiver has nothing that they could remove
};

/// Takes out of `page` what the receiver of a full answer need not see. The revision before which
/// the cut must not end; nothing left out = zero. Errors: those of the source.
[[nodiscard]] Result<Revision> leave_out_superseded(const ChangeSource& source, ScanPage& page,
                                                    const LeaveOut& what);

/// Whether the first `changes` admitted entries of `revision` are upserts that nothing took the
/// place of: then every answer began that revision with them. Errors: those of the source.
[[nodiscard]] Result<bool> begins_alike(const ChangeSource& source, const View& view,
                                        Revision revision, std::uint64_t changes);

}  // namespace zonesync
