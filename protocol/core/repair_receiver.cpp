#include "protocol/core/repair_receiver.hpp"

#include <algorithm>

#include "protocol/model/limits.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {
namespace {

bool by_key(const Print& a, const Print& b) { return a.key < b.key; }

}  // namespace

RepairReceiver::RepairReceiver(wire::FlowId flow, std::vector<Print> prints)
    : flow_(flow), prints_(std::move(prints)), bits_(bucket_bits_for(prints_.size())) {
  std::sort(prints_.begin(), prints_.end(), by_key);
}

Status RepairReceiver::on_differing(const wire::Differing& differing) {
  if (step_ != Step::differing) {
    return fail(ErrorCode::protocol, "Differing that was not asked for", "REP-03");
  }
  std::vector<bool> differs(std::size_t{1} << bits_);
  for (const std::uint16_t bucket : differing.buckets) {
    if (bucket >= differs.size()) {
      return fail(ErrorCode::protocol, "Differing names a bucket that was not sent", "REP-03");
    }
    differs[bucket] = true;
  }
  std::erase_if(prints_, [&](const Print& print) { return !differs[bucket_of(print.key, bits_)]; });
  step_ = differing.buckets.empty() ? Step::printed : Step::prints;
  return {};
}

Status RepairReceiver::on_remove(const wire::Remove& remove, bool changes_came) {
  if (!printed() || changes_came) {
    return fail(ErrorCode::protocol, "Remove stands between the comparison and the changes",
                "REP-05");
  }
  for (const Id128& key : remove.fingerprints) {
    const auto found = std::lower_bound(prints_.begin(), prints_.end(), Print{key, {}}, by_key);
    const bool known = found != prints_.end() && found->key == key;
    if (!known || (last_removed_ && *last_removed_ >= key)) {
      return fail(ErrorCode::protocol, "Remove names a key that was not printed, or one twice",
                  "REP-05");
    }
    last_removed_ = key;
  }
  return {};
}

void RepairReceiver::produce(std::string& out) {
  if (step_ == Step::buckets) {
    BucketSums sums(bits_);
    for (const Print& print : prints_) sums.add(print);
    wire::append(out, flow_, wire::Buckets{static_cast<std::uint8_t>(bits_), sums.sums()});
    step_ = Step::differing;
  } else if (step_ == Step::prints) {
    const std::size_t count = std::min(limits::kRepairPrintsPerPacket, prints_.size() - next_);
    const auto begin = prints_.begin() + static_cast<std::ptrdiff_t>(next_);
    wire::Prints packet;
    packet.records.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    next_ += count;
    packet.last = next_ == prints_.size();
    wire::append(out, flow_, packet);
    if (packet.last) step_ = Step::printed;
  }
}

}  // namespace zonesync
