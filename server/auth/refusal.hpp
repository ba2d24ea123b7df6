// Why a credential was refused: one text for the client, a precise event for the hub's log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/model/result.hpp"

namespace zonesync::auth {

/// Stable event codes of the hub's log. Which one it was is not told to the client, except that
/// the holder of a genuine token learns that it expired.
enum class AuthEvent : std::uint8_t {
  token_missing,
  token_malformed,      // not a JWT of ours at all: size, base64url, JSON, header, claim types
  token_unknown_key,    // kid names no key of this purpose
  token_bad_signature,
  token_not_yet_valid,
  token_expired,
  token_wrong_audience,
  token_wrong_scope,
  token_wrong_zone,     // genuine, but for another zone than the one that was claimed
  token_revoked,
  attempts_limited,     // refused unseen: too many failures from this address
};
/// The log's event code, for example `token.bad_signature`.
[[nodiscard]] std::string_view to_string(AuthEvent event);

/// A refused credential. `detail` is for the log: it never holds a token, a key or any text taken
/// from an unverified token.
struct Refusal {
  AuthEvent event = AuthEvent::token_malformed;
  std::string detail;

  /// What a client may be told: `unauthenticated` with "credential refused" for everything, but
  /// "credential expired" for a genuine expired token and `resource_exhausted` for the limiter.
  [[nodiscard]] Error public_error() const;
};

template <class T>
using AuthResult = tl::expected<T, Refusal>;

[[nodiscard]] inline tl::unexpected<Refusal> refuse(AuthEvent event, std::string detail) {
  return tl::unexpected<Refusal>(Refusal{event, std::move(detail)});
}

}  // namespace zonesync::auth
