#include "protocol/model/ids.hpp"

#include <gtest/gtest.h>

#include "protocol/model/limits.hpp"
#include "protocol/model/utf8.hpp"

namespace zonesync {
namespace {

TEST(Ids, HexRoundTripKeepsEveryByte) {
  Id128 id;
  for (std::size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<std::uint8_t>(i * 17);
  EXPECT_EQ(to_hex(id), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(id128_from_hex(to_hex(id)), id);
}

TEST(Ids, HexRefusesWrongLengthCaseAndDigits) {
  EXPECT_FALSE(id128_from_hex(""));
  EXPECT_FALSE(id128_from_hex(std::string(31, '0')));
  EXPECT_FALSE(id128_from_hex(std::string(33, '0')));
  EXPECT_FALSE(id128_from_hex("00112233445566778899AABBCCDDEEFF"));
  EXPECT_FALSE(id128_from_hex("0011223344556677889gaabbccddeeff"));
}

TEST(Ids, ZoneNamesFollowDnsLabels) {
  for (const char* good : {"a", "east", "east-1", "0", "a--b"}) {
    EXPECT_TRUE(check_zone_name(good)) << good;
  }
  for (const char* bad : {"", "-east", "east-", "East", "a.b", "a_b", "ö", "global", "a/b"}) {
    EXPECT_FALSE(check_zone_name(bad)) << bad;
  }
  EXPECT_TRUE(check_zone_name(std::string(limits::kZoneNameMaxBytes, 'a')));
  EXPECT_FALSE(check_zone_name(std::string(limits::kZoneNameMaxBytes + 1, 'a')));
}

TEST(Ids, ResourceNamesTakeAnyPrintableUtf8) {
  for (const char* good : {"web", "a.b.c", "Größe", "名前", "with space", "\xf0\x9f\x9a\x80"}) {
    EXPECT_TRUE(check_resource_name(good, "/name")) << good;
  }
  EXPECT_TRUE(check_resource_name(std::string(limits::kNameMaxBytes, 'x'), "/name"));
}

TEST(Ids, ResourceNamesRefuseControlSlashAndBadUtf8) {
  const std::string bad[] = {"",           "a/b",          "a\nb",          std::string("a\0b", 3),
                             "\x7f",       "\xc2\x85",     "\xc0\xaf",      "\xed\xa0\x80",
                             "\xf4\x90\x80\x80", "\xe2\x82", "\x80",        "\xff",
                             std::string(limits::kNameMaxBytes + 1, 'x')};
  for (const std::string& name : bad) {
    const Status status = check_resource_name(name, "/name");
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().field, "/name");
  }
}

TEST(Ids, FindInvalidUtf8GivesTheOffset) {
  EXPECT_EQ(find_invalid_utf8("größe"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(find_invalid_utf8("ab\xe2\x82"), 2u);
}

TEST(Ids, FingerprintsSeparateTheParts) {
  EXPECT_NE(fingerprint({"A", "b", "c", "d"}), fingerprint({"Ab", "", "c", "d"}));
  EXPECT_NE(fingerprint({"A", "east", "1x", "p"}), fingerprint({"A", "east1", "x", "p"}));
  EXPECT_EQ(fingerprint({"A", "b", "c", "d"}), fingerprint({"A", "b", "c", "d"}));
}

TEST(Ids, KeyTextShowsAnEmptyMeshAsDash) {
  EXPECT_EQ(to_string(ResourceKey{"Mesh", "", "global", "default"}), "Mesh/-/default@global");
}

}  // namespace
}  // namespace zonesync
