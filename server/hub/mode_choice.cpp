#include "server/hub/mode_choice.hpp"

#include <algorithm>

namespace zonesync::hub {

std::vector<SyncMode> enabled_modes(bool delta_enabled, std::optional<SyncMode> forced) {
  const bool delta = forced ? *forced == SyncMode::delta : delta_enabled;
  if (delta) return {SyncMode::delta, SyncMode::v1};
  return {SyncMode::v1};
}

std::optional<ModeChoice> choose_mode(const std::vector<std::string>& offered, bool delta_enabled,
                                      std::optional<SyncMode> forced) {
  const auto enabled = enabled_modes(delta_enabled, forced);
  for (const std::string& name : offered) {
    const auto mode = mode_of_subprotocol(name);
    if (!mode || std::find(enabled.begin(), enabled.end(), *mode) == enabled.end()) continue;
    if (forced == mode) return ModeChoice{*mode, "operator"};
    if (*mode == SyncMode::delta) return ModeChoice{};
    return ModeChoice{*mode, enabled.size() == 1 ? "hub_config" : "zone"};
  }
  return std::nullopt;
}

}  // namespace zonesync::hub
