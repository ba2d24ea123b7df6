#include "server/auth/jwt.hpp"

#include <optional>

#include <boost/json/serialize.hpp>

#include "protocol/model/limits.hpp"
#include "server/auth/openssl.hpp"
#include "server/auth/strict_json.hpp"

namespace zonesync::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kEs256HalfBytes = 32;               // RFC 7518 §3.4: r and s, 32 bytes each
constexpr std::int64_t kTimeMax = 253'402'300'799;        // the end of the year 9999
// Headers that offer a key of the sender's choice, or demand extensions we do not know.
constexpr std::string_view kForbiddenHeaders[] = {"jwk", "jku", "x5u", "x5c", "crit"};

const unsigned char* as_uchar(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* as_uchar(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::optional<std::string> es256_der_to_raw(std::string_view der) {
  const unsigned char* in = as_uchar(der);
  const openssl::EcdsaSigPtr signature(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  if (!signature) return std::nullopt;
  std::string raw(2 * kEs256HalfBytes, '\0');
  constexpr int half = kEs256HalfBytes;
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), as_uchar(raw), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), as_uchar(raw) + half, half) != half) {
    return std::nullopt;
  }
  return raw;
}

std::optional<std::string> es256_raw_to_der(std::string_view raw) {
  if (raw.size() != 2 * kEs256HalfBytes) return std::nullopt;
  constexpr int half = kEs256HalfBytes;
  openssl::BignumPtr r(BN_bin2bn(as_uchar(raw), half, nullptr));
  openssl::BignumPtr s(BN_bin2bn(as_uchar(raw) + half, half, nullptr));
  const openssl::EcdsaSigPtr signature(ECDSA_SIG_new());
  if (!r || !s || !signature) return std::nullopt;
  if (ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());  // now the signature's
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  if (size <= 0) return std::nullopt;
  std::string der(static_cast<std::size_t>(size), '\0');
  unsigned char* out = as_uchar(der);
  i2d_ECDSA_SIG(signature.get(), &out);
  return der;
}

std::optional<std::string> make_signature(const JwtKey& key, std::string_view text) {
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                     key.handle()) != 1) {
    return std::nullopt;
  }
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, as_uchar(text), text.size()) != 1) {
    return std::nullopt;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), as_uchar(signature), &size, as_uchar(text), text.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  return key.algorithm() == JwtAlgorithm::es256 ? es256_der_to_raw(signature) : signature;
}

bool signature_holds(const JwtKey& key, std::string_view text, std::string_view signature) {
  std::optional<std::string> converted;
  if (key.algorithm() == JwtAlgorithm::es256) {
    converted = es256_raw_to_der(signature);
    if (!converted) return false;
    signature = *converted;
  }
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.handle()) == 1 &&
         EVP_DigestVerify(context.get(), as_uchar(signature), signature.size(), as_uchar(text),
                          text.size()) == 1;
}

struct TokenParts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header and payload with the dot between
};

std::optional<TokenParts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return TokenParts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1), token.substr(0, second)};
}

tl::unexpected<Refusal> malformed(std::string detail) {
  return refuse(AuthEvent::token_malformed, std::move(detail));
}

/// Finds the key of a token's header; the header can choose among our keys, and nothing else.
AuthResult<const JwtKey*> choose_key(std::string_view header_text, std::span<const JwtKey> keys) {
  const auto decoded = base64url_decode(header_text);
  if (!decoded) return malformed("the header is not base64url");
  const auto header = parse_strict_object(*decoded);
  if (!header) return malformed("the header is not a JSON object with distinct members");
  for (const std::string_view name : kForbiddenHeaders) {
    if (header->contains({name.data(), name.size()})) {
      return malformed("the header has the refused member " + std::string(name));
    }
  }
  const auto* algorithm = header->if_contains("alg");
  const auto* kid = header->if_contains("kid");
  if (algorithm == nullptr || !algorithm->is_string()) return malformed("the header has no alg");
  if (kid == nullptr || !kid->is_string()) return malformed("the header has no kid");
  for (const JwtKey& key : keys) {
    if (std::string_view(kid->get_string()) != key.kid()) continue;
    if (std::string_view(algorithm->get_string()) != to_string(key.algorithm())) {
      return malformed("alg is not the algorithm of key " + key.kid());
    }
    return &key;
  }
  return refuse(AuthEvent::token_unknown_key, "kid names no signing key of this purpose");
}

/// A time claim; nothing if absent, a refusal if it is no whole number of seconds.
AuthResult<std::optional<UnixTime>> time_claim(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::optional<UnixTime>();
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > kTimeMax) {
    return malformed("claim " + std::string(name) + " is not a time in seconds");
  }
  return std::optional<UnixTime>(UnixTime(std::chrono::seconds(value->get_int64())));
}

}  // namespace

Result<std::string> sign_jwt(const JwtKey& key, const json::object& claims) {
  if (!key.can_sign()) {
    return fail(ErrorCode::invalid_argument,
                "key " + key.kid() + " is public: sign where its private half is");
  }
  const std::string_view algorithm = to_string(key.algorithm());
  json::object header;
  header["alg"] = json::string_view(algorithm.data(), algorithm.size());
  header["kid"] = key.kid();
  header["typ"] = "JWT";
  std::string token = base64url_encode(json::serialize(header));
  token += '.';
  token += base64url_encode(json::serialize(claims));
  const auto signature = make_signature(key, token);
  openssl::clear_errors();
  if (!signature) return fail(ErrorCode::internal, "signing with key " + key.kid() + " failed");
  token += '.';
  token += base64url_encode(*signature);
  if (token.size() > limits::kTokenMaxBytes) {
    return fail(ErrorCode::too_large, "the token would be larger than " +
                                          std::to_string(limits::kTokenMaxBytes) + " bytes");
  }
  return token;
}

AuthResult<json::object> verify_jwt(std::string_view token, std::span<const JwtKey> keys) {
  if (token.empty()) return refuse(AuthEvent::token_missing, "no token");
  if (token.size() > limits::kTokenMaxBytes) return malformed("larger than a token may be");
  const auto parts = split(token);
  if (!parts) return malformed("not three parts");
  const auto key = choose_key(parts->header, keys);
  if (!key) return tl::unexpected<Refusal>(key.error());
  const auto signature = base64url_decode(parts->signature);
  if (!signature) return malformed("the signature is not base64url");
  const bool holds = signature_holds(**key, parts->signed_text, *signature);
  openssl::clear_errors();
  if (!holds) {
    return refuse(AuthEvent::token_bad_signature, "not signed with key " + (*key)->kid());
  }
  const auto decoded = base64url_decode(parts->payload);
  if (!decoded) return malformed("the claims are not base64url");
  auto claims = parse_strict_object(*decoded);
  if (!claims) return malformed("the claims are not a JSON object with distinct members");
  return std::move(*claims);
}

AuthResult<UnixTime> check_jwt_times(const json::object& claims, UnixTime now) {
  const auto expires = time_claim(claims, "exp");
  const auto not_before = time_claim(claims, "nbf");
  const auto issued = time_claim(claims, "iat");
  for (const auto* claim : {&expires, &not_before, &issued}) {
    if (!*claim) return tl::unexpected<Refusal>(claim->error());
  }
  if (!*expires) return malformed("claim exp is missing");
  if (now >= **expires + kClockLeeway) {
    return refuse(AuthEvent::token_expired, "expired at " + std::to_string(
                                                (*expires)->time_since_epoch().count()));
  }
  for (const auto* claim : {&not_before, &issued}) {
    if (*claim && **claim && now + kClockLeeway < ***claim) {
      return refuse(AuthEvent::token_not_yet_valid,
                    "valid from " + std::to_string((**claim)->time_since_epoch().count()));
    }
  }
  return **expires;
}

}  // namespace zonesync::auth
