// Framing: what PacketReader refuses (docs/protocol.md WIRE-*).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

using testing::HasSubstr;

std::string mark_bytes() {
  std::string bytes;
  append(bytes, FlowId::down, Mark{{}, samples::cursor_at(2), 0, {}});
  return bytes;
}

std::string sync_bytes() {
  std::string bytes;
  append(bytes, Sync{5});
  return bytes;
}

Error first_error(const std::string& message) {
  PacketReader reader(message);
  const auto packet = reader.next();
  EXPECT_FALSE(packet.has_value());
  return packet ? Error{} : packet.error();
}

TEST(Packet, EmptyMessageHasNoPackets) {
  PacketReader reader("");
  const auto packet = reader.next();
  ASSERT_TRUE(packet.has_value());
  EXPECT_FALSE(packet->has_value());
}

TEST(Packet, HeaderLayoutIsLittleEndianAndFixed) {
  std::string bytes;
  PacketHeader header;
  header.kind = PacketKind::change;
  header.flow = FlowId::up;
  header.revision = Revision{0x0102030405060708};
  append_packet(bytes, header, "abc");
  EXPECT_EQ(bytes, std::string("\x03\0\0\0" "\x04\0" "\x12\0" "\x08\x07\x06\x05\x04\x03\x02\x01"
                               "abc\0\0\0\0\0", 24));
}

TEST(Packet, UnknownKindIsRefused) {
  for (const int kind : {0, 6, 15, 99, 255}) {
    std::string bytes = sync_bytes();
    bytes[6] = static_cast<char>(kind);
    EXPECT_THAT(first_error(bytes).message, HasSubstr("unknown packet kind")) << kind;
  }
}

TEST(Packet, CompressionIsRefusedWhileNothingNegotiatesIt) {
  for (const int flags : {1, 2, 3}) {
    std::string bytes = mark_bytes();
    bytes[4] = static_cast<char>(flags);
    EXPECT_THAT(first_error(bytes).message, HasSubstr("compression"));
  }
  std::string bytes = mark_bytes();
  bytes[5] = 1;
  EXPECT_THAT(first_error(bytes).message, HasSubstr("compression"));
}

TEST(Packet, ReservedFlagBitsAreRefused) {
  for (int bit = 3; bit < 8; ++bit) {
    std::string bytes = mark_bytes();
    bytes[4] = static_cast<char>(1 << bit);
    EXPECT_EQ(first_error(bytes).code, ErrorCode::protocol);
    EXPECT_THAT(first_error(bytes).message, HasSubstr("reserved"));
  }
}

TEST(Packet, FlowBitOnASessionPacketIsRefused) {
  std::string bytes = sync_bytes();
  bytes[4] = 4;
  EXPECT_THAT(first_error(bytes).message, HasSubstr("flow bit"));
}

TEST(Packet, RevisionWhereNoneBelongsIsRefused) {
  std::string bytes = mark_bytes();
  bytes[8] = 1;
  EXPECT_THAT(first_error(bytes).message, HasSubstr("revision where none belongs"));
}

TEST(Packet, ChangeWithoutRevisionIsRefused) {
  std::string bytes;
  append_change(bytes, FlowId::down, Revision{1},
                make_leave(samples::class_of_timeout(), samples::timeout_resource().key));
  bytes[8] = 0;
  EXPECT_THAT(first_error(bytes).message, HasSubstr("revision missing"));
}

TEST(Packet, NonZeroPaddingIsRefused) {
  std::string bytes;
  PacketHeader header;
  header.kind = PacketKind::sync;
  append_packet(bytes, header, "abc");
  for (std::size_t i = 19; i < 24; ++i) {
    std::string bad = bytes;
    bad[i] = 1;
    EXPECT_THAT(first_error(bad).message, HasSubstr("padding"));
  }
}

TEST(Packet, LengthBeyondTheMessageIsRefused) {
  for (const unsigned length : {0xffffffffu, 0xfffffff9u, 0x7fffffffu, 100000u}) {
    std::string bytes = sync_bytes();
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 0xff);
    EXPECT_THAT(first_error(bytes).message, HasSubstr("truncated")) << length;
  }
}

TEST(Packet, MessageOverTheLimitIsTooLarge) {
  const std::string bytes(limits::kMessageMaxBytes + 8, '\0');
  EXPECT_EQ(first_error(bytes).code, ErrorCode::too_large);
}

TEST(Packet, AfterTheLastPacketNothingMayFollow) {
  for (std::size_t extra = 1; extra < 16; ++extra) {
    const std::string bytes = sync_bytes() + std::string(extra, '\0');
    PacketReader reader(bytes, kAllFeatures);
    ASSERT_TRUE(reader.next().has_value());
    EXPECT_FALSE(reader.next().has_value()) << extra;
  }
}

TEST(Packet, EveryHeaderBitFlipIsRefusedOrDecodes) {
  int refused = 0;
  for (const samples::Sample& sample : samples::all()) {
    for (std::size_t bit = 0; bit < 16 * 8; ++bit) {
      std::string bytes = sample.bytes;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      if (!samples::decode_message(bytes)) ++refused;
    }
  }
  // Nearly all flips are refused; the flow bit and the revision's bits are free to change.
  EXPECT_GT(refused, 1500);
}

TEST(Packet, EveryTruncationOfEveryMessageIsRefused) {
  for (const samples::Sample& sample : samples::all()) {
    ASSERT_TRUE(samples::decode_message(sample.bytes)) << sample.name;
    for (std::size_t size = 1; size < sample.bytes.size(); ++size) {
      EXPECT_FALSE(samples::decode_message(ByteView(sample.bytes).substr(0, size)))
          << sample.name << " cut to " << size;
    }
  }
}

/// The header tells the shorter length, so only the payload's own checks can refuse it.
TEST(Packet, EveryTruncatedPayloadIsRefusedOrDecodes) {
  for (const samples::Sample& sample : samples::all()) {
    PacketReader reader(sample.bytes, kAllFeatures);
    const Packet packet = **reader.next();
    for (std::size_t size = 0; size < packet.payload.size(); ++size) {
      std::string bytes;
      append_packet(bytes, packet.header, packet.payload.substr(0, size));
      const Status status = samples::decode_message(bytes);
      EXPECT_FALSE(size < 8 && status) << sample.name << " payload cut to " << size;
    }
  }
}

TEST(Packet, PayloadDecodesAtEveryAlignment) {
  for (const samples::Sample& sample : samples::all()) {
    PacketReader reader(sample.bytes, kAllFeatures);
    Packet packet = **reader.next();
    for (std::size_t shift = 0; shift < 8; ++shift) {
      const std::string shifted = std::string(shift + 32, '\0') + std::string(packet.payload);
      packet.payload = ByteView(shifted).substr(shift + 32);
      EXPECT_TRUE(samples::decode_any(packet)) << sample.name << " shifted by " << shift;
      packet.payload = (*PacketReader(sample.bytes, kAllFeatures).next())->payload;
    }
  }
}

}  // namespace
}  // namespace zonesync::wire
