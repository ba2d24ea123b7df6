// Packets that break one rule each, made from right ones.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "conformance/suite/log.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::conform {

/// Edits of an encoded packet; header offsets as in docs/protocol.md §2.
namespace edit {
inline void flags(std::string& packet, unsigned char bits) {
  packet[4] = static_cast<char>(static_cast<unsigned char>(packet[4]) | bits);
}
inline void dictionary(std::string& packet) { packet[5] = 1; }
inline void kind(std::string& packet, unsigned value) {
  packet[6] = static_cast<char>(value & 0xff);
  packet[7] = static_cast<char>(value >> 8);
}
inline void revision(std::string& packet, unsigned char value) {
  packet[8] = static_cast<char>(value);
}
void length(std::string& packet, std::uint32_t value);
[[nodiscard]] std::uint32_t length(const std::string& packet);
/// Replaces text of the payload by text of the same length; the case fails when it is not there.
void text(std::string& packet, std::string_view from, std::string_view to);
}  // namespace edit

/// One way to break a rule of the wire.
struct Breakage {
  std::string_view name;
  std::string_view clause;
  std::string_view title;
  std::function<void(std::string&)> spoil;   // of an Ack packet
};
/// Those that every receiver must answer with 4400.
[[nodiscard]] std::span<const Breakage> breakages();

/// A change that breaks a rule of its content, as a Change packet.
struct BadChange {
  std::string_view name;
  std::string_view clause;
  std::string_view title;
  std::function<void(std::string&)> spoil;   // of the packet
  std::function<void(Resource&)> shape;      // of the resource before it is encoded
};
[[nodiscard]] std::span<const BadChange> bad_changes();
/// The packet; `resource` is what the sender may send otherwise.
[[nodiscard]] std::string bad_change_packet(const BadChange& bad, wire::FlowId flow,
                                            Revision revision, Resource resource);

}  // namespace zonesync::conform
