// The hub's master key on disk, and what the configuration says about encryption at rest.
#pragma once

#include <filesystem>

#include "server/config/hub_config.hpp"
#include "storage/rocksdb/sealing_options.hpp"

namespace zonesync {

/// Errors: not_found, forbidden (others may read it), invalid_argument (no key file), storage_io.
[[nodiscard]] Result<sealing::MasterKeyPtr> read_master_key(const std::filesystem::path& file);
/// Makes a key in a new file of mode 0600. Errors: conflict (it exists), storage_io, internal.
[[nodiscard]] Result<sealing::MasterKeyPtr> create_master_key(const std::filesystem::path& file);

/// How the hub's log seals, by its configuration. Errors: those of read_master_key.
[[nodiscard]] Result<SealingOptions> sealing_of(const HubConfig& config);

}  // namespace zonesync
