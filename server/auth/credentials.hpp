// Zone tokens and API tokens: issue, verify, revoke.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "server/auth/signing_keys.hpp"

namespace zonesync::auth {

inline constexpr std::string_view kApiAudience = "zonesync-api";
/// The scope that lets a zone control plane open sync sessions.
inline constexpr std::string_view kZoneScope = "cp";
inline constexpr std::string_view kRevocationFile = "revoked-tokens.txt";
inline constexpr std::size_t kRevocationsMax = 100'000;
inline constexpr std::size_t kTokenIdMaxBytes = 64;
inline constexpr std::chrono::hours kTokenMaxLifetime{24 * 3660};  // ten years

/// Who a zone session is. Identity comes from here and from nowhere else (P7). The hub closes the
/// session at `expires_at`, and within 5 s of `jti` being revoked.
struct ZoneIdentity {
  std::string zone;
  std::vector<std::string> scopes;
  std::string jti;
  UnixTime expires_at;
};

/// Ordered: each role may do all that the lower ones may.
enum class Role : std::uint8_t { viewer = 1, editor = 2, admin = 3 };
[[nodiscard]] std::string_view to_string(Role role);

/// Who calls the API.
struct UserIdentity {
  std::string subject;
  std::vector<Role> roles;
  std::string jti;
  UnixTime expires_at;

  [[nodiscard]] bool allows(Role needed) const;
};

/// Ids of tokens that no longer count. Thread rule: any thread; a lookup takes one short lock.
class RevocationList {
 public:
  /// Replaces the list by the file's: one token id a line, `#` starts a comment. A missing file is
  /// an empty list. On an error the old list stays. Errors: `invalid_argument` with the line,
  /// `too_large`, `storage_io`.
  Status load(const std::filesystem::path& file);
  /// Adds an id in memory. Errors: `invalid_argument`, `resource_exhausted` when full.
  Status revoke(std::string_view jti);
  [[nodiscard]] bool revoked(std::string_view jti) const;
  [[nodiscard]] std::size_t size() const;

  /// Appends an id to a file, durably, creating it with mode 0600. Errors: `invalid_argument`,
  /// `storage_io`.
  static Status append(const std::filesystem::path& file, std::string_view jti);

 private:
  mutable std::mutex mutex_;
  std::unordered_set<std::string> ids_;
};

/// Verifies the tokens of one hub. Life cycle: build once per configuration, replace the whole
/// object when keys change; only the revocation lists change in place.
/// Thread rule: const members from any thread.
class Credentials {
 public:
  struct Options {
    std::filesystem::path zone_keys_dir;
    std::filesystem::path api_keys_dir;
    std::string audience;  // `aud` of zone tokens: names this hub
  };
  /// Reads both key directories and, from each, kRevocationFile if there.
  static Result<Credentials> load(const Options& options);
  /// For tests and in-process hubs.
  Credentials(SigningKeys zone_keys, SigningKeys api_keys, std::string audience);

  /// `now`: wall clock. On success the zone name is valid and the token genuine, current, for this
  /// hub, with the scope kZoneScope, and not revoked.
  [[nodiscard]] AuthResult<ZoneIdentity> verify_zone_token(std::string_view token,
                                                           UnixTime now) const;
  [[nodiscard]] AuthResult<UserIdentity> verify_api_token(std::string_view token,
                                                          UnixTime now) const;

  /// For the hub's check of live sessions, every few seconds.
  [[nodiscard]] bool zone_token_revoked(std::string_view jti) const;
  [[nodiscard]] bool api_token_revoked(std::string_view jti) const;
  /// Revokes at once and, where keys come from directories, durably in kRevocationFile. The caller
  /// then closes the sessions of that token. Errors: as RevocationList::revoke and append.
  Status revoke_zone_token(std::string_view jti) const;
  Status revoke_api_token(std::string_view jti) const;
  /// Reads the revocation files again; call at least every 5 s. On error the old lists stay.
  Status reload_revocations() const;

  [[nodiscard]] const SigningKeys& zone_keys() const { return zone_keys_; }
  [[nodiscard]] const SigningKeys& api_keys() const { return api_keys_; }
  [[nodiscard]] const std::string& audience() const { return audience_; }

 private:
  SigningKeys zone_keys_;
  SigningKeys api_keys_;
  std::string audience_;
  Options options_;
  std::shared_ptr<RevocationList> zone_revocations_ = std::make_shared<RevocationList>();
  std::shared_ptr<RevocationList> api_revocations_ = std::make_shared<RevocationList>();
};

/// The token of an `Authorization` header value: exactly `Bearer <token>`. The view points into
/// `header_value`. Events: `token.missing` (empty), `token.malformed`.
[[nodiscard]] AuthResult<std::string_view> bearer_token(std::string_view header_value);
/// Refuses with `token.wrong_zone` when a genuine identity claims another zone (Hello).
[[nodiscard]] AuthResult<void> check_zone(const ZoneIdentity& identity, std::string_view claimed);

struct ZoneTokenRequest {
  std::string zone;
  std::string audience;
  std::chrono::seconds valid_for{0};                  // > 0, <= kTokenMaxLifetime
  std::vector<std::string> scopes{std::string(kZoneScope)};
};
struct ApiTokenRequest {
  std::string subject;
  std::vector<Role> roles;
  std::chrono::seconds valid_for{0};
};
struct IssuedToken {
  std::string token;
  std::string jti;
  UnixTime expires_at;
};
/// Issues with the newest key; needs no running hub. `nbf` is backdated by kClockLeeway.
/// Errors: `invalid_argument` with the field, and those of SigningKeys::signing_key.
[[nodiscard]] Result<IssuedToken> issue_zone_token(const SigningKeys& keys,
                                                   const ZoneTokenRequest& request, UnixTime now);
[[nodiscard]] Result<IssuedToken> issue_api_token(const SigningKeys& keys,
                                                  const ApiTokenRequest& request, UnixTime now);

}  // namespace zonesync::auth
