// The folder of a hub's checkpoints.
#pragma once

#include <filesystem>
#include <string>

#include "server/hub/hub_api.hpp"
#include "storage/change_log.hpp"

namespace zonesync {

/// Checkpoints share files with the log: each keeps what the log has forgotten since, so that there
/// must not be many.
inline constexpr std::size_t kCheckpointsMax = 16;

/// "nightly-2026.11.22": letters, digits, '-', '_', '.', at most 64, not beginning with '.'.
[[nodiscard]] Status check_checkpoint_name(const std::string& name);
/// Makes one in `folder` (made when missing, mode 0700). On the log's writer thread. Errors: as
/// hub::HubApi::checkpoint.
[[nodiscard]] Result<hub::CheckpointInfo> make_checkpoint(ChangeLog& log,
                                                          const std::filesystem::path& folder,
                                                          std::string name);

}  // namespace zonesync
