#include <boost/json/array.hpp>

#include "protocol/model/ids.hpp"
#include "server/auth/credentials.hpp"

namespace zonesync::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kTokenIdBytes = 16;
constexpr std::size_t kSubjectMaxBytes = 128;
constexpr std::size_t kListMax = 16;

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }

/// Adds what both kinds of token have in common, and signs.
Result<IssuedToken> issue(const SigningKeys& keys, json::object claims, std::string_view audience,
                          std::chrono::seconds valid_for, UnixTime now) {
  if (valid_for <= std::chrono::seconds::zero() || valid_for > kTokenMaxLifetime) {
    return fail(ErrorCode::invalid_argument, "a token is valid for more than 0 s and at most "
                "ten years", "valid_for");
  }
  if (audience.empty()) {
    return fail(ErrorCode::invalid_argument, "the audience must not be empty", "audience");
  }
  const auto key = keys.signing_key();
  if (!key) return fail(key.error());
  auto jti = random_hex(kTokenIdBytes);
  if (!jti) return fail(jti.error());
  const UnixTime expires_at = now + valid_for;
  claims["aud"] = text(audience);
  claims["jti"] = text(*jti);
  claims["iat"] = now.time_since_epoch().count();
  claims["nbf"] = (now - kClockLeeway).time_since_epoch().count();
  claims["exp"] = expires_at.time_since_epoch().count();
  auto token = sign_jwt(**key, claims);
  if (!token) return fail(token.error());
  return IssuedToken{std::move(*token), std::move(*jti), expires_at};
}

tl::unexpected<Error> wrong_purpose(std::string_view wanted) {
  return fail(ErrorCode::invalid_argument,
              "these keys do not sign " + std::string(wanted) + " tokens", "keys");
}

}  // namespace

Result<IssuedToken> issue_zone_token(const SigningKeys& keys, const ZoneTokenRequest& request,
                                     UnixTime now) {
  if (keys.purpose() != KeyPurpose::zone) return wrong_purpose("zone");
  if (auto checked = check_zone_name(request.zone); !checked) return fail(checked.error());
  if (request.scopes.empty() || request.scopes.size() > kListMax) {
    return fail(ErrorCode::invalid_argument, "a zone token has 1 to 16 scopes", "scopes");
  }
  json::object claims;
  claims["zone"] = text(request.zone);
  json::array scopes;
  for (const std::string& scope : request.scopes) scopes.emplace_back(text(scope));
  claims["scope"] = std::move(scopes);
  return issue(keys, std::move(claims), request.audience, request.valid_for, now);
}

Result<IssuedToken> issue_api_token(const SigningKeys& keys, const ApiTokenRequest& request,
                                    UnixTime now) {
  if (keys.purpose() != KeyPurpose::api) return wrong_purpose("API");
  if (request.subject.empty() || request.subject.size() > kSubjectMaxBytes) {
    return fail(ErrorCode::invalid_argument, "a subject has 1 to 128 bytes", "subject");
  }
  if (request.roles.empty() || request.roles.size() > kListMax) {
    return fail(ErrorCode::invalid_argument, "an API token has at least one role", "roles");
  }
  json::object claims;
  claims["sub"] = text(request.subject);
  json::array roles;
  for (const Role role : request.roles) roles.emplace_back(text(to_string(role)));
  claims["roles"] = std::move(roles);
  return issue(keys, std::move(claims), kApiAudience, request.valid_for, now);
}

}  // namespace zonesync::auth
