// Numbered signing keys in a directory: the newest signs, all that are there verify.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/jwt.hpp"

namespace zonesync::auth {

/// What the keys of a directory sign; keys of one purpose never verify tokens of the other.
enum class KeyPurpose : std::uint8_t { zone, api };
[[nodiscard]] std::string_view to_string(KeyPurpose purpose);  // "zone", "api"

inline constexpr std::size_t kSigningKeysMax = 64;
inline constexpr std::size_t kKeyFileMaxBytes = 16u << 10;

/// The keys of one purpose. Files: `zone-token-signing-key-<n>.pem` (private, mode 0600) or
/// `zone-token-signing-key-<n>.pub.pem` (public: verifies only); `api-token-signing-key-<n>...` for
/// API tokens. Key id = `zone-<n>` or `api-<n>`. Rotation: rotate(), reissue the tokens, delete the
/// old file, reload. Life cycle: load, use, replace the whole object on reload.
/// Thread rule: immutable after load, any thread.
class SigningKeys {
 public:
  /// Reads every key file of the purpose; other files are ignored. Errors: `not_found` (directory
  /// missing or without a key of this purpose), `forbidden` (a private key that others may read),
  /// `invalid_argument` (unreadable key, two different keys of one number), `too_large`.
  static Result<SigningKeys> load(const std::filesystem::path& directory, KeyPurpose purpose);
  /// For tests and in-process hubs: the given keys, oldest first.
  static SigningKeys from_keys(KeyPurpose purpose, std::vector<JwtKey> keys);
  /// Generates key `highest + 1` (1 in an empty directory) and returns its number. The directory is
  /// created with mode 0700 if missing. Errors: as load, and `storage_io`.
  static Result<std::uint32_t> rotate(const std::filesystem::path& directory, KeyPurpose purpose,
                                      JwtAlgorithm algorithm = JwtAlgorithm::es256);

  /// All keys, oldest first.
  [[nodiscard]] std::span<const JwtKey> keys() const { return keys_; }
  [[nodiscard]] KeyPurpose purpose() const { return purpose_; }
  /// The key that signs: the newest. `invalid_argument` when only its public half is here, because
  /// the operator then issues elsewhere and falling back to an older key would undo a rotation.
  [[nodiscard]] Result<const JwtKey*> signing_key() const;

 private:
  std::vector<JwtKey> keys_;
  KeyPurpose purpose_ = KeyPurpose::zone;
};

}  // namespace zonesync::auth
