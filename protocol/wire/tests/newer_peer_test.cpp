// A newer peer's messages: fields that this version does not know are skipped (SES-03, SES-04).
#include <gtest/gtest.h>

#include "protocol/schema/session_generated.h"
#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

constexpr flatbuffers::voffset_t field(unsigned id) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * id);
}

// SES-03
TEST(NewerPeer, AHelloWithUnknownFieldsFeaturesAndVersionsIsRead) {
  flatbuffers::FlatBufferBuilder builder;
  const auto zone = builder.CreateString("east");
  const auto note = builder.CreateString("something of tomorrow");
  const auto features = builder.CreateVectorOfStrings({"warp", "zstd"});
  const fb::Id128 id = {};
  const auto log = fb::CreateLogInfo(builder, &id, &id, 9, true);
  fb::HelloBuilder hello(builder);
  hello.add_zone(zone);
  hello.add_instance(&id);
  hello.add_features(features);
  hello.add_version_min(2);
  hello.add_version_max(9);
  hello.add_up_log(log);
  builder.AddOffset(field(40), note);
  builder.AddElement<std::uint64_t>(field(41), 7, 0);
  builder.Finish(hello.Finish());
  std::string message;
  append_packet(message, PacketHeader{0, PacketKind::hello},
                {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
  PacketReader reader(message);
  const auto packet = reader.next().value();
  ASSERT_TRUE(packet);
  const auto read = decode_hello(packet->payload);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->zone, "east");
  EXPECT_EQ(read->version_max, 9u);
  EXPECT_EQ(features_of(read->features), Features{.zstd = true});
}

}  // namespace
}  // namespace zonesync::wire
