#include "conformance/suite/hostile.hpp"

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

void edit::length(std::string& packet, std::uint32_t value) {
  for (int at = 0; at < 4; ++at) packet[at] = static_cast<char>(value >> (8 * at));
}

std::uint32_t edit::length(const std::string& packet) {
  std::uint32_t value = 0;
  for (int at = 3; at >= 0; --at) value = value << 8 | static_cast<unsigned char>(packet[at]);
  return value;
}

void edit::text(std::string& packet, std::string_view from, std::string_view to) {
  const auto at = packet.find(from);
  require(at != std::string::npos && from.size() == to.size(), "suite: no such text to spoil");
  packet.replace(at, to.size(), to);
}

namespace {

const Breakage kBreakages[] = {
    {"truncated", "WIRE-02", "A packet that ends after its message",
     [](std::string& packet) { packet.resize(packet.size() - 8); }},
    {"trailing-bytes", "WIRE-02", "Bytes behind the last packet",
     [](std::string& packet) { packet += std::string(7, '\0'); }},
    {"half-header", "WIRE-02", "Half a header behind the last packet",
     [](std::string& packet) { packet += packet.substr(0, 8); }},
    {"length-too-long", "WIRE-02", "A length beyond the message",
     [](std::string& packet) { edit::length(packet, 1u << 30); }},
    {"big-endian-length", "WIRE-01", "A length in big endian",
     [](std::string& packet) {
       const std::uint32_t length = edit::length(packet);
       edit::length(packet, __builtin_bswap32(length));
     }},
    {"unknown-kind", "WIRE-03", "A kind that the page does not know",
     [](std::string& packet) { edit::kind(packet, 999); }},
    {"kind-zero", "WIRE-03", "Kind 0", [](std::string& packet) { edit::kind(packet, 0); }},
    {"reserved-flag", "WIRE-04", "A reserved flag bit",
     [](std::string& packet) { edit::flags(packet, 0x80); }},
    {"reserved-flag-3", "WIRE-04", "Reserved flag bit 3",
     [](std::string& packet) { edit::flags(packet, 0x08); }},
    {"zstd-not-negotiated", "WIRE-05", "Compression that was not negotiated",
     [](std::string& packet) { edit::flags(packet, 0x01); }},
    {"dictionary-not-negotiated", "WIRE-05", "A dictionary that was not negotiated",
     [](std::string& packet) { edit::dictionary(packet); }},
    {"revision-on-ack", "WIRE-07", "A revision on a packet that has none",
     [](std::string& packet) { edit::revision(packet, 5); }},
    {"padding", "WIRE-08", "Padding that is not zero",
     [](std::string& packet) {
       const std::uint32_t length = edit::length(packet);
       if (length % 8 == 0) edit::length(packet, length - 1);
       packet.back() = 'x';
     }},
    {"random-payload", "WIRE-10", "A payload that is no table",
     [](std::string& packet) {
       for (std::size_t at = 16; at < packet.size(); ++at) packet[at] = static_cast<char>(0xa7);
     }},
    {"zero-payload", "WIRE-10", "A payload of zeros",
     [](std::string& packet) {
       for (std::size_t at = 16; at < packet.size(); ++at) packet[at] = 0;
     }},
    {"empty-payload", "WIRE-10", "No payload at all",
     [](std::string& packet) {
       packet.resize(16);
       edit::length(packet, 0);
     }},
    {"offset-out-of-bounds", "WIRE-10", "A root offset beyond the payload",
     [](std::string& packet) { packet[17] = static_cast<char>(0x7f); }},
};

const BadChange kBadChanges[] = {
    {"revision-zero", "WIRE-07", "A Change without a revision",
     [](std::string& packet) { packet[8] = 0; }, nullptr},
    {"name-with-slash", "WIRE-12", "A resource name with a slash",
     [](std::string& packet) { edit::text(packet, "victim", "vic/im"); }, nullptr},
    {"name-with-control", "WIRE-12", "A resource name with a control character",
     [](std::string& packet) { edit::text(packet, "victim", "vic\x01im"); }, nullptr},
    {"name-not-utf8", "WIRE-11", "A resource name that is not UTF-8",
     [](std::string& packet) { edit::text(packet, "victim", "vic\xffim"); }, nullptr},
    {"type-with-space", "WIRE-11", "A type name with a space",
     [](std::string& packet) { edit::text(packet, "Mesh", "Me h"); }, nullptr},
    {"mesh-with-slash", "WIRE-12", "A mesh name with a slash",
     [](std::string& packet) { edit::text(packet, "default", "def/ult"); }, nullptr},
    {"labels-unsorted", "FLOW-08", "Labels that are not sorted",
     [](std::string& packet) {
       edit::text(packet, "label-a", "label-z");
     },
     [](Resource& resource) { resource.labels = {{"label-a", "1"}, {"label-b", "2"}}; }},
    {"label-twice", "FLOW-08", "A label key twice",
     [](std::string& packet) { edit::text(packet, "label-a", "label-b"); },
     [](Resource& resource) { resource.labels = {{"label-a", "1"}, {"label-b", "2"}}; }},
    {"label-not-utf8", "WIRE-11", "A label value that is not UTF-8",
     [](std::string& packet) { edit::text(packet, "value-1", "value\xff\xff"); },
     [](Resource& resource) { resource.labels = {{"label-a", "value-1"}}; }},
};

}  // namespace

std::span<const Breakage> breakages() { return kBreakages; }
std::span<const BadChange> bad_changes() { return kBadChanges; }

std::string bad_change_packet(const BadChange& bad, wire::FlowId flow, Revision revision,
                              Resource resource) {
  resource.key.name = "victim";
  if (bad.shape) bad.shape(resource);
  std::string packet;
  wire::append_change(packet, flow, revision, upsert_of(resource));
  bad.spoil(packet);
  return packet;
}

}  // namespace zonesync::conform
