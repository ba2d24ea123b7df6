#include "server/auth/signing_keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/auth/tests/fixture.hpp"

namespace zonesync::auth {
namespace {

using namespace zonesync::auth::testing;
namespace fs = std::filesystem;

class SigningKeyFiles : public ::testing::Test {
 protected:
  [[nodiscard]] const fs::path& dir() const { return directory_.path(); }
  [[nodiscard]] fs::path key_file(int number, const std::string& suffix = ".pem") const {
    return dir() / ("zone-token-signing-key-" + std::to_string(number) + suffix);
  }
  Result<std::uint32_t> rotate() const { return SigningKeys::rotate(dir(), KeyPurpose::zone); }
  Result<SigningKeys> load() const { return SigningKeys::load(dir(), KeyPurpose::zone); }
  void write_public_half(int number, const JwtKey& key) const {
    write_text(key_file(number, ".pub.pem"), key.public_pem().value());
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(SigningKeyFiles, RotationNumbersKeysAndTheNewestSigns) {
  EXPECT_EQ(rotate().value(), 1u);
  EXPECT_EQ(rotate().value(), 2u);
  EXPECT_EQ(SigningKeys::rotate(dir(), KeyPurpose::zone, JwtAlgorithm::rs256).value(), 3u);
  const auto keys = load();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->keys().size(), 3u);
  EXPECT_EQ(keys->keys()[0].kid(), "zone-1");
  EXPECT_EQ(keys->signing_key().value()->kid(), "zone-3");
  EXPECT_EQ(keys->signing_key().value()->algorithm(), JwtAlgorithm::rs256);
}

TEST_F(SigningKeyFiles, TenFollowsNineNotOne) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(rotate());
  EXPECT_EQ(load()->signing_key().value()->kid(), "zone-10");
}

TEST_F(SigningKeyFiles, ANumberIsNotReusedWhileAHigherOneIsThere) {
  ASSERT_TRUE(rotate());
  ASSERT_TRUE(rotate());
  fs::remove(key_file(1));
  EXPECT_EQ(rotate().value(), 3u);
}

TEST_F(SigningKeyFiles, NewKeysAreReadableByTheirOwnerOnly) {
  ASSERT_TRUE(rotate());
  struct ::stat info {};
  ASSERT_EQ(::stat(key_file(1).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SigningKeyFiles, RotateMakesAMissingDirectoryPrivate) {
  const fs::path deep = dir() / "a" / "b";
  ASSERT_TRUE(SigningKeys::rotate(deep, KeyPurpose::api));
  struct ::stat info {};
  ASSERT_EQ(::stat(deep.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_EQ(SigningKeys::load(deep, KeyPurpose::api)->keys()[0].kid(), "api-1");
}

TEST_F(SigningKeyFiles, PrivateKeyThatOthersMayReadIsRefusedWithTheRemedy) {
  ASSERT_TRUE(rotate());
  for (const ::mode_t mode : {0644u, 0640u, 0604u, 0620u}) {
    ASSERT_EQ(::chmod(key_file(1).c_str(), mode), 0);
    const auto keys = load();
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code, ErrorCode::forbidden);
    EXPECT_NE(keys.error().message.find("chmod 600"), std::string::npos);
    EXPECT_EQ(keys.error().field, key_file(1).string());
  }
  ASSERT_EQ(::chmod(key_file(1).c_str(), 0400), 0);
  EXPECT_TRUE(load());
}

TEST_F(SigningKeyFiles, PublicKeysVerifyAndMayBeReadableByAll) {
  write_public_half(1, ec_key());
  const auto keys = load();
  ASSERT_TRUE(keys) << describe(keys.error());
  EXPECT_FALSE(keys->keys()[0].can_sign());
}

TEST_F(SigningKeyFiles, NewestKeyWithoutItsPrivateHalfMeansSigningElsewhere) {
  ASSERT_TRUE(rotate());
  write_public_half(2, ec_key());
  const auto signing = load()->signing_key();
  ASSERT_FALSE(signing);
  EXPECT_NE(signing.error().message.find("zone-2"), std::string::npos);
}

TEST_F(SigningKeyFiles, BothHalvesOfOneKeyAreOneKey) {
  ASSERT_TRUE(rotate());
  write_public_half(1, load()->keys()[0]);
  const auto keys = load();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->keys().size(), 1u);
  EXPECT_TRUE(keys->keys()[0].can_sign());
}

TEST_F(SigningKeyFiles, TwoDifferentKeysOfOneNumberAreRefused) {
  ASSERT_TRUE(rotate());
  write_public_half(1, ec_key());
  EXPECT_EQ(load().error().code, ErrorCode::invalid_argument);
}

TEST_F(SigningKeyFiles, OtherFilesAreIgnored) {
  ASSERT_TRUE(rotate());
  for (const char* name : {"zone-token-signing-key-01.pem", "zone-token-signing-key-0.pem",
                           "zone-token-signing-key-2.pem~", "zone-token-signing-key-.pem",
                           "zone-token-signing-key--1.pem", "api-token-signing-key-2.pem",
                           "zone-token-signing-key-99999999999.pem", "README"}) {
    write_text(dir() / name, "not a key");
  }
  EXPECT_EQ(load()->keys().size(), 1u);
}

TEST_F(SigningKeyFiles, UnreadableKeysAreNamedWithoutTheirContent) {
  write_text(key_file(3), "canary-5f1c");
  ::chmod(key_file(3).c_str(), 0600);
  const auto keys = load();
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().field, key_file(3).string());
  EXPECT_EQ(describe(keys.error()).find("canary-5f1c"), std::string::npos);
  write_text(key_file(3), std::string(kKeyFileMaxBytes + 1, 'x'));
  EXPECT_EQ(load().error().code, ErrorCode::too_large);
  fs::remove(key_file(3));
  fs::create_directory(key_file(3));
  EXPECT_FALSE(load());
}

TEST_F(SigningKeyFiles, MissingDirectoryAndMissingKeysAreNotFound) {
  EXPECT_EQ(load().error().code, ErrorCode::not_found);
  EXPECT_EQ(SigningKeys::load(dir() / "missing", KeyPurpose::zone).error().code,
            ErrorCode::not_found);
}

TEST_F(SigningKeyFiles, RotatedKeysBothVerifyUntilTheOldOneIsDeleted) {
  ASSERT_TRUE(rotate());
  const auto request = ZoneTokenRequest{"east", "hub-a", std::chrono::hours(1)};
  const auto api = SigningKeys::from_keys(KeyPurpose::api, {api_key()});
  const std::string old_token = issue_zone_token(*load(), request, kNow)->token;
  ASSERT_TRUE(rotate());
  const std::string new_token = issue_zone_token(*load(), request, kNow)->token;
  const Credentials both(*load(), api, "hub-a");
  EXPECT_TRUE(both.verify_zone_token(old_token, kNow));
  EXPECT_TRUE(both.verify_zone_token(new_token, kNow));
  fs::remove(key_file(1));
  const Credentials after(*load(), api, "hub-a");
  EXPECT_EQ(after.verify_zone_token(old_token, kNow).error().event, AuthEvent::token_unknown_key);
  EXPECT_TRUE(after.verify_zone_token(new_token, kNow));
}

}  // namespace
}  // namespace zonesync::auth
