// Encode and decode: the only place where raw peer bytes are read.
#pragma once

#include <optional>
#include <string>

#include "protocol/model/result.hpp"
#include "protocol/wire/features.hpp"
#include "protocol/wire/message.hpp"

namespace zonesync::wire {

// -- Changes -------------------------------------------------------------------------------------

/// Encodes once: payload and hash of an upsert. Deterministic: equal input gives equal bytes.
[[nodiscard]] Change make_upsert(const Class& cls, const Resource& resource);
[[nodiscard]] Change make_leave(const Class& cls, const ResourceKey& key);
/// Verifies and reads a Change payload (upsert or leave), keeping the bytes; computes the hash.
/// Checks names, UTF-8, label and size limits, class matching key. Errors: protocol, too_large.
[[nodiscard]] Result<Change> decode_change(SharedBytes payload);
/// The resource inside an upsert's payload (verified again; cheap). Errors: protocol.
[[nodiscard]] Result<Resource> resource_of(const SharedBytes& payload);

// -- Packets -------------------------------------------------------------------------------------

/// Bytes a payload takes as a packet: header, payload, padding to 8.
[[nodiscard]] std::size_t packet_bytes(std::size_t payload_bytes);
/// Appends one packet. `out` stays a multiple of 8 long. With `header.zstd` the payload is the
/// frame that `compress` made.
void append_packet(std::string& out, const PacketHeader& header, ByteView payload);
/// Compresses the packet that starts at `offset` and ends `out`, where that pays.
void compress_last_packet(std::string& out, std::size_t offset);

// Each appends one packet with its header to `out`.
void append(std::string& out, const Hello& message);
void append(std::string& out, const Welcome& message);
void append(std::string& out, const Goodbye& message);
void append(std::string& out, const Sync& message);
void append(std::string& out, const Synced& message);
void append(std::string& out, FlowId flow, const Want& message);
void append(std::string& out, FlowId flow, const Intent& message);
void append(std::string& out, FlowId flow, Revision revision, const Part& message);
void append(std::string& out, FlowId flow, const Drop& message);
void append(std::string& out, FlowId flow, const List& message);
void append(std::string& out, FlowId flow, const Mark& message);
void append(std::string& out, FlowId flow, const Ack& message);
void append(std::string& out, FlowId flow, const Hold& message);
void append(std::string& out, FlowId flow, const Buckets& message);
void append(std::string& out, FlowId flow, const Differing& message);
void append(std::string& out, FlowId flow, const Prints& message);
void append(std::string& out, FlowId flow, const Remove& message);
/// The payload of a Part or Patch packet alone, for those who send it many times.
[[nodiscard]] std::string encode_part(const Part& message);
[[nodiscard]] std::string encode_patch(const Patch& message);
/// A change with its revision, from already encoded bytes.
void append_change(std::string& out, FlowId flow, Revision revision, const Change& change);

/// One packet inside a message; `payload` points into the message, or into the reader until its
/// next packet when it had to be inflated.
struct Packet {
  PacketHeader header;
  ByteView payload;
  std::size_t packet_bytes = 0;  // with header and padding
};

/// Walks the packets of one message. The message must outlive it and start 8-aligned (any
/// heap-allocated std::string does).
class PacketReader {
 public:
  /// `features` = what was negotiated, or offered while that is not known.
  explicit PacketReader(ByteView message, Features features = {})
      : rest_(message), features_(features) {}
  /// The handshake ended inside this message.
  void negotiated(Features features) { features_ = features; }
  /// Next packet, nothing at the end. Errors: protocol (truncated, reserved bits, non-zero
  /// padding, unknown kind, compression or patch that was not negotiated, a frame that breaks
  /// ZIP-01 to ZIP-04, revision where none belongs), too_large.
  [[nodiscard]] Result<std::optional<Packet>> next();

 private:
  Status inflate_payload(Packet& packet);

  ByteView rest_;
  Features features_;
  std::string inflated_;               // payload of the current packet, when it was compressed
  std::size_t inflated_bytes_ = 0;     // of this message so far
};

/// Each verifies (depth, tables, bounds) before any access. Errors: protocol, too_large.
[[nodiscard]] Result<Hello> decode_hello(ByteView payload);
[[nodiscard]] Result<Welcome> decode_welcome(ByteView payload);
[[nodiscard]] Result<Goodbye> decode_goodbye(ByteView payload);
[[nodiscard]] Result<Sync> decode_sync(ByteView payload);
[[nodiscard]] Result<Synced> decode_synced(ByteView payload);
[[nodiscard]] Result<Want> decode_want(ByteView payload);
[[nodiscard]] Result<Intent> decode_intent(ByteView payload);
[[nodiscard]] Result<Part> decode_part(ByteView payload);
[[nodiscard]] Result<Patch> decode_patch(ByteView payload);
[[nodiscard]] Result<Drop> decode_drop(ByteView payload);
[[nodiscard]] Result<List> decode_list(ByteView payload);
[[nodiscard]] Result<Mark> decode_mark(ByteView payload);
[[nodiscard]] Result<Ack> decode_ack(ByteView payload);
[[nodiscard]] Result<Hold> decode_hold(ByteView payload);
[[nodiscard]] Result<Buckets> decode_buckets(ByteView payload);
[[nodiscard]] Result<Differing> decode_differing(ByteView payload);
[[nodiscard]] Result<Prints> decode_prints(ByteView payload);
[[nodiscard]] Result<Remove> decode_remove(ByteView payload);

}  // namespace zonesync::wire
