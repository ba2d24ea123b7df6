// What the hub holds of a zone's origin, as a repair of the up flow prints it (REP-03).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/flowlog/log_source.hpp"
#include "server/hub/up_sink.hpp"

namespace zonesync::hub {

/// Live resources of `zone` in the classes that `view` admits, unconfirmed ones too; keys with an
/// open reject have a zero hash, so that they come again with their revision. Nothing = not able
/// to, or more than limits::kRepairPrintsMax. Thread rule: any thread; the caller sees to it that
/// no cut of the zone is on its way.
[[nodiscard]] std::optional<std::vector<Print>> up_prints(const LogSource& source,
                                                          const std::string& zone,
                                                          const View& view);
/// Whether anything of it is live: cheap.
[[nodiscard]] bool has_up_content(const LogSource& source, const View& view);
/// Both as the events of a sink; `source` outlives it.
[[nodiscard]] UpSink::Events up_events(const LogSource& source, std::string zone, View view);

}  // namespace zonesync::hub
