// Sending half of a repair: which of its resources the receiver lacks, and which it has too many.
// docs/protocol.md REP-*.
//
//   on_buckets ──► Differing ──► on_prints* ──► next_removes* ──► next_page* ──► finished
//
// It never lists keys: it compares the receiver's prints with a table of fingerprints, then reads
// only what differs. Bounded by its own log and limits::kRepairPrintsMax.
//
// Life cycle: one per answer `repair`; the sender of the flow drops it with its cut.
// Thread rule: the session's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/core/ports.hpp"

namespace zonesync {

class RepairSender {
 public:
  /// `source` outlives it.
  RepairSender(wire::FlowId flow, const ChangeSource& source, View view)
      : flow_(flow), source_(source), view_(std::move(view)) {}

  // -- events: errors are violations of the peer (protocol, too_large) or of the source -----------
  Status on_buckets(const wire::Buckets& buckets);
  Status on_prints(const wire::Prints& prints);

  // -- output -------------------------------------------------------------------------------------
  /// Appends Differing once it is known.
  void produce(std::string& out);
  /// The comparison is over: removes and pages may leave.
  [[nodiscard]] bool compared() const { return step_ == Step::compared; }
  /// The state that the repair describes; the log goes on behind it.
  [[nodiscard]] Revision at() const { return table_->at; }
  /// Fingerprints for one Remove packet; empty = all were taken.
  [[nodiscard]] std::vector<Id128> next_removes();
  /// Entries that the receiver lacks, in log order, about `max_bytes` of payload; the last page
  /// ends at `at()`. Errors: those of the source.
  [[nodiscard]] Result<ScanPage> next_page(std::size_t max_bytes);
  /// The last page was taken.
  [[nodiscard]] bool done() const { return done_; }

 private:
  enum class Step : std::uint8_t { buckets, prints, compared };
  void own_until(const Id128* end);
  void finish();

  wire::FlowId flow_;
  const ChangeSource& source_;
  View view_;
  Step step_ = Step::buckets;
  std::shared_ptr<const FingerprintTable> table_;
  std::vector<bool> admitted_;              // by class of the table
  unsigned bits_ = 0;
  std::vector<bool> differs_;               // by bucket
  std::optional<wire::Differing> to_send_;
  std::size_t next_own_ = 0;                // entry of the table that is compared next
  std::optional<Id128> last_print_;
  std::size_t prints_ = 0;
  std::vector<Position> lacking_;
  std::size_t next_lacking_ = 0;
  std::vector<Id128> removes_;
  std::size_t next_remove_ = 0;
  bool done_ = false;
};

}  // namespace zonesync
