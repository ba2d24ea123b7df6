#include <gtest/gtest.h>

#include "protocol/model/limits.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/yaml_reader.hpp"
#include "protocol/text/yaml_writer.hpp"

namespace zonesync::text {
namespace {

std::string read(std::string_view yaml) {
  const Result<boost::json::value> value = parse_yaml({yaml, 1});
  return value ? write_canonical(*value) : "error: " + describe(value.error());
}
Error refusal(std::string_view yaml) {
  const Result<boost::json::value> value = parse_yaml({yaml, 1});
  EXPECT_FALSE(value) << yaml << " gave " << write_canonical(*value);
  return value ? Error{} : value.error();
}

struct ScalarCase {
  const char* yaml;
  const char* json;
};
class Scalar : public testing::TestWithParam<ScalarCase> {};
TEST_P(Scalar, FollowsTheCoreSchema) {
  EXPECT_EQ(read("v: " + std::string(GetParam().yaml)),
            "{\"v\":" + std::string(GetParam().json) + "}");
}
INSTANTIATE_TEST_SUITE_P(
    Core, Scalar,
    testing::Values(
        ScalarCase{"", "null"}, ScalarCase{"~", "null"}, ScalarCase{"null", "null"},
        ScalarCase{"NULL", "null"}, ScalarCase{"nUll", "\"nUll\""}, ScalarCase{"true", "true"},
        ScalarCase{"True", "true"}, ScalarCase{"FALSE", "false"}, ScalarCase{"yes", "\"yes\""},
        ScalarCase{"no", "\"no\""}, ScalarCase{"on", "\"on\""}, ScalarCase{"Off", "\"Off\""},
        ScalarCase{"y", "\"y\""}, ScalarCase{"12", "12"}, ScalarCase{"-12", "-12"},
        ScalarCase{"+12", "12"}, ScalarCase{"0123", "123"}, ScalarCase{"0o17", "15"},
        ScalarCase{"0xFf", "255"}, ScalarCase{"0b11", "\"0b11\""}, ScalarCase{"0o8", "\"0o8\""},
        ScalarCase{"1_000", "\"1_000\""}, ScalarCase{"1.0", "1"}, ScalarCase{"1.50", "1.5"},
        ScalarCase{".5", "0.5"}, ScalarCase{"5.", "5"}, ScalarCase{"1e3", "1000"},
        ScalarCase{"-2.5E-1", "-0.25"}, ScalarCase{"1e", "\"1e\""}, ScalarCase{".", "\".\""},
        ScalarCase{"+", "\"+\""}, ScalarCase{"1.2.3.4", "\"1.2.3.4\""},
        ScalarCase{"--1", "\"--1\""},
        ScalarCase{"12:30:45", "\"12:30:45\""}, ScalarCase{"2001-12-14", "\"2001-12-14\""},
        ScalarCase{"18446744073709551615", "18446744073709551615"},
        ScalarCase{"0xFFFFFFFFFFFFFFFF", "18446744073709551615"}, ScalarCase{"'1'", "\"1\""},
        ScalarCase{"\"true\"", "\"true\""}, ScalarCase{"''", "\"\""}, ScalarCase{"'~'", "\"~\""},
        ScalarCase{"!!str 12", "\"12\""}, ScalarCase{"!!int 12", "12"},
        ScalarCase{"! 12", "\"12\""}, ScalarCase{"inf", "\"inf\""}, ScalarCase{"nan", "\"nan\""}));

class BadScalar : public testing::TestWithParam<const char*> {};
TEST_P(BadScalar, IsRefusedWithLine) {
  const Error error = refusal("a: 1\nb: " + std::string(GetParam()) + "\n");
  EXPECT_EQ(error.field.substr(0, 2), "2:") << error.field;
}
INSTANTIATE_TEST_SUITE_P(Core, BadScalar,
                         testing::Values(".nan", ".NaN", ".inf", "-.Inf", "+.INF", "1e999",
                                         "18446744073709551616", "0x1FFFFFFFFFFFFFFFF",
                                         "-9223372036854775809", "!!int x", "!!bool yes",
                                         "!custom x", "!!binary aGk=", "!!null x"));

TEST(Yaml, DuplicateKeysAreRefusedWithLine) {
  EXPECT_EQ(refusal("a: 1\nb:\n  c: 1\n  c: 2\n").field, "4:3");
  EXPECT_EQ(refusal("{a: 1, 'a': 2}").field, "1:8");
}

TEST(Yaml, KeysAreText) {
  EXPECT_EQ(read("80: a\ntrue: b\n1.0: c"), "{\"1.0\":\"c\",\"80\":\"a\",\"true\":\"b\"}");
  refusal("~: a");
  refusal("? [a, b]\n: c");
  refusal("? {a: b}\n: c");
  refusal("x: &x k\n*x : v");
}

TEST(Yaml, MergeKeysAreRefusedByName) {
  EXPECT_NE(refusal("a: &a {x: 1}\nb:\n  <<: *a\n").message.find("merge keys"), std::string::npos);
  EXPECT_EQ(read("'<<': 1"), "{\"<<\":1}");
}

TEST(Yaml, AliasesExpand) {
  EXPECT_EQ(read("a: &x {p: [1, 2]}\nb: *x\nc: [*x]"),
            "{\"a\":{\"p\":[1,2]},\"b\":{\"p\":[1,2]},\"c\":[{\"p\":[1,2]}]}");
  EXPECT_EQ(read("a: &x hello\nb: *x"), "{\"a\":\"hello\",\"b\":\"hello\"}");
  EXPECT_EQ(read("a: &x\nb: *x"), "{\"a\":null,\"b\":null}");
}

TEST(Yaml, UnknownAndRecursiveAliasesAreRefused) {
  refusal("a: *nope");
  EXPECT_NE(refusal("a: &x [*x]").message.find("inside what it names"), std::string::npos);
}

TEST(Yaml, BillionLaughsIsBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_EQ(refusal(bomb).code, ErrorCode::too_large);
}

TEST(Yaml, AliasedTextCountsExpanded) {
  std::string bomb = "a: &a \"" + std::string(1u << 20, 'x') + "\"\nb: [";
  for (int i = 0; i < 20; ++i) bomb += i ? ", *a" : "*a";
  EXPECT_EQ(refusal(bomb + "]").code, ErrorCode::too_large);
}

TEST(Yaml, DepthIsBoundedThroughAliasesToo) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NE(read(nested(64)).substr(0, 5), "error");
  EXPECT_EQ(refusal(nested(65)).code, ErrorCode::too_large);
  refusal(nested(20'000));
  EXPECT_NE(read("a: &a " + nested(40) + "\nb: " + std::string(20, '[') + "*a" +
                 std::string(20, ']')).substr(0, 5), "error");
  refusal("a: &a " + nested(40) + "\nb: " + std::string(30, '[') + "*a" + std::string(30, ']'));
}

class BadYaml : public testing::TestWithParam<std::string> {};
TEST_P(BadYaml, IsRefused) { refusal(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Texts, BadYaml,
                         testing::Values("a: [1, 2", "a: {b: 1", "a: 'x", "a: \"x", "a: b: c",
                                         "- a\nb: 1", "\ta: 1", "a: \"\\q\"", "a: \xff",
                                         std::string("a: \0", 4), "{a: 1}\n{b: 2}"));

TEST(Yaml, StringsKeepTheirForm) {
  EXPECT_EQ(read("a: |\n  x\n  y\nb: >\n  x\n  y\nc: \"\\u00e4\\n\""),
            "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"c\":\"\xc3\xa4\\n\"}");
}

TEST(Yaml, SplitKeepsLinesAndDropsEmptyDocuments) {
  const auto chunks = split_yaml(
      "\xef\xbb\xbf# head\n---\n# only a comment\n---\na: 1\n---   # note\nb: 2\n"
      "...\n\n--- {c: 3}\n");
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[0].line, 4);
  EXPECT_EQ(chunks[1].line, 6);
  EXPECT_EQ(chunks[2].line, 10);
  EXPECT_EQ(write_canonical(parse_yaml(chunks[1]).value()), "{\"b\":2}");
  EXPECT_EQ(write_canonical(parse_yaml(chunks[2]).value()), "{\"c\":3}");
}

TEST(Yaml, SplitTakesWindowsLineEnds) {
  const auto chunks = split_yaml("---\r\na: 1\r\n---\r\nb: 2\r\n");
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(write_canonical(parse_yaml(chunks[0]).value()), "{\"a\":1}");
}

TEST(Yaml, MarksGiveThePlaceOfEveryValue) {
  Marks marks;
  ASSERT_TRUE(parse_yaml({"a: 1\nb:\n  - x\n  - c/d: y\n", 10}, &marks));
  EXPECT_EQ(marks.at("/a").line, 10);
  EXPECT_EQ(marks.at("/b/0").line, 12);
  EXPECT_EQ(marks.at("/b/1/c~1d").line, 13);
}

TEST(YamlWriter, WhatItWritesReadsBackTheSame) {
  const char* json =
      R"({"":"","a":[],"b":{},"c":[[1,[2]],[{"x":1,"y":[{"z":null}]}],[]],"d":"yes","e":"1.0",)"
      R"("f":"- x","g":"a: b","h":"x #y","i":"line\nbreak\ttab","j":" lead","k":"true","l":true,)"
      R"("m":-1.5e-9,"n":18446744073709551615,"o":"\u007f\u0085\u2028\ufeff","p":"/path/x-1.y",)"
      R"("q":{"r":{"s":["t",{"u":"v"}]}},"~":"~","0x1":"0o7","y":"n","key: x":"'q'","<<":"*a"})";
  const boost::json::value value = parse_json(json).value();
  const std::string yaml = write_yaml(value);
  EXPECT_EQ(read(yaml), write_canonical(value)) << yaml;
}

TEST(YamlWriter, PlainWhereSafe) {
  EXPECT_EQ(yaml_string("MeshTimeout"), "MeshTimeout");
  EXPECT_EQ(yaml_string("kuma.io/zone"), "kuma.io/zone");
  for (const char* text : {"yes", "No", "ON", "null", "", "1", "1.5", "-x", "a: b", "a #b", "x:"}) {
    EXPECT_EQ(yaml_string(text).front(), '"') << text;
  }
}

}  // namespace
}  // namespace zonesync::text
