#include "server/auth/credentials.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "server/auth/tests/fixture.hpp"

namespace zonesync::auth {
namespace {

using namespace zonesync::auth::testing;
namespace json = boost::json;
using std::chrono::hours;
using std::chrono::seconds;

/// A genuine signature over any claims.
std::string sign(const JwtKey& key, const std::string& claims) {
  return sign_jwt(key, json::parse(claims).as_object()).value();
}

AuthEvent zone_event(std::string_view token, UnixTime now = kNow) {
  const auto verified = make_credentials().verify_zone_token(token, now);
  EXPECT_FALSE(verified.has_value());
  return verified ? AuthEvent::attempts_limited : verified.error().event;
}

TEST(ZoneTokens, IssuedTokenGivesTheIdentity) {
  const auto issued = zone_token("east");
  const auto identity = make_credentials().verify_zone_token(issued.token, kNow);
  ASSERT_TRUE(identity) << identity.error().detail;
  EXPECT_EQ(identity->zone, "east");
  EXPECT_EQ(identity->scopes, std::vector<std::string>{"cp"});
  EXPECT_EQ(identity->jti, issued.jti);
  EXPECT_EQ(identity->expires_at, kNow + hours(1));
  EXPECT_EQ(identity->expires_at, issued.expires_at);
}

TEST(ZoneTokens, RsaKeysWorkTheSame) {
  const auto issued = zone_token("east", hours(1), {rsa_key()});
  EXPECT_TRUE(make_credentials({ec_key(), rsa_key()}).verify_zone_token(issued.token, kNow));
}

TEST(ZoneTokens, IdsAreUnique) { EXPECT_NE(zone_token().jti, zone_token().jti); }

TEST(ZoneTokens, VerifierOfASlowClockAcceptsAFreshToken) {
  EXPECT_TRUE(make_credentials().verify_zone_token(zone_token().token, kNow - seconds(5)));
  EXPECT_EQ(zone_event(zone_token().token, kNow - seconds(60)), AuthEvent::token_not_yet_valid);
}

TEST(ZoneTokens, ExpiredTokenSaysSoToTheClient) {
  const auto issued = zone_token("east", seconds(60));
  const auto refused = make_credentials().verify_zone_token(issued.token, kNow + seconds(65));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().event, AuthEvent::token_expired);
  EXPECT_EQ(refused.error().public_error().code, ErrorCode::unauthenticated);
  EXPECT_NE(refused.error().public_error().message.find("expired"), std::string::npos);
}

TEST(ZoneTokens, AudienceMustNameThisHub) {
  for (const char* audience : {R"("hub-b")", R"("")", "1", "null", R"(["hub-b","hub-c"])", "[]",
                               R"("zonesync-api")", R"({"hub-a":1})"}) {
    const std::string claims =
        R"({"zone":"east","scope":["cp"],"jti":"a","exp":1790003600,"aud":)" +
        std::string(audience) + "}";
    EXPECT_EQ(zone_event(sign(ec_key(), claims)), AuthEvent::token_wrong_audience) << audience;
  }
  const std::string none = R"({"zone":"east","scope":["cp"],"jti":"a","exp":1790003600})";
  EXPECT_EQ(zone_event(sign(ec_key(), none)), AuthEvent::token_wrong_audience);
  EXPECT_TRUE(make_credentials().verify_zone_token(
      sign(ec_key(), R"({"zone":"east","scope":["cp"],"jti":"a","exp":1790003600,
                         "aud":["hub-b","hub-a"]})"),
      kNow));
}

TEST(ZoneTokens, ClaimsOfTheWrongShapeAreMalformed) {
  for (const char* claims :
       {R"("scope":["cp"],"jti":"a")", R"("zone":"global","scope":["cp"],"jti":"a")",
        R"("zone":"","scope":["cp"],"jti":"a")", R"("zone":"East","scope":["cp"],"jti":"a")",
        R"("zone":["east"],"scope":["cp"],"jti":"a")",
        R"("zone":"e/../w","scope":["cp"],"jti":"a")",
        R"("zone":"east","jti":"a")", R"("zone":"east","scope":"cp","jti":"a")",
        R"("zone":"east","scope":[],"jti":"a")", R"("zone":"east","scope":[1],"jti":"a")",
        R"("zone":"east","scope":["cp",""],"jti":"a")", R"("zone":"east","scope":["cp"])",
        R"("zone":"east","scope":["cp"],"jti":"")", R"("zone":"east","scope":["cp"],"jti":7)"}) {
    const std::string all =
        R"({"aud":"hub-a","exp":1790003600,)" + std::string(claims) + "}";
    EXPECT_EQ(zone_event(sign(ec_key(), all)), AuthEvent::token_malformed) << claims;
  }
}

TEST(ZoneTokens, ScopeOfAnotherComponentIsRefused) {
  const std::string claims =
      R"({"aud":"hub-a","exp":1790003600,"zone":"east","scope":["ingress"],"jti":"a"})";
  EXPECT_EQ(zone_event(sign(ec_key(), claims)), AuthEvent::token_wrong_scope);
}

TEST(ZoneTokens, TokenOfAnotherZoneIsRefusedForTheClaimedOne) {
  const auto identity = make_credentials().verify_zone_token(zone_token("east").token, kNow);
  EXPECT_TRUE(check_zone(*identity, "east"));
  const auto refused = check_zone(*identity, "west");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().event, AuthEvent::token_wrong_zone);
}

TEST(ZoneTokens, NothingAboutTheReasonReachesTheClientAndNoTokenTheLog) {
  const auto credentials = make_credentials();
  const std::string canary = "canary-81b2";
  const auto stranger = JwtKey::generate("zone-1", JwtAlgorithm::es256).value();
  const auto unknown = JwtKey::generate(canary, JwtAlgorithm::es256).value();
  const std::string claims = R"({"aud":")" + canary + R"(","zone":")" + canary + R"("})";
  for (const std::string& token :
       {canary, sign(stranger, claims), sign(unknown, claims), sign(ec_key(), claims),
        canary + "." + canary + "." + canary}) {
    const auto refused = credentials.verify_zone_token(token, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().public_error().message, "credential refused");
    EXPECT_EQ(refused.error().public_error().field, "");
    EXPECT_EQ(refused.error().detail.find(canary), std::string::npos) << refused.error().detail;
    EXPECT_EQ(refused.error().detail.find(token), std::string::npos);
  }
}

TEST(ZoneTokens, EventCodesAreStable) {
  EXPECT_EQ(to_string(AuthEvent::token_missing), "token.missing");
  EXPECT_EQ(to_string(AuthEvent::token_malformed), "token.malformed");
  EXPECT_EQ(to_string(AuthEvent::token_bad_signature), "token.bad_signature");
  EXPECT_EQ(to_string(AuthEvent::token_expired), "token.expired");
  EXPECT_EQ(to_string(AuthEvent::token_wrong_audience), "token.wrong_audience");
  EXPECT_EQ(to_string(AuthEvent::token_revoked), "token.revoked");
  EXPECT_EQ(to_string(AuthEvent::token_wrong_zone), "token.wrong_zone");
}

TEST(ZoneTokens, IssuingChecksItsArguments) {
  const auto keys = SigningKeys::from_keys(KeyPurpose::zone, {ec_key()});
  const auto refused = [&](const ZoneTokenRequest& request) {
    return !issue_zone_token(keys, request, kNow).has_value();
  };
  EXPECT_TRUE(refused({"East!", "hub-a", hours(1)}));
  EXPECT_TRUE(refused({"global", "hub-a", hours(1)}));
  EXPECT_TRUE(refused({"east", "", hours(1)}));
  EXPECT_TRUE(refused({"east", "hub-a", seconds(0)}));
  EXPECT_TRUE(refused({"east", "hub-a", seconds(-1)}));
  EXPECT_TRUE(refused({"east", "hub-a", kTokenMaxLifetime + seconds(1)}));
  EXPECT_TRUE(refused({"east", "hub-a", hours(1), {}}));
  const auto api_keys = SigningKeys::from_keys(KeyPurpose::api, {api_key()});
  EXPECT_FALSE(issue_zone_token(api_keys, {"east", "hub-a", hours(1)}, kNow));
  EXPECT_FALSE(issue_api_token(keys, {"ann", {Role::viewer}, hours(1)}, kNow));
  EXPECT_FALSE(issue_zone_token(SigningKeys::from_keys(KeyPurpose::zone, {}),
                                {"east", "hub-a", hours(1)}, kNow));
}

TEST(ApiTokens, RolesAreOrdered) {
  const auto keys = SigningKeys::from_keys(KeyPurpose::api, {api_key()});
  const auto token = issue_api_token(keys, {"ci", {Role::editor}, hours(1)}, kNow)->token;
  const auto user = make_credentials().verify_api_token(token, kNow);
  ASSERT_TRUE(user) << user.error().detail;
  EXPECT_EQ(user->subject, "ci");
  EXPECT_TRUE(user->allows(Role::viewer));
  EXPECT_TRUE(user->allows(Role::editor));
  EXPECT_FALSE(user->allows(Role::admin));
  EXPECT_FALSE(UserIdentity{}.allows(Role::viewer));
}

TEST(ApiTokens, UnknownRolesAndMissingClaimsAreRefused) {
  for (const char* claims : {R"("sub":"ci","roles":["root"])", R"("sub":"ci","roles":[])",
                             R"("sub":"ci")", R"("roles":["admin"])",
                             R"("sub":"","roles":["admin"])",
                             R"("sub":"ci","roles":["viewer","root"])"}) {
    const std::string all = R"({"aud":"zonesync-api","jti":"a","exp":1790003600,)" +
                            std::string(claims) + "}";
    const auto refused = make_credentials().verify_api_token(sign(api_key(), all), kNow);
    ASSERT_FALSE(refused) << claims;
    EXPECT_EQ(refused.error().event, AuthEvent::token_malformed);
  }
}

TEST(ApiTokens, ZoneTokensAndApiTokensDoNotPassForEachOther) {
  const auto keys = SigningKeys::from_keys(KeyPurpose::api, {api_key()});
  const auto api = issue_api_token(keys, {"root", {Role::admin}, hours(1)}, kNow)->token;
  const auto credentials = make_credentials();
  EXPECT_EQ(credentials.verify_zone_token(api, kNow).error().event, AuthEvent::token_unknown_key);
  EXPECT_EQ(credentials.verify_api_token(zone_token().token, kNow).error().event,
            AuthEvent::token_unknown_key);
  // Not even with the right audience: the keys are apart.
  const auto both = sign(ec_key(), R"({"aud":["hub-a","zonesync-api"],"jti":"a","exp":1790003600,
                                       "sub":"x","roles":["admin"]})");
  EXPECT_FALSE(credentials.verify_api_token(both, kNow));
}

TEST(Revocation, RevokedTokenIsRefusedAndLiveSessionsCanAsk) {
  const auto credentials = make_credentials();
  const auto issued = zone_token();
  const auto other = zone_token();
  EXPECT_FALSE(credentials.zone_token_revoked(issued.jti));
  ASSERT_TRUE(credentials.revoke_zone_token(issued.jti));
  EXPECT_TRUE(credentials.zone_token_revoked(issued.jti));
  EXPECT_FALSE(credentials.api_token_revoked(issued.jti));
  EXPECT_EQ(credentials.verify_zone_token(issued.token, kNow).error().event,
            AuthEvent::token_revoked);
  EXPECT_TRUE(credentials.verify_zone_token(other.token, kNow));
}

TEST(Revocation, FileIsReadTolerantlyButNotBlindly) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / kRevocationFile;
  RevocationList list;
  ASSERT_TRUE(list.load(file));  // missing = empty
  write_text(file, "# lost laptop\n\n  abc-1 \r\nabc_2 # the other\nabc3");
  ASSERT_TRUE(list.load(file));
  EXPECT_EQ(list.size(), 3u);
  EXPECT_TRUE(list.revoked("abc-1"));
  EXPECT_TRUE(list.revoked("abc3"));
  write_text(file, "ok\nnot an id\n");
  const auto refused = list.load(file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, file.string() + ":2");
  EXPECT_TRUE(list.revoked("abc-1")) << "the old list stays";
}

TEST(Revocation, AppendedIdsAreReadBackAlsoAfterALineWithoutEnd) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / kRevocationFile;
  ASSERT_TRUE(RevocationList::append(file, "one"));
  write_text(file, "zero");
  ASSERT_TRUE(RevocationList::append(file, "two"));
  EXPECT_FALSE(RevocationList::append(file, "no\nline"));
  RevocationList list;
  ASSERT_TRUE(list.load(file));
  EXPECT_EQ(list.size(), 2u);
  EXPECT_TRUE(list.revoked("zero"));
  EXPECT_TRUE(list.revoked("two"));
}

TEST(Revocation, BadIdsAreRefused) {
  RevocationList list;
  EXPECT_FALSE(list.revoke(""));
  EXPECT_FALSE(list.revoke("a b"));
  EXPECT_FALSE(list.revoke(std::string(65, 'a')));
  EXPECT_EQ(list.size(), 0u);
}

TEST(Revocation, SurvivesARestartAndArrivesByFileFromOutside) {
  const TemporaryDirectory directory;
  const Credentials::Options options{directory.path() / "zone", directory.path() / "api", "hub-a"};
  ASSERT_TRUE(SigningKeys::rotate(options.zone_keys_dir, KeyPurpose::zone));
  ASSERT_TRUE(SigningKeys::rotate(options.api_keys_dir, KeyPurpose::api));
  const auto credentials = Credentials::load(options);
  ASSERT_TRUE(credentials) << describe(credentials.error());
  ASSERT_TRUE(credentials->revoke_zone_token("one"));
  ASSERT_TRUE(RevocationList::append(options.zone_keys_dir / kRevocationFile, "two"));
  EXPECT_FALSE(credentials->zone_token_revoked("two"));
  ASSERT_TRUE(credentials->reload_revocations());
  EXPECT_TRUE(credentials->zone_token_revoked("two"));
  EXPECT_TRUE(credentials->zone_token_revoked("one"));
  EXPECT_TRUE(Credentials::load(options)->zone_token_revoked("one"));
}

TEST(Bearer, OnlyBearerTokensAreTaken) {
  EXPECT_EQ(bearer_token("Bearer abc").value(), "abc");
  EXPECT_EQ(bearer_token("bearer abc").value(), "abc");
  EXPECT_EQ(bearer_token("").error().event, AuthEvent::token_missing);
  EXPECT_EQ(bearer_token("Bearer ").error().event, AuthEvent::token_missing);
  EXPECT_EQ(bearer_token("Basic abc").error().event, AuthEvent::token_malformed);
  EXPECT_EQ(bearer_token("Bearer").error().event, AuthEvent::token_malformed);
}

}  // namespace
}  // namespace zonesync::auth
