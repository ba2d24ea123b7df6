// Secrets in memory and on disk: wiped buffers, owner-only files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/model/result.hpp"

namespace zonesync::auth {

/// Owns secret bytes (a private key, a token) and overwrites them when destroyed or replaced.
/// Movable, not copyable, and without a stream operator, so that it is not printed by accident.
/// Thread rule: one owner.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// The bytes; valid as long as this object is not moved from or destroyed.
  [[nodiscard]] std::string_view expose() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  void wipe();
  std::string bytes_;
};

/// Reads a file that only its owner may read. Errors: `not_found`; `forbidden` when group or others
/// have any permission on it, or it belongs to somebody other than this process's user and root;
/// `too_large` over `max_bytes`; `storage_io`.
[[nodiscard]] Result<Secret> read_secret_file(const std::filesystem::path& path,
                                              std::size_t max_bytes);
/// Reads a file that need not be secret. Errors: `not_found`, `too_large`, `storage_io`.
[[nodiscard]] Result<std::string> read_public_file(const std::filesystem::path& path,
                                                   std::size_t max_bytes);

/// Creates a file with mode 0600 and makes it durable. Never overwrites: `conflict` if it exists.
[[nodiscard]] Status write_secret_file(const std::filesystem::path& path, std::string_view bytes);
/// The same with mode 0644.
[[nodiscard]] Status write_public_file(const std::filesystem::path& path, std::string_view bytes);
/// Makes the names in a directory durable (fsync of the directory). Errors: `storage_io`.
[[nodiscard]] Status sync_directory(const std::filesystem::path& directory);

/// `bytes` random bytes as lowercase hex. Errors: `internal` when the random source fails.
[[nodiscard]] Result<std::string> random_hex(std::size_t bytes);

}  // namespace zonesync::auth
