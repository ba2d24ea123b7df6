// Turns a Patch back into the change it stands for (docs/protocol.md ZIP-14 to ZIP-17).
#pragma once

#include "protocol/core/ports.hpp"

namespace zonesync {

/// The whole change, from the version that the sink holds. Its hash is the announced one.
/// Errors: precondition_failed (the base is not here, or the result is not what was announced: ask
/// for whole versions), protocol, too_large (a frame that breaks ZIP-02 to ZIP-04, a result that is
/// no upsert of the key).
[[nodiscard]] Result<Change> restore(const wire::Patch& patch, const CutSink& sink);

}  // namespace zonesync
