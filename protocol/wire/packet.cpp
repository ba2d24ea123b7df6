// Packet framing: header, payload, padding (docs/protocol.md WIRE-01 to WIRE-09).
#include <algorithm>
#include <string>

#include "protocol/model/assert.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync::wire {
namespace {

constexpr std::size_t kAlignment = 8;
constexpr std::uint8_t kFlagZstd = 1u << 0;
constexpr std::uint8_t kFlagDictionary = 1u << 1;
constexpr std::uint8_t kFlagUp = 1u << 2;

void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

std::uint64_t get_little_endian(ByteView bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i > 0; --i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[offset + i - 1]);
  }
  return value;
}

std::size_t padded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool known(PacketKind kind) { return !to_string(kind).empty(); }
bool of_a_flow(PacketKind kind) { return kind >= PacketKind::want; }
bool with_revision(PacketKind kind) {
  return kind == PacketKind::change || kind == PacketKind::part || kind == PacketKind::patch;
}

tl::unexpected<Error> refuse(std::string problem) {
  return fail(ErrorCode::protocol, std::move(problem), "packet");
}

/// Hello and Goodbye are frozen: they never travel compressed.
bool may_be_compressed(PacketKind kind) {
  return kind != PacketKind::hello && kind != PacketKind::goodbye;
}

Result<PacketHeader> read_header(ByteView bytes, const Features& features) {
  const auto flags = static_cast<std::uint8_t>(bytes[4]);
  const auto dictionary = static_cast<std::uint8_t>(bytes[5]);
  PacketHeader header;
  header.length = static_cast<std::uint32_t>(get_little_endian(bytes, 0, 4));
  header.kind = static_cast<PacketKind>(get_little_endian(bytes, 6, 2));
  header.flow = (flags & kFlagUp) != 0 ? FlowId::up : FlowId::down;
  header.revision = Revision{get_little_endian(bytes, 8, 8)};
  if (!known(header.kind)) {
    return refuse("unknown packet kind " + std::to_string(static_cast<unsigned>(header.kind)));
  }
  const std::string kind(to_string(header.kind));
  header.zstd = (flags & kFlagZstd) != 0;
  const bool compressed = header.zstd && features.zstd && may_be_compressed(header.kind);
  if (header.zstd != compressed || (flags & kFlagDictionary) != 0 || dictionary != 0) {
    return refuse("compression was not negotiated (" + kind + ")");
  }
  if (header.kind == PacketKind::patch && !features.patch) {
    return refuse("patches were not negotiated");
  }
  if ((flags & ~(kFlagUp | kFlagZstd)) != 0) {
    return refuse("reserved flag bits are set (" + kind + ")");
  }
  if (header.flow != FlowId::down && !of_a_flow(header.kind)) {
    return refuse("flow bit on a session packet (" + kind + ")");
  }
  if (with_revision(header.kind) != (header.revision.value != 0)) {
    return refuse(with_revision(header.kind) ? "revision missing (" + kind + ")"
                                             : "revision where none belongs (" + kind + ")");
  }
  return header;
}

}  // namespace

std::string_view to_string(PacketKind kind) {
  switch (kind) {
    case PacketKind::hello: return "hello";
    case PacketKind::welcome: return "welcome";
    case PacketKind::goodbye: return "goodbye";
    case PacketKind::sync: return "sync";
    case PacketKind::synced: return "synced";
    case PacketKind::want: return "want";
    case PacketKind::intent: return "intent";
    case PacketKind::change: return "change";
    case PacketKind::part: return "part";
    case PacketKind::drop: return "drop";
    case PacketKind::mark: return "mark";
    case PacketKind::ack: return "ack";
    case PacketKind::hold: return "hold";
    case PacketKind::buckets: return "buckets";
    case PacketKind::differing: return "differing";
    case PacketKind::prints: return "prints";
    case PacketKind::remove: return "remove";
    case PacketKind::list: return "list";
    case PacketKind::patch: return "patch";
  }
  return {};
}

std::string_view to_string(FlowId flow) { return flow == FlowId::down ? "down" : "up"; }

std::string_view to_string(IntentReason reason) {
  switch (reason) {
    case IntentReason::none: return "none";
    case IntentReason::changes: return "changes";
    case IntentReason::repair: return "repair";
    case IntentReason::full: return "full";
  }
  return {};
}

std::size_t packet_bytes(std::size_t payload_bytes) {
  return limits::kPacketHeaderBytes + padded(payload_bytes);
}

void append_packet(std::string& out, const PacketHeader& header, ByteView payload) {
  ZS_ASSERT(out.size() % kAlignment == 0);
  ZS_ASSERT(payload.size() <= limits::kChangeMaxBytes);
  ZS_ASSERT(with_revision(header.kind) == (header.revision.value != 0));
  ZS_ASSERT(header.flow == FlowId::down || of_a_flow(header.kind));
  const std::size_t end = out.size() + packet_bytes(payload.size());
  if (out.capacity() < end) out.reserve(std::max(end, out.capacity() * 2));
  put_little_endian(out, payload.size(), 4);
  const unsigned flags =
      (header.flow == FlowId::up ? kFlagUp : 0u) | (header.zstd ? kFlagZstd : 0u);
  put_little_endian(out, flags, 1);
  put_little_endian(out, 0, 1);  // dictionary
  put_little_endian(out, static_cast<std::uint16_t>(header.kind), 2);
  put_little_endian(out, header.revision.value, 8);
  out.append(payload);
  out.resize(end, '\0');
}

void compress_last_packet(std::string& out, std::size_t offset) {
  ZS_ASSERT(offset + limits::kPacketHeaderBytes <= out.size());
  const ByteView packet = ByteView(out).substr(offset);
  auto header = read_header(packet, Features{.zstd = true, .patch = true});
  ZS_ASSERT(header.has_value() && packet_bytes(header->length) == packet.size());
  if (header->zstd || !may_be_compressed(header->kind)) return;
  auto frame = compress(packet.substr(limits::kPacketHeaderBytes, header->length));
  if (!frame) return;
  header->zstd = true;
  out.resize(offset);
  append_packet(out, *header, *frame);
}

Status PacketReader::inflate_payload(Packet& packet) {
  auto inflated = inflate(packet.payload, limits::kMessageMaxBytes);
  if (!inflated) return fail(std::move(inflated.error()));
  inflated_bytes_ += inflated->size();
  if (inflated_bytes_ > limits::kInflatedMessageMaxBytes) {
    return fail(ErrorCode::too_large, "the packets of one message inflate beyond the limit",
                "ZIP-04");
  }
  inflated_ = std::move(*inflated);
  packet.payload = inflated_;
  return {};
}

Result<std::optional<Packet>> PacketReader::next() {
  if (rest_.empty()) return std::optional<Packet>();
  if (rest_.size() > limits::kMessageMaxBytes) {
    return fail(ErrorCode::too_large,
                "message of " + std::to_string(rest_.size()) + " bytes; at most " +
                    std::to_string(limits::kMessageMaxBytes) + " are allowed",
                "message");
  }
  if (rest_.size() < limits::kPacketHeaderBytes) return refuse("truncated packet header");
  Result<PacketHeader> header = read_header(rest_, features_);
  if (!header) return fail(std::move(header.error()));
  const std::size_t total = packet_bytes(header->length);
  if (total > rest_.size()) {
    return refuse("truncated packet: " + std::to_string(total) + " bytes announced, " +
                  std::to_string(rest_.size()) + " left (" +
                  std::string(to_string(header->kind)) + ")");
  }
  const std::size_t end = limits::kPacketHeaderBytes + header->length;
  for (std::size_t i = end; i < total; ++i) {
    if (rest_[i] != '\0') return refuse("padding is not zero");
  }
  Packet packet{*header, rest_.substr(limits::kPacketHeaderBytes, header->length), total};
  rest_.remove_prefix(total);
  if (header->zstd) {
    if (auto status = inflate_payload(packet); !status) return fail(std::move(status.error()));
  }
  return std::optional<Packet>(packet);
}

}  // namespace zonesync::wire
