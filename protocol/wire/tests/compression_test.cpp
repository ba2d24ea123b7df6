// Frames: round trips, and everything that a receiver must refuse (docs/protocol.md ZIP-*).
#include "protocol/wire/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

using ::testing::HasSubstr;

constexpr Features kZstd{.zstd = true};

std::string text(std::size_t bytes, unsigned seed = 1) {
  std::string out;
  std::uint32_t state = seed;
  while (out.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    out += "word" + std::to_string((state >> 16) % 1'000) + ' ';
  }
  out.resize(bytes);
  return out;
}

/// A frame as any zstd makes it, with parameters of the test.
std::string frame_of(const std::string& content, int window_log, bool with_size = true) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(),
                              content.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

Error error_of(const std::string& frame, std::size_t max_bytes = limits::kMessageMaxBytes) {
  auto result = inflate(frame, max_bytes);
  return result ? Error{} : result.error();
}

// ZIP-01
TEST(Compress, LargeTextComesBack) {
  for (const std::size_t bytes : {1'024u, 5'000u, 200'000u, 1'048'576u}) {
    const std::string content = text(bytes);
    const auto frame = compress(content);
    ASSERT_TRUE(frame) << bytes;
    EXPECT_LT(frame->size(), bytes * 7 / 8);
    EXPECT_EQ(inflate(*frame, limits::kMessageMaxBytes).value(), content);
  }
}

TEST(Compress, WhatDoesNotPayStaysAsItIs) {
  EXPECT_FALSE(compress(text(1'023)));
  std::string random;
  std::uint32_t state = 1;
  for (int i = 0; i < 5'000; ++i) {
    state = state * 1664525u + 1013904223u;
    random.push_back(static_cast<char>(state >> 24));
  }
  EXPECT_FALSE(compress(random));
  EXPECT_FALSE(compress(std::string(900'000, 'x'))) << "would look like a bomb";
}

// ZIP-04: bombs.
TEST(Inflate, RefusesABomb) {
  const std::string bomb = frame_of(std::string(1'000'000, 'x'), 20);
  ASSERT_LT(bomb.size(), 200u);
  EXPECT_EQ(error_of(bomb).code, ErrorCode::protocol);
  EXPECT_THAT(error_of(bomb).message, HasSubstr("times"));
  const std::string giant = frame_of(std::string(100'000'000, 'x'), 20);
  EXPECT_EQ(error_of(giant).code, ErrorCode::too_large);
}

// ZIP-03
TEST(Inflate, RefusesAFrameWithoutOrWithAWrongSize) {
  EXPECT_THAT(error_of(frame_of(text(5'000), 20, false)).message, HasSubstr("size"));
  std::string frame = frame_of(text(60'000), 20);
  ASSERT_EQ(static_cast<unsigned char>(frame[4]) >> 6, 1) << "a size of two bytes follows";
  frame[5] = static_cast<char>(frame[5] + 1);
  EXPECT_EQ(error_of(frame).code, ErrorCode::protocol);
}

// ZIP-02
TEST(Inflate, RefusesAnythingButOneWholeFrame) {
  const std::string frame = *compress(text(5'000));
  EXPECT_EQ(error_of(frame + '\0').code, ErrorCode::protocol);
  EXPECT_EQ(error_of(frame + frame).code, ErrorCode::protocol);
  EXPECT_EQ(error_of("").code, ErrorCode::protocol);
  EXPECT_EQ(error_of(text(2'000)).code, ErrorCode::protocol);
  const std::string skippable("\x50\x2a\x4d\x18\x04\x00\x00\x00" "abcd", 12);
  EXPECT_EQ(error_of(skippable).code, ErrorCode::protocol);
  for (std::size_t end = 0; end < frame.size(); end += 7) {
    EXPECT_EQ(error_of(frame.substr(0, end)).code, ErrorCode::protocol) << end;
  }
}

// ZIP-02
TEST(Inflate, RefusesOrSurvivesEveryFlippedBit) {
  const std::string content = text(1'100);
  const std::string frame = *compress(content);
  for (std::size_t at = 0; at < frame.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = frame;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto result = inflate(bad, limits::kMessageMaxBytes);
      EXPECT_TRUE(!result || result->size() <= limits::kMessageMaxBytes);
    }
  }
}

// ZIP-04: memory is bounded by the window, too.
TEST(Inflate, RefusesALargeWindow) {
  std::string frame = frame_of(text(2'000'000), 19);
  ASSERT_EQ(static_cast<unsigned char>(frame[4]) & 0x20, 0) << "no single segment";
  EXPECT_TRUE(inflate(frame, 4u << 20).has_value());
  frame[5] = static_cast<char>(15 << 3);  // 32 MiB
  EXPECT_THAT(error_of(frame, 4u << 20).message, HasSubstr("window"));
}

// ZIP-11
TEST(PatchFrame, GivesTheTargetFromItsBaseOnly) {
  const std::string base = text(140'000);
  const std::string target = base.substr(0, 70'000) + "changed" + base.substr(70'010);
  const auto frame = make_patch(base, target);
  ASSERT_TRUE(frame);
  EXPECT_LT(frame->size(), 100u);
  EXPECT_EQ(apply_patch(base, *frame, target.size()).value(), target);
  const auto wrong = apply_patch(text(140'000, 9), *frame, target.size());
  EXPECT_TRUE(!wrong || *wrong != target);
  EXPECT_FALSE(apply_patch(base, *frame, target.size() + 1));
  EXPECT_FALSE(apply_patch("", *frame, target.size()));
}

TEST(PatchFrame, LargestVersionsFitTheWindow) {
  const std::string base = text(limits::kChangeMaxBytes);
  std::string target = base;
  target[1'000] = '!';
  target.back() = '!';
  const auto frame = make_patch(base, target);
  ASSERT_TRUE(frame);
  EXPECT_LT(frame->size(), 2'000u);
  EXPECT_EQ(apply_patch(base, *frame, target.size()).value(), target);
}

// WIRE-05, ZIP-01
TEST(CompressedPacket, ReaderInflatesWhatWasNegotiated) {
  std::string message;
  append(message, samples::full_hello());
  const std::size_t at = message.size();
  Resource resource = samples::timeout_resource();
  resource.spec = "{\"a\":\"" + text(5'000) + "\"}";
  const Change change = make_upsert(samples::class_of_timeout(), resource);
  append_change(message, FlowId::up, Revision{7}, change);
  const std::size_t whole = message.size() - at;
  compress_last_packet(message, at);
  EXPECT_LT(message.size() - at, whole / 2);
  EXPECT_EQ(message.size() % 8, 0u);
  PacketReader reader(message, kZstd);
  ASSERT_TRUE(reader.next().value());
  const auto packet = reader.next().value();
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->payload, change.payload.view());
  EXPECT_EQ(packet->packet_bytes, message.size() - at) << "credit counts the wire";
  EXPECT_EQ(packet->header.flow, FlowId::up);
  EXPECT_EQ(packet->header.revision, Revision{7});
  EXPECT_FALSE(reader.next().value());
  PacketReader old(message);
  ASSERT_TRUE(old.next().value());
  EXPECT_THAT(old.next().error().message, HasSubstr("not negotiated"));
}

// ZIP-05: Hello and Goodbye are frozen.
TEST(CompressedPacket, HelloAndGoodbyeNeverAre) {
  std::string message;
  Hello hello = samples::full_hello();
  for (int i = 0; i < 60; ++i) hello.types.push_back("TypeNumber" + std::to_string(i));
  append(message, hello);
  const std::string before = message;
  compress_last_packet(message, 0);
  EXPECT_EQ(message, before);
  message[4] = 1;
  PacketReader reader(message, kZstd);
  EXPECT_FALSE(reader.next());
}

// ZIP-09: no dictionary is negotiated in this version.
TEST(CompressedPacket, ADictionaryIsRefused) {
  std::string message;
  Resource resource = samples::timeout_resource();
  resource.spec = text(5'000);
  append_change(message, FlowId::down, Revision{7},
                make_upsert(samples::class_of_timeout(), resource));
  compress_last_packet(message, 0);
  for (const auto& [at, value] : {std::pair{4, 3}, std::pair{5, 1}}) {
    std::string bad = message;
    bad[static_cast<std::size_t>(at)] = static_cast<char>(value);
    PacketReader reader(bad, kZstd);
    EXPECT_FALSE(reader.next());
  }
}

// ZIP-04: many frames of one message together.
TEST(CompressedPacket, AMessageHasABoundOfItsOwn) {
  std::string dense;  // as dense as one frame may be
  for (std::size_t run = 100; run < 2'000; run += 50) {
    std::string content;
    for (unsigned i = 0; content.size() < 1'000'000; ++i) {
      content += std::string(run, 'x') + text(14, i);
    }
    const auto frame = compress(content);
    if (!frame) break;
    dense = *frame;
  }
  std::string message;
  while (message.size() + packet_bytes(dense.size()) <= limits::kMessageMaxBytes) {
    PacketHeader header{0, PacketKind::part, FlowId::down, Revision{1}};
    header.zstd = true;
    append_packet(message, header, dense);
  }
  PacketReader reader(message, kZstd);
  Result<std::optional<Packet>> packet = reader.next();
  while (packet && *packet) packet = reader.next();
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace zonesync::wire
