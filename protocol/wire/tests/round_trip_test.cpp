// Every message survives encoding and decoding, equal input gives equal bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

/// The only packet of a message.
Packet only_packet(const std::string& message) {
  PacketReader reader(message, kAllFeatures);
  Result<std::optional<Packet>> packet = reader.next();
  EXPECT_TRUE(packet.has_value()) << (packet ? "" : describe(packet.error()));
  if (!packet || !packet->has_value()) return {};
  EXPECT_EQ((*packet)->packet_bytes, message.size());
  const auto end = reader.next();
  EXPECT_TRUE(end.has_value() && !end->has_value());
  return **packet;
}

template <class Message, class Decode>
void expect_session_round_trip(const Message& message, PacketKind kind, Decode decode) {
  std::string bytes;
  append(bytes, message);
  EXPECT_EQ(bytes.size() % 8, 0u);
  const Packet packet = only_packet(bytes);
  EXPECT_EQ(packet.header.kind, kind);
  EXPECT_EQ(packet.header.revision, Revision{});
  const auto decoded = decode(packet.payload);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(*decoded, message);
}

template <class Message, class Decode>
void expect_flow_round_trip(const Message& message, PacketKind kind, Decode decode) {
  for (const FlowId flow : {FlowId::down, FlowId::up}) {
    std::string bytes;
    append(bytes, flow, message);
    const Packet packet = only_packet(bytes);
    EXPECT_EQ(packet.header.kind, kind);
    EXPECT_EQ(packet.header.flow, flow);
    const auto decoded = decode(packet.payload);
    ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
    EXPECT_EQ(*decoded, message);
  }
}

TEST(RoundTrip, Hello) {
  expect_session_round_trip(samples::full_hello(), PacketKind::hello, decode_hello);
  expect_session_round_trip(samples::minimal_hello(), PacketKind::hello, decode_hello);
}

TEST(RoundTrip, Welcome) {
  expect_session_round_trip(samples::full_welcome(), PacketKind::welcome, decode_welcome);
  expect_session_round_trip(samples::minimal_welcome(), PacketKind::welcome, decode_welcome);
}

TEST(RoundTrip, WelcomeWithTheDefaultRegistrySize) {
  Welcome welcome = samples::full_welcome();
  const TypeInfo type = welcome.types.back();
  for (int i = 0; i < 100; ++i) {
    welcome.types.push_back(type);
    welcome.types.back().name += std::to_string(i);
  }
  expect_session_round_trip(welcome, PacketKind::welcome, decode_welcome);
}

TEST(RoundTrip, Goodbye) {
  expect_session_round_trip(Goodbye{4409, "newer instance", 1500, 60000}, PacketKind::goodbye,
                            decode_goodbye);
  expect_session_round_trip(Goodbye{1001, "", 0, 0}, PacketKind::goodbye, decode_goodbye);
}

TEST(RoundTrip, SyncAndSynced) {
  expect_session_round_trip(Sync{~0ull}, PacketKind::sync, decode_sync);
  expect_session_round_trip(Sync{0}, PacketKind::sync, decode_sync);
  expect_session_round_trip(Synced{3, Revision{~0ull}}, PacketKind::synced, decode_synced);
}

TEST(RoundTrip, Want) {
  expect_flow_round_trip(Want{samples::cursor_at(5), false, "hello"}, PacketKind::want,
                         decode_want);
  expect_flow_round_trip(Want{{}, true, ""}, PacketKind::want, decode_want);
}

TEST(RoundTrip, IntentOfEveryReason) {
  Intent intent;
  intent.log_id = samples::id_of(1);
  intent.complete = true;
  intent.view = ViewId{samples::id_of(2)};
  intent.head = Revision{77};
  intent.why = "view_changed";
  for (const IntentReason reason : {IntentReason::none, IntentReason::changes,
                                    IntentReason::repair, IntentReason::full}) {
    intent.reason = reason;
    intent.from.reset();
    const bool anew = reason == IntentReason::full || reason == IntentReason::repair;
    if (!anew) intent.from = samples::cursor_at(70);
    expect_flow_round_trip(intent, PacketKind::intent, decode_intent);
  }
}

// STG-01, STG-03
TEST(RoundTrip, APlaceInAnUnfinishedCut) {
  Hello hello = samples::minimal_hello();
  hello.staged = Staged{samples::cursor_at(7), 3, true, Revision{2}};
  expect_session_round_trip(hello, PacketKind::hello, decode_hello);
  Want want{samples::cursor_at(5), false, "disk_full"};
  want.staged = Staged{samples::cursor_at(7), 0, false};
  expect_flow_round_trip(want, PacketKind::want, decode_want);
  Intent intent;
  intent.reason = IntentReason::changes;
  intent.from = samples::cursor_at(5);
  intent.era = EraId{samples::id_of(3)};
  intent.resumed = want.staged;
  intent.floor = Revision{4};
  expect_flow_round_trip(intent, PacketKind::intent, decode_intent);
}

TEST(RoundTrip, PartKeepsTheRevisionOfItsChange) {
  const Part part{2, 3, 1000, std::string("\0\xff\x80z", 4)};
  std::string bytes;
  append(bytes, FlowId::up, Revision{99}, part);
  const Packet packet = only_packet(bytes);
  EXPECT_EQ(packet.header.revision, Revision{99});
  EXPECT_EQ(packet.header.flow, FlowId::up);
  EXPECT_EQ(decode_part(packet.payload).value(), part);
}

TEST(RoundTrip, Drop) {
  expect_flow_round_trip(Drop{samples::class_of_timeout()}, PacketKind::drop, decode_drop);
  expect_flow_round_trip(Drop{{"Zone", "", "east", ""}}, PacketKind::drop, decode_drop);
}

TEST(RoundTrip, Mark) {
  expect_flow_round_trip(
      Mark{samples::cursor_at(1), samples::cursor_at(2), 3, Digest{4, 5, 6}}, PacketKind::mark,
      decode_mark);
  expect_flow_round_trip(Mark{{}, samples::cursor_at(2), 0, {}}, PacketKind::mark, decode_mark);
  expect_flow_round_trip(Mark{{}, {}, 0, Digest{}}, PacketKind::mark, decode_mark);
}

TEST(RoundTrip, Ack) {
  expect_flow_round_trip(samples::full_ack(), PacketKind::ack, decode_ack);
  expect_flow_round_trip(Ack{}, PacketKind::ack, decode_ack);
}

TEST(RoundTrip, Hold) {
  expect_flow_round_trip(Hold{"mass_delete", "600 of 1000 keys", false}, PacketKind::hold,
                         decode_hold);
  expect_flow_round_trip(Hold{"paused", "", true}, PacketKind::hold, decode_hold);
}

TEST(RoundTrip, UpsertGivesBackResourceClassAndHash) {
  const Resource resource = samples::timeout_resource();
  const Change made = make_upsert(samples::class_of_timeout(), resource);
  std::string bytes;
  append_change(bytes, FlowId::down, Revision{12}, made);
  const Packet packet = only_packet(bytes);
  EXPECT_EQ(packet.header.revision, Revision{12});
  EXPECT_EQ(packet.payload, made.payload.view());
  const auto decoded = decode_change(SharedBytes(std::string(packet.payload)));
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(decoded->kind, ChangeKind::upsert);
  EXPECT_EQ(decoded->cls, samples::class_of_timeout());
  EXPECT_EQ(decoded->key, resource.key);
  EXPECT_EQ(decoded->hash, made.hash);
  EXPECT_EQ(decoded->hash, hash_bytes(packet.payload));
  EXPECT_EQ(resource_of(decoded->payload).value(), resource);
}

TEST(RoundTrip, UpsertWithoutAnyContent) {
  Resource resource;
  resource.key = {"Zone", "", "east", "east"};
  const Change made = make_upsert({"Zone", "", "east", ""}, resource);
  const auto decoded = decode_change(made.payload);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(decoded->cls, made.cls);
  EXPECT_EQ(resource_of(decoded->payload).value(), resource);
}

TEST(RoundTrip, LeaveHasNoHashAndNoResource) {
  const ResourceKey key = samples::timeout_resource().key;
  const Change made = make_leave(samples::class_of_timeout(), key);
  const auto decoded = decode_change(made.payload);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(decoded->kind, ChangeKind::leave);
  EXPECT_EQ(decoded->key, key);
  EXPECT_EQ(decoded->cls, samples::class_of_timeout());
  EXPECT_EQ(decoded->hash, Hash128{});
  EXPECT_EQ(resource_of(made.payload).error().code, ErrorCode::protocol);
}

TEST(RoundTrip, LargestResourceIsAcceptedWithAllItsLabels) {
  Resource resource = samples::timeout_resource();
  resource.key.name = std::string(limits::kNameMaxBytes, 'n');
  resource.spec = std::string(limits::kResourceMaxBytes, 's');
  resource.status.clear();
  resource.labels.clear();
  for (std::size_t i = 0; i < limits::kLabelsMax; ++i) {
    resource.labels["k" + std::to_string(10 + i)] = std::string(60, 'v');
  }
  Class cls = samples::class_of_timeout();
  cls.tag = std::string(limits::kTagMaxBytes, 't');
  const Change made = make_upsert(cls, resource);
  EXPECT_LE(made.payload.size(), limits::kChangeMaxBytes);
  const auto decoded = decode_change(made.payload);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(resource_of(made.payload).value(), resource);
}

TEST(RoundTrip, EncodingIsDeterministic) {
  EXPECT_EQ(samples::all_in_one_message(), samples::all_in_one_message());
}

TEST(RoundTrip, PacketsOfAMessageComeInOrder) {
  const std::string message = samples::all_in_one_message();
  PacketReader reader(message, kAllFeatures);
  std::size_t bytes = 0;
  for (const samples::Sample& sample : samples::all()) {
    const auto packet = reader.next();
    ASSERT_TRUE(packet.has_value() && packet->has_value()) << sample.name;
    EXPECT_EQ((*packet)->packet_bytes, sample.bytes.size()) << sample.name;
    EXPECT_TRUE(sample.name.starts_with(to_string((*packet)->header.kind))) << sample.name;
    EXPECT_TRUE(samples::decode_any(**packet).has_value()) << sample.name;
    bytes += (*packet)->packet_bytes;
  }
  EXPECT_EQ(bytes, message.size());
}

TEST(RoundTrip, EncodersCutTextsThatPeersWouldRefuse) {
  std::string text;
  while (text.size() < 3000) text += "\u00e4";
  Ack ack;
  ack.verdicts.resize(1);
  ack.verdicts[0].key = samples::timeout_resource().key;
  ack.verdicts[0].reject = {"invalid", "", text, false};
  std::string bytes;
  append(bytes, FlowId::down, ack);
  const auto decoded = decode_ack(only_packet(bytes).payload);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(decoded->verdicts[0].reject.text, text.substr(0, limits::kRejectTextMaxBytes));
}

TEST(RoundTrip, EncodersRepairTextsThatAreNotUtf8) {
  std::string bytes;
  append(bytes, Goodbye{4400, "cut in the middle of \xc3", 0, 0});
  EXPECT_EQ(decode_goodbye(only_packet(bytes).payload)->reason, "cut in the middle of ?");
}

TEST(RoundTrip, PacketBytesCountsHeaderAndPadding) {
  EXPECT_EQ(packet_bytes(0), 16u);
  EXPECT_EQ(packet_bytes(1), 24u);
  EXPECT_EQ(packet_bytes(8), 24u);
  EXPECT_EQ(packet_bytes(9), 32u);
}

}  // namespace
}  // namespace zonesync::wire
