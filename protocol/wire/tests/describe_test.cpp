#include "protocol/wire/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

using testing::HasSubstr;
using testing::Not;

Packet first(const std::string& message) { return **PacketReader(message, kAllFeatures).next(); }

TEST(Describe, OneLineForLogs) {
  std::string bytes;
  append(bytes, Goodbye{4409, "newer\ninstance", 0, 0});
  EXPECT_EQ(describe(first(bytes)),
            R"(goodbye code=4409 reason="newer\u000ainstance" retry_after_ms=0 fallback_ttl_ms=0)");
}

TEST(Describe, MarkAsJson) {
  std::string bytes;
  append(bytes, FlowId::up, Mark{{}, samples::cursor_at(42), 7, {}});
  EXPECT_EQ(describe_json(first(bytes)),
            R"({"kind":"mark","flow":"up","to":{"era":"e0e1e2e3e4e5e6e7e8e9eaebecedeeef",)"
            R"("revision":42,"view":"505152535455565758595a5b5c5d5e5f"},"changes":7})");
}

TEST(Describe, ContentOnlyWhenAsked) {
  std::string bytes;
  append_change(bytes, FlowId::down, Revision{3},
                make_upsert(samples::class_of_timeout(), samples::timeout_resource()));
  append(bytes, FlowId::down, Revision{3}, Part{0, 1, 6, "secret"});
  PacketReader reader(bytes, kAllFeatures);
  const Packet change = **reader.next();
  const Packet part = **reader.next();
  EXPECT_THAT(describe(change), Not(HasSubstr("targetRef")));
  EXPECT_THAT(describe_json(change), Not(HasSubstr("targetRef")));
  EXPECT_THAT(describe_json(change, {.content = true}), HasSubstr("targetRef"));
  EXPECT_THAT(describe(part), Not(HasSubstr("secret")));
  EXPECT_THAT(describe_json(part), HasSubstr("\"part_bytes\":6"));
  EXPECT_THAT(describe_json(part, {.content = true}), HasSubstr("secret"));
}

TEST(Describe, SaysWhyAPayloadIsInvalid) {
  std::string bytes;
  append(bytes, FlowId::down, Hold{"", "", false});
  EXPECT_EQ(describe(first(bytes)),
            R"x(hold down invalid="protocol: a hold names its reason (hold.reason)")x");
}

TEST(Describe, BytesThatAreNotTextAreHex) {
  std::string bytes;
  append(bytes, FlowId::down, Revision{3}, Part{0, 1, 2, "\xff\x01"});
  EXPECT_THAT(describe_json(first(bytes), {.content = true}), HasSubstr("\"hex:ff01\""));
}

TEST(Describe, EverySampleHasNoControlCharacterAndNoNewline) {
  for (const samples::Sample& sample : samples::all()) {
    for (const char c : describe(first(sample.bytes))) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << sample.name;
    }
  }
}

}  // namespace
}  // namespace zonesync::wire
