// `zonesync-hub init`: everything a hub needs to start, made in one atomic step.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "server/auth/certificates.hpp"

namespace zonesync::auth {

struct InitOptions {
  std::vector<std::string> dns_names{"localhost"};
  std::vector<std::string> ip_addresses{"127.0.0.1", "::1"};
  std::string listen_sync = "127.0.0.1:5685";
  std::string listen_api = "127.0.0.1:5681";
  std::string listen_metrics = "127.0.0.1:5680";
  std::string audience = "zonesync-hub";
  std::chrono::hours ca_valid_for{24 * 3650};
  std::chrono::hours certificate_valid_for{24 * 397};
  std::chrono::hours admin_token_valid_for{24 * 365};
  JwtAlgorithm token_algorithm = JwtAlgorithm::es256;
  UnixTime now;
};

/// Absolute paths of what init_directory made.
struct InitResult {
  std::filesystem::path directory;
  std::filesystem::path config_file;       // hub.yaml
  std::filesystem::path data_dir;          // data
  std::filesystem::path ca_file;           // tls/ca.pem: what zones and tools trust
  std::filesystem::path ca_key_file;       // tls/ca.key: needed only to renew; keep it elsewhere
  std::filesystem::path certificate_file;  // tls/hub.pem
  std::filesystem::path key_file;          // tls/hub.key
  std::filesystem::path zone_keys_dir;     // keys/zone
  std::filesystem::path api_keys_dir;      // keys/api
  std::filesystem::path storage_key_file;  // keys/storage.key: seals sensitive types at rest
  std::filesystem::path admin_token_file;  // admin.token, mode 0600, one line
};

/// Makes a hub's directory (mode 0700) with CA, server certificate, signing keys, admin token and
/// hub.yaml with absolute paths. Built in `.<name>.init-<random>` beside the target and renamed
/// into place: after a failure or a kill the target is as before (a kill may leave that folder; it
/// can be deleted). The target must be missing or an empty
/// directory. Errors: `conflict` (something is there; nothing is touched), `invalid_argument`,
/// `storage_io`.
[[nodiscard]] Result<InitResult> init_directory(const std::filesystem::path& directory,
                                                const InitOptions& options);

}  // namespace zonesync::auth
