// Helpers of the auth tests: a folder that removes itself, keys made once, a fixed "now".
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "server/auth/credentials.hpp"

namespace zonesync::auth::testing {

inline constexpr UnixTime kNow{std::chrono::seconds(1'790'000'000)};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "zonesync-auth-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::size_t entries() const {
    const auto it = std::filesystem::directory_iterator(path_);
    return static_cast<std::size_t>(std::distance(begin(it), end(it)));
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// Keys are made once per process: an RSA key takes a while.
inline const JwtKey& ec_key() {
  static const JwtKey key = JwtKey::generate("zone-1", JwtAlgorithm::es256).value();
  return key;
}
inline const JwtKey& rsa_key() {
  static const JwtKey key = JwtKey::generate("zone-2", JwtAlgorithm::rs256).value();
  return key;
}
inline const JwtKey& api_key() {
  static const JwtKey key = JwtKey::generate("api-1", JwtAlgorithm::es256).value();
  return key;
}

inline Credentials make_credentials(std::vector<JwtKey> zone_keys = {ec_key()}) {
  return Credentials(SigningKeys::from_keys(KeyPurpose::zone, std::move(zone_keys)),
                     SigningKeys::from_keys(KeyPurpose::api, {api_key()}), "hub-a");
}

inline IssuedToken zone_token(const std::string& zone = "east",
                              std::chrono::seconds valid_for = std::chrono::hours(1),
                              std::vector<JwtKey> keys = {ec_key()}) {
  const auto signing = SigningKeys::from_keys(KeyPurpose::zone, std::move(keys));
  return issue_zone_token(signing, ZoneTokenRequest{zone, "hub-a", valid_for}, kNow).value();
}

}  // namespace zonesync::auth::testing
