// JSON Web Tokens (RFC 7519, RFC 7515 compact form) with ES256 and RS256 and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "server/auth/refusal.hpp"
#include "server/auth/secret.hpp"

struct evp_pkey_st;

namespace zonesync::auth {

/// Wall-clock time; always an argument, never read here.
using UnixTime = std::chrono::sys_seconds;

/// How far the clocks of issuer and verifier may differ.
inline constexpr std::chrono::seconds kClockLeeway{5};

enum class JwtAlgorithm : std::uint8_t { es256, rs256 };
[[nodiscard]] std::string_view to_string(JwtAlgorithm algorithm);  // "ES256", "RS256"

/// One key with its id and the one algorithm it is used with; the algorithm follows from the type
/// of the key, never from a token. Copies share the key. Thread rule: immutable, any thread.
class JwtKey {
 public:
  /// EC keys must be P-256 (ES256), RSA keys 2048 to 8192 bits (RS256). Errors: `invalid_argument`.
  static Result<JwtKey> from_private_pem(std::string kid, std::string_view pem);
  static Result<JwtKey> from_public_pem(std::string kid, std::string_view pem);
  /// A new P-256 or RSA 3072 key. Errors: `internal`.
  static Result<JwtKey> generate(std::string kid, JwtAlgorithm algorithm);

  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] JwtAlgorithm algorithm() const { return algorithm_; }
  [[nodiscard]] bool can_sign() const { return can_sign_; }
  [[nodiscard]] evp_pkey_st* handle() const { return key_.get(); }
  /// Same public half, whatever the ids.
  [[nodiscard]] bool same_public_key(const JwtKey& other) const;

  /// PKCS#8. Errors: `invalid_argument` for a public key.
  [[nodiscard]] Result<Secret> private_pem() const;
  [[nodiscard]] Result<std::string> public_pem() const;

 private:
  static Result<JwtKey> adopt(std::string kid, evp_pkey_st* key, bool can_sign);

  std::string kid_;
  std::shared_ptr<evp_pkey_st> key_;
  JwtAlgorithm algorithm_ = JwtAlgorithm::es256;
  bool can_sign_ = false;
};

/// Signs `claims` as a compact JWT with the header {"alg","kid","typ"}.
/// Errors: `invalid_argument` for a public key, `too_large` over limits::kTokenMaxBytes.
[[nodiscard]] Result<std::string> sign_jwt(const JwtKey& key, const boost::json::object& claims);

/// Verifies structure and signature against the key that `kid` names among `keys`, and returns the
/// claims. Refuses: over 4 KiB, padding or stray bits in base64url, duplicate JSON keys, an `alg`
/// other than the key's, and the headers jwk, jku, x5u, x5c, crit. Claims are not judged here.
[[nodiscard]] AuthResult<boost::json::object> verify_jwt(std::string_view token,
                                                         std::span<const JwtKey> keys);

/// Judges `exp` and `nbf` (and `iat`, which must not lie in the future) with kClockLeeway; `exp` is
/// required. Returns the expiry. Events: `token.malformed`, `.not_yet_valid`, `.expired`.
[[nodiscard]] AuthResult<UnixTime> check_jwt_times(const boost::json::object& claims, UnixTime now);

/// Base64url without padding (RFC 4648 §5); decoding refuses padding, other characters and
/// non-zero trailing bits, so that every byte string has exactly one text.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
[[nodiscard]] Result<std::string> base64url_decode(std::string_view text);

}  // namespace zonesync::auth
