// Checks the lists of one v1 cut as they arrive: docs/protocol.md V1-03, V1-04.
//
// Life cycle: one per receiver, `reset` at every Intent and Mark.
// Thread rule: the session's thread.
#pragma once

#include <optional>

#include "protocol/core/ports.hpp"

namespace zonesync {

class ListCheck {
 public:
  void reset() { *this = ListCheck(); }
  /// A List packet. Errors: protocol (the list before it is not complete).
  Status open(const wire::List& list);
  /// A change. Errors: protocol (outside a list, of another type, a leave, one too many, newer than
  /// the list).
  Status item(const StagedChange& change);
  /// The Mark. Errors: protocol (the last list is not complete, or newer than the cut).
  Status end(Revision to);

  /// A list's content was not what its digest said: nothing of the cut may be applied.
  [[nodiscard]] bool digest_differs() const { return digest_differs_; }
  [[nodiscard]] bool any() const { return any_; }

 private:
  Status close_list();

  std::optional<wire::List> list_;
  Digest got_;
  Revision newest_;
  bool any_ = false;
  bool digest_differs_ = false;
};

}  // namespace zonesync
