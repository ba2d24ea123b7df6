// A crash must not write the process's memory to a disk: it holds secrets in the clear.
#pragma once

namespace zonesync {

/// Turns core dumps off for this process and what it starts, and forbids other processes of the
/// same user to read its memory. Call it first in main(). A kernel that refuses is not an error.
void disable_core_dumps();

}  // namespace zonesync
