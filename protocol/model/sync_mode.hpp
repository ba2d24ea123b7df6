// How a session carries changes: its subprotocol, chosen at the upgrade and never changed after.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace zonesync {

/// delta = one change at a time; v1 = complete lists of the types that changed (state of the
/// world). Cursor, view, credit and verdicts are the same, so a zone may switch between sessions.
enum class SyncMode : std::uint8_t { delta, v1 };

/// `delta` or `v1`: the words of configuration, status, metrics and command line.
[[nodiscard]] std::string_view to_string(SyncMode mode);
[[nodiscard]] std::optional<SyncMode> parse_sync_mode(std::string_view word);

/// CON-02: the websocket subprotocol of a mode.
[[nodiscard]] std::string_view subprotocol_of(SyncMode mode);
[[nodiscard]] std::optional<SyncMode> mode_of_subprotocol(std::string_view subprotocol);

}  // namespace zonesync
