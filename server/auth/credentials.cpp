#include "server/auth/credentials.hpp"

#include <algorithm>
#include <optional>

#include <boost/json/array.hpp>

#include "protocol/model/ids.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kScopesMax = 16;
constexpr std::size_t kScopeMaxBytes = 64;
constexpr std::size_t kSubjectMaxBytes = 128;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

const json::string* string_claim(const json::object& claims, std::string_view name,
                                 std::size_t max_bytes) {
  const auto* value = claims.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return nullptr;
  const json::string& text = value->get_string();
  return text.empty() || text.size() > max_bytes ? nullptr : &text;
}

/// A non-empty list of short strings.
std::optional<std::vector<std::string>> list_claim(const json::object& claims,
                                                   std::string_view name) {
  const auto* value = claims.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_array()) return std::nullopt;
  const json::array& items = value->get_array();
  if (items.empty() || items.size() > kScopesMax) return std::nullopt;
  std::vector<std::string> list;
  for (const json::value& item : items) {
    if (!item.is_string() || item.get_string().empty() ||
        item.get_string().size() > kScopeMaxBytes) {
      return std::nullopt;
    }
    list.emplace_back(view(item.get_string()));
  }
  return list;
}

/// `aud` is a string or a list of strings (RFC 7519 §4.1.3).
bool has_audience(const json::object& claims, std::string_view audience) {
  const auto* value = claims.if_contains("aud");
  if (value == nullptr) return false;
  if (value->is_string()) return view(value->get_string()) == audience;
  if (!value->is_array()) return false;
  const json::array& items = value->get_array();
  return std::any_of(items.begin(), items.end(), [&](const json::value& item) {
    return item.is_string() && view(item.get_string()) == audience;
  });
}

tl::unexpected<Refusal> bad_claim(std::string_view name) {
  return refuse(AuthEvent::token_malformed,
                "claim " + std::string(name) + " is missing or not what it must be");
}

/// What both kinds of token have in common: signature, times, audience, id, revocation.
struct GenuineToken {
  json::object claims;
  std::string jti;
  UnixTime expires_at;
};

AuthResult<GenuineToken> verify_common(std::string_view token, const SigningKeys& keys,
                                       std::string_view audience,
                                       const RevocationList& revocations, UnixTime now) {
  auto claims = verify_jwt(token, keys.keys());
  if (!claims) return tl::unexpected<Refusal>(claims.error());
  const auto* jti = string_claim(*claims, "jti", kTokenIdMaxBytes);
  if (jti == nullptr) return bad_claim("jti");
  const std::string id(view(*jti));
  if (!has_audience(*claims, audience)) {
    return refuse(AuthEvent::token_wrong_audience, "aud does not name this hub");
  }
  if (revocations.revoked(id)) {
    return refuse(AuthEvent::token_revoked, "this token id was revoked");
  }
  const auto expires_at = check_jwt_times(*claims, now);
  if (!expires_at) return tl::unexpected<Refusal>(expires_at.error());
  return GenuineToken{std::move(*claims), id, *expires_at};
}

Status revoke_in(RevocationList& list, const std::filesystem::path& directory,
                 std::string_view jti) {
  if (auto revoked = list.revoke(jti); !revoked) return revoked;
  if (directory.empty()) return {};  // keys in memory: nothing to remember it in
  return RevocationList::append(directory / kRevocationFile, jti);
}

std::optional<Role> role_from(std::string_view text) {
  for (const Role role : {Role::viewer, Role::editor, Role::admin}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::viewer: return "viewer";
    case Role::editor: return "editor";
    case Role::admin: return "admin";
  }
  return "unknown";
}

bool UserIdentity::allows(Role needed) const {
  return std::any_of(roles.begin(), roles.end(), [&](Role role) { return role >= needed; });
}

Result<Credentials> Credentials::load(const Options& options) {
  if (options.audience.empty()) {
    return fail(ErrorCode::invalid_argument, "the audience of zone tokens must not be empty",
                "auth.audience");
  }
  auto zone_keys = SigningKeys::load(options.zone_keys_dir, KeyPurpose::zone);
  if (!zone_keys) return fail(zone_keys.error());
  auto api_keys = SigningKeys::load(options.api_keys_dir, KeyPurpose::api);
  if (!api_keys) return fail(api_keys.error());
  Credentials credentials(std::move(*zone_keys), std::move(*api_keys), options.audience);
  credentials.options_ = options;
  if (auto loaded = credentials.reload_revocations(); !loaded) return fail(loaded.error());
  return credentials;
}

Credentials::Credentials(SigningKeys zone_keys, SigningKeys api_keys, std::string audience)
    : zone_keys_(std::move(zone_keys)),
      api_keys_(std::move(api_keys)),
      audience_(std::move(audience)) {}

AuthResult<ZoneIdentity> Credentials::verify_zone_token(std::string_view token,
                                                        UnixTime now) const {
  const auto genuine = verify_common(token, zone_keys_, audience_, *zone_revocations_, now);
  if (!genuine) return tl::unexpected<Refusal>(genuine.error());
  const auto* zone = string_claim(genuine->claims, "zone", limits::kZoneNameMaxBytes);
  if (zone == nullptr || !check_zone_name(view(*zone))) return bad_claim("zone");
  auto scopes = list_claim(genuine->claims, "scope");
  if (!scopes) return bad_claim("scope");
  if (std::find(scopes->begin(), scopes->end(), kZoneScope) == scopes->end()) {
    return refuse(AuthEvent::token_wrong_scope, "scope does not contain cp");
  }
  return ZoneIdentity{std::string(view(*zone)), std::move(*scopes), genuine->jti,
                      genuine->expires_at};
}

AuthResult<UserIdentity> Credentials::verify_api_token(std::string_view token,
                                                       UnixTime now) const {
  const auto genuine = verify_common(token, api_keys_, kApiAudience, *api_revocations_, now);
  if (!genuine) return tl::unexpected<Refusal>(genuine.error());
  const auto* subject = string_claim(genuine->claims, "sub", kSubjectMaxBytes);
  if (subject == nullptr) return bad_claim("sub");
  const auto names = list_claim(genuine->claims, "roles");
  if (!names) return bad_claim("roles");
  UserIdentity user{std::string(view(*subject)), {}, genuine->jti, genuine->expires_at};
  for (const std::string& name : *names) {
    const auto role = role_from(name);
    if (!role) return bad_claim("roles");
    user.roles.push_back(*role);
  }
  return user;
}

bool Credentials::zone_token_revoked(std::string_view jti) const {
  return zone_revocations_->revoked(jti);
}

bool Credentials::api_token_revoked(std::string_view jti) const {
  return api_revocations_->revoked(jti);
}

Status Credentials::revoke_zone_token(std::string_view jti) const {
  return revoke_in(*zone_revocations_, options_.zone_keys_dir, jti);
}

Status Credentials::revoke_api_token(std::string_view jti) const {
  return revoke_in(*api_revocations_, options_.api_keys_dir, jti);
}

Status Credentials::reload_revocations() const {
  if (options_.zone_keys_dir.empty()) return {};  // built in memory
  auto zone = zone_revocations_->load(options_.zone_keys_dir / kRevocationFile);
  auto api = api_revocations_->load(options_.api_keys_dir / kRevocationFile);
  return zone ? api : zone;
}

AuthResult<std::string_view> bearer_token(std::string_view header_value) {
  static constexpr std::string_view kScheme = "bearer ";
  if (header_value.empty()) return refuse(AuthEvent::token_missing, "no Authorization header");
  const std::string_view scheme = header_value.substr(0, kScheme.size());
  const bool is_bearer =
      std::equal(scheme.begin(), scheme.end(), kScheme.begin(), kScheme.end(),
                 [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  if (!is_bearer) return refuse(AuthEvent::token_malformed, "Authorization is not Bearer");
  header_value.remove_prefix(kScheme.size());
  if (header_value.empty()) return refuse(AuthEvent::token_missing, "Bearer without a token");
  return header_value;
}

AuthResult<void> check_zone(const ZoneIdentity& identity, std::string_view claimed) {
  if (identity.zone == claimed) return {};
  return refuse(AuthEvent::token_wrong_zone,
                "a token of zone " + identity.zone + " came with another zone name");
}

}  // namespace zonesync::auth
