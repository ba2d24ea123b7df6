// Receiving half of a repair: says what it holds, bucket by bucket. docs/protocol.md REP-*.
//
// Life cycle: made when the sender answers `repair`, dropped when the cut ends or a Want goes out.
// Thread rule: the session's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/wire/message.hpp"

namespace zonesync {

class RepairReceiver {
 public:
  /// `prints`: every key that is held, in any order.
  RepairReceiver(wire::FlowId flow, std::vector<Print> prints);

  /// Errors: protocol (a second one, a bucket that does not exist).
  Status on_differing(const wire::Differing& differing);
  /// Errors: protocol (before the comparison is over, behind a change, not a key that was printed).
  Status on_remove(const wire::Remove& remove, bool changes_came);
  /// Whether data may come: everything that was asked for was printed.
  [[nodiscard]] bool printed() const { return step_ == Step::printed; }

  /// Appends Buckets, or the next Prints: at most one packet each time.
  void produce(std::string& out);

 private:
  enum class Step : std::uint8_t { buckets, differing, prints, printed };

  wire::FlowId flow_;
  std::vector<Print> prints_;        // sorted; after Differing only those of differing buckets
  unsigned bits_ = 0;
  Step step_ = Step::buckets;
  std::size_t next_ = 0;
  std::optional<Id128> last_removed_;
};

}  // namespace zonesync
