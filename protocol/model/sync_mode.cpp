#include "protocol/model/sync_mode.hpp"

namespace zonesync {
namespace {

constexpr std::string_view kDelta = "zonesync.v2.delta";
constexpr std::string_view kV1 = "zonesync.v1.sotw";

}  // namespace

std::string_view to_string(SyncMode mode) { return mode == SyncMode::delta ? "delta" : "v1"; }

std::optional<SyncMode> parse_sync_mode(std::string_view word) {
  for (const SyncMode mode : {SyncMode::delta, SyncMode::v1}) {
    if (word == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::string_view subprotocol_of(SyncMode mode) { return mode == SyncMode::delta ? kDelta : kV1; }

std::optional<SyncMode> mode_of_subprotocol(std::string_view subprotocol) {
  for (const SyncMode mode : {SyncMode::delta, SyncMode::v1}) {
    if (subprotocol == subprotocol_of(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace zonesync
