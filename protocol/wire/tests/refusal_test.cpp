// What decoders refuse beyond framing: names, limits, inconsistent fields; and random mutation.
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/schema/change_generated.h"
#include "protocol/schema/flow_generated.h"
#include "protocol/schema/session_generated.h"
#include "protocol/wire/flat.hpp"
#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

using flatbuffers::FlatBufferBuilder;
using testing::HasSubstr;

/// Encodes with our own encoder, decodes, gives the error.
template <class Message>
Error refusal(const Message& message) {
  std::string bytes;
  if constexpr (std::is_same_v<Message, Part>) append(bytes, FlowId::down, Revision{1}, message);
  else if constexpr (requires { append(bytes, FlowId::down, message); })
    append(bytes, FlowId::down, message);
  else append(bytes, message);
  const Status status = samples::decode_message(bytes);
  EXPECT_FALSE(status.has_value());
  return status ? Error{} : status.error();
}

Error upsert_refusal(const Class& cls, const Resource& resource) {
  const auto decoded = decode_change(make_upsert(cls, resource).payload);
  EXPECT_FALSE(decoded.has_value());
  return decoded ? Error{} : decoded.error();
}

TEST(Refusal, HelloFields) {
  Hello hello = samples::full_hello();
  hello.zone = "global";
  EXPECT_EQ(refusal(hello).field, "hello.zone");
  hello.zone = "East";
  EXPECT_EQ(refusal(hello).code, ErrorCode::protocol);
  hello = samples::full_hello();
  hello.version_min = 3;
  EXPECT_EQ(refusal(hello).field, "hello.version_min");
  hello = samples::full_hello();
  hello.types = {"Me sh"};
  EXPECT_EQ(refusal(hello).field, "hello.types");
  hello = samples::full_hello();
  hello.meshes = {"a/b"};
  EXPECT_EQ(refusal(hello).field, "hello.meshes");
  hello = samples::full_hello();
  hello.features = {"line\nbreak"};
  EXPECT_EQ(refusal(hello).field, "hello.features");
}

TEST(Refusal, VectorsOverTheirLimits) {
  Hello hello = samples::full_hello();
  hello.features.assign(limits::kFeaturesMax + 1, "f");
  EXPECT_EQ(refusal(hello).code, ErrorCode::too_large);
  hello = samples::full_hello();
  hello.types.assign(limits::kTypesMax + 1, "T");
  EXPECT_EQ(refusal(hello).code, ErrorCode::too_large);
  hello = samples::full_hello();
  hello.meshes.assign(limits::kMeshesMax + 1, "m");
  EXPECT_EQ(refusal(hello).code, ErrorCode::too_large);
  Welcome welcome = samples::full_welcome();
  welcome.types.assign(limits::kTypesMax + 1, welcome.types[0]);
  EXPECT_EQ(refusal(welcome).code, ErrorCode::too_large);
  welcome = samples::full_welcome();
  welcome.types[0].scope_labels.assign(limits::kLabelsMax + 1, "l");
  EXPECT_EQ(refusal(welcome).code, ErrorCode::too_large);
  FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fb::Verdict>> verdicts(
      limits::kVerdictsPerAckMax + 1,
      fb::CreateVerdictDirect(builder, "T", "", "global", "n", 1, false, "c"));
  builder.Finish(fb::CreateAck(builder, 0, 0, nullptr, builder.CreateVector(verdicts)));
  EXPECT_EQ(decode_ack(detail::finished(builder)).error().code, ErrorCode::too_large);
}

TEST(Refusal, ManySharedTablesDoNotVerify) {
  FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fb::Verdict>> verdicts(
      limits::kFlatbufferMaxTables + 1, fb::CreateVerdictDirect(builder, "T", "", "global", "n"));
  builder.Finish(fb::CreateAck(builder, 0, 0, nullptr, builder.CreateVector(verdicts)));
  EXPECT_EQ(decode_ack(detail::finished(builder)).error().code, ErrorCode::protocol);
}

TEST(Refusal, GoodbyeCodeOutOfRange) {
  EXPECT_EQ(refusal(Goodbye{0, "", 0, 0}).field, "goodbye.code");
  EXPECT_EQ(refusal(Goodbye{5000, "", 0, 0}).field, "goodbye.code");
}

TEST(Refusal, IntentFromAndReasonMustAgree) {
  Intent intent;
  intent.reason = IntentReason::full;
  intent.from = samples::cursor_at(1);
  EXPECT_EQ(refusal(intent).field, "intent.from");
  intent.reason = IntentReason::changes;
  intent.from.reset();
  EXPECT_EQ(refusal(intent).field, "intent.from");
  intent.reason = static_cast<IntentReason>(5);
  EXPECT_EQ(refusal(intent).field, "intent.reason");
  intent.reason = static_cast<IntentReason>(0);
  EXPECT_EQ(refusal(intent).field, "intent.reason");
}

// STG-01, STG-03
TEST(Refusal, PlacesThatCannotBe) {
  Hello hello = samples::full_hello();
  hello.staged = Staged{Cursor{{}, Revision{4}, {}}, 1, true};
  EXPECT_EQ(refusal(hello).field, "hello.staged.at");
  hello.staged = Staged{samples::cursor_at(0), 1, true};
  EXPECT_EQ(refusal(hello).field, "hello.staged.at");
  hello.staged = Staged{samples::cursor_at(4), 1ull << 32, true};
  EXPECT_EQ(refusal(hello).field, "hello.staged.changes");
  Want want;
  want.repair = true;
  want.staged = Staged{samples::cursor_at(4), 1, true};
  EXPECT_EQ(refusal(want).field, "want.staged");
  Intent intent;
  intent.reason = IntentReason::full;
  intent.resumed = Staged{samples::cursor_at(4), 1, false};
  EXPECT_EQ(refusal(intent).field, "intent.resumed");
  intent.reason = IntentReason::repair;
  intent.resumed->full = true;
  EXPECT_EQ(refusal(intent).field, "intent.resumed");
  intent.reason = IntentReason::none;
  intent.from = samples::cursor_at(3);
  intent.resumed->full = false;
  EXPECT_EQ(refusal(intent).field, "intent.resumed");
}

TEST(Refusal, PartsThatCannotBe) {
  EXPECT_EQ(refusal(Part{2, 2, 10, "x"}).field, "part.index");
  EXPECT_EQ(refusal(Part{0, 0, 10, "x"}).field, "part.index");
  EXPECT_EQ(refusal(Part{0, 11, 10, "x"}).field, "part.count");
  EXPECT_EQ(refusal(Part{0, 1, 10, ""}).field, "part.bytes");
  EXPECT_EQ(refusal(Part{0, 1, 1, "xy"}).field, "part.bytes");
  EXPECT_EQ(refusal(Part{0, 2, limits::kChangeMaxBytes + 1, "x"}).code, ErrorCode::too_large);
}

TEST(Refusal, AckVerdicts) {
  Ack ack = samples::full_ack();
  ack.verdicts[0].key.origin = "Not-A-Zone";
  EXPECT_EQ(refusal(ack).field, "ack.origin");
  ack = samples::full_ack();
  ack.verdicts[0].reject.code.clear();
  EXPECT_EQ(refusal(ack).field, "ack.verdicts.code");
  ack = samples::full_ack();
  ack.verdicts[1].reject.code = "invalid";
  EXPECT_EQ(refusal(ack).field, "ack.verdicts.code");
}

TEST(Refusal, HoldWithoutReasonAndTextThatIsNotUtf8) {
  EXPECT_EQ(refusal(Hold{"", "", false}).field, "hold.reason");
  for (const char* text : {"\xff", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    FlatBufferBuilder builder;
    builder.Finish(fb::CreateHoldDirect(builder, "paused", text));
    EXPECT_EQ(decode_hold(detail::finished(builder)).error().field, "hold.text");
  }
}

TEST(Refusal, DropOfAMalformedClass) {
  EXPECT_EQ(refusal(Drop{{"", "", "global", ""}}).field, "drop.type");
  EXPECT_EQ(refusal(Drop{{"Mesh", "", "", ""}}).field, "drop.origin");
  EXPECT_EQ(refusal(Drop{{"Mesh", "a/b", "global", ""}}).field, "drop.mesh");
}

TEST(Refusal, ChangeKeys) {
  const Class cls = samples::class_of_timeout();
  Resource resource = samples::timeout_resource();
  resource.key.type = std::string(limits::kTypeNameMaxBytes + 1, 'T');
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.type");
  resource = samples::timeout_resource();
  resource.key.name = "a/b";
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.name");
  resource.key.name = std::string(limits::kNameMaxBytes + 1, 'n');
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.name");
  resource.key.name = "bad\xff";
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.name");
  resource = samples::timeout_resource();
  resource.key.mesh = "line\n";
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.mesh");
  resource = samples::timeout_resource();
  resource.key.origin = "";
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.origin");
}

TEST(Refusal, ChangeLabelsTagAndSize) {
  Class cls = samples::class_of_timeout();
  Resource resource = samples::timeout_resource();
  resource.labels[""] = "x";
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.labels");
  resource.labels = {{"k", "\x80"}};
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.labels");
  resource.labels = {{"a", std::string(limits::kLabelsMaxBytes / 2, 'v')},
                     {"b", std::string(limits::kLabelsMaxBytes / 2, 'v')}};
  EXPECT_EQ(upsert_refusal(cls, resource).code, ErrorCode::too_large);
  resource.labels.clear();
  for (std::size_t i = 0; i <= limits::kLabelsMax; ++i) resource.labels[std::to_string(i)] = "";
  EXPECT_EQ(upsert_refusal(cls, resource).code, ErrorCode::too_large);
  resource = samples::timeout_resource();
  cls.tag = std::string(limits::kTagMaxBytes + 1, 't');
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change.tag");
  cls = samples::class_of_timeout();
  resource.spec = std::string(limits::kResourceMaxBytes, 's');  // and a status
  EXPECT_EQ(upsert_refusal(cls, resource).code, ErrorCode::too_large);
  resource.spec = std::string(limits::kChangeMaxBytes, 's');
  EXPECT_EQ(upsert_refusal(cls, resource).field, "change");
}

struct RawChange {
  fb::ChangeKind kind = fb::ChangeKind::upsert;
  std::vector<std::string> label_keys;
  bool spec = false;
  const char* identifier = "ZSC1";
};

Error raw_refusal(const RawChange& raw) {
  FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fb::Label>> labels;
  for (const std::string& key : raw.label_keys) {
    labels.push_back(fb::CreateLabelDirect(builder, key.c_str(), "v"));
  }
  const std::vector<std::uint8_t> spec{'x'};
  builder.Finish(fb::CreateChangeDirect(builder, raw.kind, "Mesh", "", "global", "default", "",
                                        labels.empty() ? nullptr : &labels,
                                        raw.spec ? &spec : nullptr, nullptr),
                 raw.identifier);
  const auto decoded = decode_change(SharedBytes(std::string(detail::finished(builder))));
  return decoded ? Error{} : decoded.error();
}

TEST(Refusal, ChangePayloadsOurEncoderNeverMakes) {
  using fb::ChangeKind;
  EXPECT_EQ(raw_refusal({ChangeKind::upsert, {"a", "b"}, true}), Error{});
  EXPECT_EQ(raw_refusal({ChangeKind::upsert, {"b", "a"}, true}).field, "change.labels");
  EXPECT_EQ(raw_refusal({ChangeKind::upsert, {"a", "a"}, true}).field, "change.labels");
  EXPECT_EQ(raw_refusal({ChangeKind::leave, {}, false}), Error{});
  EXPECT_EQ(raw_refusal({ChangeKind::leave, {"a"}, false}).field, "change.kind");
  EXPECT_EQ(raw_refusal({ChangeKind::leave, {}, true}).field, "change.kind");
  EXPECT_EQ(raw_refusal({ChangeKind::unknown, {}, false}).field, "change.kind");
  EXPECT_EQ(raw_refusal({static_cast<ChangeKind>(3), {}, false}).field, "change.kind");
  EXPECT_EQ(raw_refusal({ChangeKind::upsert, {}, true, "ZSC2"}).code, ErrorCode::protocol);
}

TEST(Refusal, RequiredFieldsMissing) {
  FlatBufferBuilder builder;
  builder.Finish(fb::CreateSync(builder, 0));  // a default is left out: a table without fields
  const ByteView empty = detail::finished(builder);
  EXPECT_FALSE(decode_hello(empty).has_value());
  EXPECT_FALSE(decode_welcome(empty).has_value());
  EXPECT_FALSE(decode_intent(empty).has_value());
  EXPECT_FALSE(decode_part(empty).has_value());
  EXPECT_FALSE(decode_drop(empty).has_value());
  EXPECT_FALSE(decode_mark(empty).has_value());
  EXPECT_FALSE(decode_hold(empty).has_value());
  EXPECT_FALSE(decode_change(SharedBytes(std::string(empty))).has_value());
  EXPECT_FALSE(decode_change(SharedBytes()).has_value());
  EXPECT_TRUE(decode_sync(empty).has_value());
}

void mutate(std::string& bytes, std::mt19937_64& random) {
  const std::size_t edits = 1 + random() % 4;
  for (std::size_t i = 0; i < edits && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8))); break;
      case 2: bytes[at] = static_cast<char>(bytes[at] + (random() % 2 == 0 ? 1 : -1)); break;
      default: bytes.resize(at); break;
    }
  }
}

/// Mutated payloads are refused or decode; what decodes encodes again. Never a crash.
TEST(Refusal, RandomMutationsNeverCrash) {
  const char* given = std::getenv("ZONESYNC_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 20;
  SCOPED_TRACE("ZONESYNC_TEST_SEED=" + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<samples::Sample> all = samples::all();
  int accepted = 0;
  constexpr int kRounds = 50'000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string& bytes = all[random() % all.size()].bytes;
    PacketReader reader(bytes, kAllFeatures);
    const Packet packet = **reader.next();
    std::string payload(packet.payload);
    mutate(payload, random);
    std::string message;
    append_packet(message, packet.header, payload);
    if (random() % 8 == 0) mutate(message, random);
    if (samples::decode_message(message)) ++accepted;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kRounds);
}

}  // namespace
}  // namespace zonesync::wire
