// A small private certificate authority: enough to run hub and zones over TLS without other tools.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/jwt.hpp"

namespace zonesync::auth {

/// A certificate and its private key, both PEM (PKCS#8 for the key), EC P-256.
struct KeyPair {
  std::string certificate_pem;
  Secret key_pem;
};

struct CaOptions {
  std::string common_name = "zonesync CA";
  UnixTime now;                                    // valid from an hour before
  std::chrono::hours valid_for{24 * 3650};
};
/// A self-signed authority that may sign end certificates only (path length 0).
/// Errors: `invalid_argument`, `internal`.
[[nodiscard]] Result<KeyPair> create_ca(const CaOptions& options);

struct ServerCertificateOptions {
  std::string common_name = "zonesync-hub";
  std::vector<std::string> dns_names;              // at least one name or address in all
  std::vector<std::string> ip_addresses;           // IPv4 or IPv6 text
  UnixTime now;
  std::chrono::hours valid_for{24 * 397};
};
/// A TLS server certificate signed by `ca`; it never outlives the authority.
/// Errors: `invalid_argument` (a name or address that is none, no name at all, unreadable CA, CA
/// expired), `internal`.
[[nodiscard]] Result<KeyPair> create_server_certificate(const KeyPair& ca,
                                                        const ServerCertificateOptions& options);

/// Writes `certificate_file` (0644) and `key_file` (0600); refuses to overwrite (`conflict`).
[[nodiscard]] Status write_key_pair(const KeyPair& pair,
                                    const std::filesystem::path& certificate_file,
                                    const std::filesystem::path& key_file);
/// Reads what write_key_pair wrote; the key's permissions are checked.
[[nodiscard]] Result<KeyPair> read_key_pair(const std::filesystem::path& certificate_file,
                                            const std::filesystem::path& key_file);

}  // namespace zonesync::auth
