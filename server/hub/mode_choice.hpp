// Which mode a session of a zone gets, and why (docs/protocol.md CON-02).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/model/sync_mode.hpp"

namespace zonesync::hub {

struct ModeChoice {
  SyncMode mode = SyncMode::delta;
  /// `default`, `operator` (forced for this zone), `hub_config` (sync.delta.enabled is false),
  /// `zone` (it prefers or only knows v1).
  std::string reason = "default";
};

/// Subprotocols that a zone may use, best first. v1 always: there is no zone that cannot be served.
[[nodiscard]] std::vector<SyncMode> enabled_modes(bool delta_enabled,
                                                  std::optional<SyncMode> forced);
/// The first of `offered` that is enabled; nothing = none in common.
[[nodiscard]] std::optional<ModeChoice> choose_mode(const std::vector<std::string>& offered,
                                                    bool delta_enabled,
                                                    std::optional<SyncMode> forced);

}  // namespace zonesync::hub
