// The packets of a repair in a session (docs/protocol.md REP-01).
#include "protocol/core/session.hpp"

namespace zonesync {

using wire::FlowId;
using wire::PacketKind;

/// Repair runs both ways: Buckets and Prints against the data, Differing and Remove with it.
Status Session::dispatch_repair(const wire::Packet& packet, TimePoint now) {
  const PacketKind kind = packet.header.kind;
  const bool feedback = kind == PacketKind::buckets || kind == PacketKind::prints;
  const FlowId inbound = options_.role == SessionRole::hub ? FlowId::up : FlowId::down;
  const bool with_data = packet.header.flow == inbound;
  if (!repairs() || feedback == with_data || (feedback ? !sender_ : !receiver_)) {
    return fail(ErrorCode::protocol, "repair on a flow that has none", "REP-01");
  }
  switch (kind) {
    case PacketKind::buckets: {
      auto buckets = wire::decode_buckets(packet.payload);
      return buckets ? sender_->on_buckets(*buckets) : fail(buckets.error());
    }
    case PacketKind::prints: {
      auto prints = wire::decode_prints(packet.payload);
      return prints ? sender_->on_prints(*prints) : fail(prints.error());
    }
    case PacketKind::differing: {
      auto differing = wire::decode_differing(packet.payload);
      return differing ? receiver_->on_differing(*differing) : fail(differing.error());
    }
    default: {
      auto remove = wire::decode_remove(packet.payload);
      return remove ? receiver_->on_remove(*remove, packet.packet_bytes, now)
                    : fail(remove.error());
    }
  }
}

}  // namespace zonesync
