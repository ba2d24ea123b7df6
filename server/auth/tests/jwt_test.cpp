#include "server/auth/jwt.hpp"

#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "server/auth/openssl.hpp"
#include "server/auth/tests/fixture.hpp"

namespace zonesync::auth {
namespace {

using namespace zonesync::auth::testing;
namespace json = boost::json;

std::vector<JwtKey> both_keys() { return {ec_key(), rsa_key()}; }

json::object claims(std::string_view text = R"({"zone":"east","exp":1790003600})") {
  return json::parse(json::string_view(text.data(), text.size())).as_object();
}

AuthEvent event_of(std::string_view token, const std::vector<JwtKey>& keys = both_keys()) {
  const auto verified = verify_jwt(token, keys);
  EXPECT_FALSE(verified.has_value());
  return verified ? AuthEvent::attempts_limited : verified.error().event;
}

/// A token with any header and payload text and a genuine RSA signature of rsa_key() ("zone-2"), to
/// show that the refusal comes from what the header or payload says.
std::string forge(std::string_view header, std::string_view payload) {
  const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, rsa_key().handle());
  std::size_t size = 1024;
  std::string signature(size, '\0');
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return text + "." + base64url_encode(signature);
}

TEST(Base64Url, KnownAnswersOfRfc4648) {
  EXPECT_EQ(base64url_encode(""), "");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  EXPECT_EQ(base64url_encode("fo"), "Zm8");
  EXPECT_EQ(base64url_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_decode("-_8").value(), "\xfb\xff");
}

TEST(Base64Url, RoundTripsEveryLength) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
  }
}

TEST(Base64Url, RefusesPaddingStrangeCharactersAndStrayBits) {
  for (const char* text : {"Zg==", "Zm8=", "Z", "Zm9v\n", "Z g", "+/8", "Zh", "Zm9"}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
}

class JwtAlgorithms : public ::testing::TestWithParam<JwtAlgorithm> {
 protected:
  const JwtKey& key() const { return GetParam() == JwtAlgorithm::es256 ? ec_key() : rsa_key(); }
};

TEST_P(JwtAlgorithms, SignedTokenVerifiesAndGivesItsClaims) {
  const auto token = sign_jwt(key(), claims());
  ASSERT_TRUE(token) << describe(token.error());
  const auto verified = verify_jwt(*token, both_keys());
  ASSERT_TRUE(verified) << verified.error().detail;
  EXPECT_EQ(json::serialize(*verified), json::serialize(claims()));
}

TEST_P(JwtAlgorithms, HeaderNamesAlgorithmAndKey) {
  const std::string token = sign_jwt(key(), claims()).value();
  const auto header =
      json::parse(base64url_decode(token.substr(0, token.find('.'))).value()).as_object();
  EXPECT_EQ(header.at("alg").as_string(), std::string(to_string(GetParam())));
  EXPECT_EQ(header.at("kid").as_string(), key().kid());
}

TEST_P(JwtAlgorithms, EveryChangedCharacterIsRefused) {
  const std::string token = sign_jwt(key(), claims()).value();
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_jwt(changed, both_keys())) << "position " << i;
  }
}

TEST_P(JwtAlgorithms, EveryShorterTokenIsRefused) {
  const std::string token = sign_jwt(key(), claims()).value();
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(verify_jwt(token.substr(0, size), both_keys())) << "size " << size;
  }
  EXPECT_FALSE(verify_jwt(token + "A", both_keys()));
  EXPECT_FALSE(verify_jwt(token + ".", both_keys()));
  EXPECT_FALSE(verify_jwt(token + "\n", both_keys()));
}

TEST_P(JwtAlgorithms, PublicHalfVerifiesButDoesNotSign) {
  const auto pem = key().public_pem();
  const auto half = JwtKey::from_public_pem(key().kid(), pem.value());
  ASSERT_TRUE(half);
  EXPECT_TRUE(verify_jwt(sign_jwt(key(), claims()).value(), std::vector<JwtKey>{*half}));
  EXPECT_EQ(sign_jwt(*half, claims()).error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(half->private_pem());
}

TEST_P(JwtAlgorithms, PrivatePemRoundTrips) {
  const auto pem = key().private_pem();
  ASSERT_TRUE(pem);
  const auto copy = JwtKey::from_private_pem(key().kid(), pem->expose());
  ASSERT_TRUE(copy);
  EXPECT_TRUE(copy->same_public_key(key()));
  EXPECT_EQ(copy->algorithm(), GetParam());
}

TEST_P(JwtAlgorithms, AnotherKeyOfTheSameIdIsABadSignature) {
  const auto other = JwtKey::generate(key().kid(), GetParam()).value();
  EXPECT_EQ(event_of(sign_jwt(other, claims()).value()), AuthEvent::token_bad_signature);
}

INSTANTIATE_TEST_SUITE_P(Both, JwtAlgorithms,
                         ::testing::Values(JwtAlgorithm::es256, JwtAlgorithm::rs256),
                         [](const auto& p) { return std::string(to_string(p.param)); });

TEST(Jwt, UnknownKeyIdIsRefused) {
  const auto key = JwtKey::generate("zone-9", JwtAlgorithm::es256).value();
  EXPECT_EQ(event_of(sign_jwt(key, claims()).value()), AuthEvent::token_unknown_key);
  EXPECT_EQ(event_of(sign_jwt(ec_key(), claims()).value(), {}), AuthEvent::token_unknown_key);
}

TEST(Jwt, UnsignedTokenIsRefused) {
  for (const char* algorithm : {"none", "None", "NONE", ""}) {
    const std::string header = R"({"alg":")" + std::string(algorithm) + R"(","kid":"zone-1"})";
    const std::string text =
        base64url_encode(header) + "." + base64url_encode(json::serialize(claims()));
    EXPECT_EQ(event_of(text + "."), AuthEvent::token_malformed) << algorithm;
    EXPECT_EQ(event_of(text), AuthEvent::token_malformed) << algorithm;
  }
}

TEST(Jwt, HmacUnderThePublicKeyIsRefused) {
  const std::string text = base64url_encode(R"({"alg":"HS256","kid":"zone-2"})") + "." +
                           base64url_encode(json::serialize(claims()));
  const std::string secret = rsa_key().public_pem().value();
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  const std::string signature(reinterpret_cast<const char*>(mac), size);
  EXPECT_EQ(event_of(text + "." + base64url_encode(signature)), AuthEvent::token_malformed);
}

TEST(Jwt, AlgorithmIsTheKeysNotTheTokens) {
  const std::string payload = json::serialize(claims());
  EXPECT_TRUE(verify_jwt(forge(R"({"alg":"RS256","kid":"zone-2"})", payload), both_keys()));
  EXPECT_EQ(event_of(forge(R"({"alg":"ES256","kid":"zone-2"})", payload)),
            AuthEvent::token_malformed);
  EXPECT_EQ(event_of(forge(R"({"alg":"RS512","kid":"zone-2"})", payload)),
            AuthEvent::token_malformed);
  EXPECT_EQ(event_of(forge(R"({"alg":"PS256","kid":"zone-2"})", payload)),
            AuthEvent::token_malformed);
  // RS256 bytes under the id of the EC key: 384 bytes are no ES256 signature.
  EXPECT_EQ(event_of(forge(R"({"alg":"ES256","kid":"zone-1"})", payload)),
            AuthEvent::token_bad_signature);
}

TEST(Jwt, HeadersThatBringTheirOwnKeyAreRefused) {
  for (const char* extra : {R"("jwk":{})", R"("jku":"https://x.example")",
                            R"("x5u":"https://x.example")", R"("x5c":[])", R"("crit":["b64"])"}) {
    const std::string header = R"({"alg":"RS256","kid":"zone-2",)" + std::string(extra) + "}";
    EXPECT_EQ(event_of(forge(header, "{}")), AuthEvent::token_malformed) << extra;
  }
}

TEST(Jwt, DuplicateMembersAreRefused) {
  const std::string good = R"({"alg":"RS256","kid":"zone-2"})";
  EXPECT_EQ(event_of(forge(R"({"alg":"RS256","kid":"zone-2","kid":"zone-1"})", "{}")),
            AuthEvent::token_malformed);
  EXPECT_EQ(event_of(forge(good, R"({"zone":"east","zone":"west"})")),
            AuthEvent::token_malformed);
  EXPECT_EQ(event_of(forge(good, R"({"zone":"east","zo\u006ee":"west"})")),
            AuthEvent::token_malformed);
  EXPECT_EQ(event_of(forge(good, R"({"a":[{"b":1,"b":2}]})")), AuthEvent::token_malformed);
  EXPECT_TRUE(verify_jwt(forge(good, R"({"a":{"b":1},"b":[{"b":1},{"b":2}]})"), both_keys()));
}

TEST(Jwt, HeaderAndClaimsMustBeJsonObjects) {
  const std::string good = R"({"alg":"RS256","kid":"zone-2"})";
  for (const char* payload : {"", "[]", "null", "1", "{} ,", "{", "{'a':1}", "{\"a\":NaN}",
                              "[[[[[[[[[[1]]]]]]]]]]"}) {
    EXPECT_EQ(event_of(forge(good, payload)), AuthEvent::token_malformed) << payload;
  }
  for (const char* header : {"", "[]", R"({"alg":"RS256"})", R"({"kid":"zone-2"})",
                             R"({"alg":1,"kid":"zone-2"})", R"({"alg":"RS256","kid":2})"}) {
    EXPECT_EQ(event_of(forge(header, "{}")), AuthEvent::token_malformed) << header;
  }
}

TEST(Jwt, EmptyIsMissingAndOversizedIsMalformed) {
  EXPECT_EQ(event_of(""), AuthEvent::token_missing);
  EXPECT_EQ(event_of(std::string(4097, 'A')), AuthEvent::token_malformed);
  json::object large = claims();
  large["filler"] = std::string(4096, 'x');
  EXPECT_EQ(sign_jwt(ec_key(), large).error().code, ErrorCode::too_large);
}

TEST(Jwt, GarbageNeverPassesAndNeverCrashes) {
  std::mt19937 random(20'261'122);
  const std::string token = sign_jwt(ec_key(), claims()).value();
  const std::vector<JwtKey> keys = {ec_key()};
  for (int round = 0; round < 3'000; ++round) {
    std::string changed = token;
    const unsigned edits = 1 + random() % 6;
    for (unsigned i = 0; i < edits; ++i) {
      const std::size_t at = random() % changed.size();
      switch (random() % 4) {
        case 0: changed[at] = static_cast<char>(random()); break;
        case 1: changed.insert(at, 1, "._-=A\0{"[random() % 7]); break;
        case 2: changed.erase(at, 1 + random() % 8); break;
        default: changed.append(changed.substr(at, random() % 32)); break;
      }
      if (changed.empty()) changed = ".";
    }
    if (changed == token) continue;
    EXPECT_FALSE(verify_jwt(changed, keys)) << "round " << round;
  }
}

TEST(Jwt, GarbageInGenuinelySignedPartsNeverCrashes) {
  std::mt19937 random(5);
  const std::string good = json::serialize(claims());
  for (int round = 0; round < 60; ++round) {
    std::string payload = good;
    for (int i = 0; i < 3; ++i) payload[random() % payload.size()] = static_cast<char>(random());
    const auto verified = verify_jwt(forge(R"({"alg":"RS256","kid":"zone-2"})", payload),
                                     both_keys());
    if (verified) static_cast<void>(check_jwt_times(*verified, kNow));
  }
}

TEST(JwtKeys, OnlyStrongKeysOfTheTwoKindsAreAccepted) {
  EXPECT_FALSE(JwtKey::from_private_pem("zone-1", ""));
  EXPECT_FALSE(JwtKey::from_private_pem("zone-1", "-----BEGIN PRIVATE KEY-----\nAAAA\n"));
  EXPECT_FALSE(JwtKey::from_public_pem("zone-1", ec_key().private_pem()->expose()));
  EXPECT_FALSE(JwtKey::from_private_pem("zone-1", ec_key().public_pem().value()));
  for (EVP_PKEY* raw : {EVP_EC_gen("P-384"), EVP_RSA_gen(1024), EVP_PKEY_Q_keygen(
                                                                    nullptr, nullptr, "ED25519")}) {
    const openssl::KeyPtr weak(raw);
    const auto pem = openssl::private_key_to_pem(weak.get());
    EXPECT_EQ(JwtKey::from_private_pem("zone-1", pem->expose()).error().code,
              ErrorCode::invalid_argument);
  }
}

AuthEvent time_event(std::string_view text, UnixTime now) {
  const auto checked = check_jwt_times(claims(text), now);
  return checked ? AuthEvent::attempts_limited : checked.error().event;
}
constexpr AuthEvent kAccepted = AuthEvent::attempts_limited;  // no time check returns this one

TEST(JwtTimes, ExpiryHasFiveSecondsOfLeeway) {
  const auto at = [](std::int64_t seconds) { return UnixTime(std::chrono::seconds(seconds)); };
  EXPECT_EQ(time_event(R"({"exp":1000})", at(999)), kAccepted);
  EXPECT_EQ(time_event(R"({"exp":1000})", at(1004)), kAccepted);
  EXPECT_EQ(time_event(R"({"exp":1000})", at(1005)), AuthEvent::token_expired);
  EXPECT_EQ(check_jwt_times(claims(R"({"exp":1000})"), at(0)).value(), at(1000));
}

TEST(JwtTimes, StartAndIssueHaveFiveSecondsOfLeeway) {
  const auto at = [](std::int64_t seconds) { return UnixTime(std::chrono::seconds(seconds)); };
  for (const char* text : {R"({"exp":9000,"nbf":1000})", R"({"exp":9000,"iat":1000})"}) {
    EXPECT_EQ(time_event(text, at(995)), kAccepted);
    EXPECT_EQ(time_event(text, at(994)), AuthEvent::token_not_yet_valid);
  }
}

TEST(JwtTimes, TimesMustBeWholeSecondsAndExpiryPresent) {
  for (const char* text :
       {"{}", R"({"nbf":1})", R"({"exp":"1790003600"})", R"({"exp":1.5})", R"({"exp":-1})",
        R"({"exp":null})", R"({"exp":18446744073709551615})", R"({"exp":9223372036854775807})",
        R"({"exp":1790003600,"nbf":"x"})", R"({"exp":1790003600,"iat":[1]})"}) {
    EXPECT_EQ(time_event(text, kNow), AuthEvent::token_malformed) << text;
  }
}

}  // namespace
}  // namespace zonesync::auth
