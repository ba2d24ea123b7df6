#include "server/auth/refusal.hpp"

namespace zonesync::auth {

std::string_view to_string(AuthEvent event) {
  switch (event) {
    case AuthEvent::token_missing: return "token.missing";
    case AuthEvent::token_malformed: return "token.malformed";
    case AuthEvent::token_unknown_key: return "token.unknown_key";
    case AuthEvent::token_bad_signature: return "token.bad_signature";
    case AuthEvent::token_not_yet_valid: return "token.not_yet_valid";
    case AuthEvent::token_expired: return "token.expired";
    case AuthEvent::token_wrong_audience: return "token.wrong_audience";
    case AuthEvent::token_wrong_scope: return "token.wrong_scope";
    case AuthEvent::token_wrong_zone: return "token.wrong_zone";
    case AuthEvent::token_revoked: return "token.revoked";
    case AuthEvent::attempts_limited: return "token.attempts_limited";
  }
  return "token.unknown";
}

Error Refusal::public_error() const {
  if (event == AuthEvent::attempts_limited) {
    return Error{ErrorCode::resource_exhausted, "too many refused credentials; try again later",
                 {}};
  }
  if (event == AuthEvent::token_expired) {
    return Error{ErrorCode::unauthenticated, "credential expired; ask the operator for a new one",
                 {}};
  }
  return Error{ErrorCode::unauthenticated, "credential refused", {}};
}

}  // namespace zonesync::auth
