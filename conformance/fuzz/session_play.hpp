// One session of either role, played against a peer that the fuzzer makes up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/core/session.hpp"

namespace zonesync::fuzz {

/// Plays `data` as a script of messages, time, own writes and failing disks, and checks after each
/// step what must hold whatever a peer says. Ends the process when it does not.
void play(SessionRole role, const std::uint8_t* data, std::size_t size);

}  // namespace zonesync::fuzz
