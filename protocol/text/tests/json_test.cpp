#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "protocol/model/limits.hpp"
#include "protocol/text/canonical_json.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/number.hpp"

namespace zonesync {
namespace {

std::string canonical(std::string_view text) {
  const Result<std::string> result = canonical_json(text);
  return result ? *result : "error: " + describe(result.error());
}

struct NumberCase {
  double number;
  const char* text;
};
class NumberText : public testing::TestWithParam<NumberCase> {};
TEST_P(NumberText, FollowsEcmaScript) {
  EXPECT_EQ(text::number_to_text(GetParam().number), GetParam().text);
}
// Among them the samples of RFC 8785 appendix B.
INSTANTIATE_TEST_SUITE_P(
    Rfc8785, NumberText,
    testing::Values(NumberCase{0.0, "0"}, NumberCase{-0.0, "0"}, NumberCase{1.0, "1"},
                    NumberCase{5e-324, "5e-324"}, NumberCase{-5e-324, "-5e-324"},
                    NumberCase{1.7976931348623157e308, "1.7976931348623157e+308"},
                    NumberCase{9007199254740992.0, "9007199254740992"},
                    NumberCase{295147905179352830000.0, "295147905179352830000"},
                    NumberCase{9.999999999999997e22, "9.999999999999997e+22"},
                    NumberCase{1e23, "1e+23"},
                    NumberCase{1.0000000000000001e23, "1.0000000000000001e+23"},
                    NumberCase{999999999999999700000.0, "999999999999999700000"},
                    NumberCase{999999999999999900000.0, "999999999999999900000"},
                    NumberCase{1e21, "1e+21"},
                    NumberCase{9.999999999999997e-7, "9.999999999999997e-7"},
                    NumberCase{0.000001, "0.000001"},
                    NumberCase{333333333.3333332, "333333333.3333332"},
                    NumberCase{333333333.33333325, "333333333.33333325"},
                    NumberCase{-0.0000033333333333333333, "-0.0000033333333333333333"},
                    NumberCase{1424953923781206.2, "1424953923781206.2"}, NumberCase{4.5, "4.5"},
                    NumberCase{0.002, "0.002"}, NumberCase{1e-27, "1e-27"}));

TEST(CanonicalJson, IntegersOf64BitsAreExact) {
  EXPECT_EQ(canonical("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(canonical("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(canonical("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(canonical("9007199254740993"), "9007199254740993");
  EXPECT_EQ(canonical("-0"), "0");
}

TEST(CanonicalJson, NumbersBeyond64BitsAreRefusedWithPlace) {
  for (const char* text : {"18446744073709551616", "-9223372036854775809", "1e309", "-1e400",
                           "1e99999999999"}) {
    EXPECT_FALSE(canonical_json(text)) << text;
  }
  const Result<std::string> result = canonical_json("{\n  \"a\": 18446744073709551616\n}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field.substr(0, 2), "2:");
  EXPECT_NE(result.error().message.find("18446744073709551616"), std::string::npos);
}

TEST(CanonicalJson, DoublesShorten) {
  EXPECT_EQ(canonical("[1.0,1e3,1E-7,0.1,123456789.125]"), "[1,1000,1e-7,0.1,123456789.125]");
  EXPECT_EQ(canonical("1e-400"), "0");
}

TEST(CanonicalJson, IsIdempotentForEveryNumberForm) {
  for (const char* text : {"1e20", "123456789012345678901e0", "1e21", "1.5e300", "4.35", "1e19",
                           "12345678901234567890.0", "9007199254740993.0", "5e-324"}) {
    const std::string once = canonical(text);
    EXPECT_EQ(canonical(once), once) << text;
  }
}

TEST(CanonicalJson, SortsKeysByUtf16) {
  // RFC 8785 §3.2.3: the rocket (surrogates D83D..) sorts before U+FB33.
  EXPECT_EQ(canonical("{\"\\ufb33\":1,\"\\ud83d\\ude02\":2,\"\\u20ac\":3,\"\\r\":4,\"1\":5,"
                      "\"\\u0080\":6,\"\\u00f6\":7}"),
            "{\"\\r\":4,\"1\":5,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":3,"
            "\"\xf0\x9f\x98\x82\":2,\"\xef\xac\xb3\":1}");
}

TEST(CanonicalJson, EscapesAsTheRfcSays) {
  EXPECT_EQ(canonical(R"("\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/")"),
            "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
  EXPECT_EQ(canonical("\"\\u007f\\b\\f\\t\""), "\"\x7f\\b\\f\\t\"");
}

TEST(CanonicalJson, RefusesDuplicateKeysWithPlace) {
  const Result<std::string> result = canonical_json("{\"a\":1,\n \"\\u0061\":2}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(result.error().message.find("'a' is there twice"), std::string::npos);
  EXPECT_EQ(result.error().field.substr(0, 2), "2:");
}

TEST(CanonicalJson, RefusesDuplicatesInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(canonical_json(text + "\"x\":0}"));
  EXPECT_FALSE(canonical_json(text + "\"k7\":0}"));
}

class BadJson : public testing::TestWithParam<std::string> {};
TEST_P(BadJson, IsRefused) {
  const Result<std::string> result = canonical_json(GetParam());
  ASSERT_FALSE(result) << GetParam();
  EXPECT_NE(result.error().field.find(':'), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Texts, BadJson,
                         testing::Values("", " ", "{", "[1,]", "{\"a\":}", "{a:1}", "'a'", "NaN",
                                         "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x1",
                                         "tru", "// c\n1", "1 2", "{} x", "\"\\ud800\"",
                                         "\"\xff\"", "\"\xed\xa0\x80\"", "\"a\nb\"",
                                         std::string("\"a\0b\"", 5), "\"\\x\""));

TEST(CanonicalJson, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(canonical_json(nested(limits::kDocumentMaxDepth)));
  const Result<std::string> deep = canonical_json(nested(limits::kDocumentMaxDepth + 1));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::too_large);
  EXPECT_FALSE(canonical_json(nested(100'000)));
}

TEST(CanonicalJson, NodesAreBounded) {
  std::string text = "[0";
  for (std::size_t i = 0; i < limits::kDocumentMaxNodes; ++i) text += ",0";
  const Result<std::string> result = canonical_json(text + "]");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
}

TEST(CanonicalJson, LongStringsWithEscapesStayWhole) {
  std::string text = "\"";
  for (int i = 0; i < 5000; ++i) text += "ab\\u00e4c";
  text += '"';
  std::string want = "\"";
  for (int i = 0; i < 5000; ++i) want += "ab\xc3\xa4" "c";
  EXPECT_EQ(canonical(text), want + '"');
}

TEST(IsCanonicalObject, AcceptsOnlyTheOneForm) {
  EXPECT_TRUE(is_canonical_object("{}"));
  EXPECT_TRUE(is_canonical_object("{\"a\":1,\"b\":[true,null]}"));
  for (const char* text : {"", "[]", "1", "{ }", "{\"b\":1,\"a\":1}", "{\"a\":1.0}", "{\"a\":1",
                           "{\"a\":1}\n", "{\"a\":\"\\u0041\"}"}) {
    EXPECT_FALSE(is_canonical_object(text)) << text;
  }
}

}  // namespace
}  // namespace zonesync
