// zstd frames written by hand (RFC 8878): right ones and ones that break one rule of ZIP-*.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/model/bytes.hpp"
#include "protocol/wire/message.hpp"

namespace zonesync::conform {

/// Everything as it should be, but for what is set.
struct FrameShape {
  unsigned window_log = 17;
  bool states_size = true;
  std::optional<std::uint32_t> size;       // instead of the true one
  bool dictionary_id = false;
  std::uint32_t zeros = 0;                 // instead of a payload: so many zero bytes, in a few
  std::string behind;                      // after the frame
  std::size_t cut = 0;                     // bytes missing at its end
};

/// One frame of uncompressed blocks.
[[nodiscard]] std::string raw_frame(ByteView payload, const FrameShape& shape = {});

/// A packet with its payload as such a frame, flag bit 0 set.
[[nodiscard]] std::string zipped(const std::string& packet, const FrameShape& shape = {});

/// A Patch packet as it is given, however wrong.
[[nodiscard]] std::string patch_packet_of(const wire::Patch& patch, wire::FlowId flow,
                                          Revision revision);

/// Text that hardly compresses, the same for the same arguments.
[[nodiscard]] std::string noise(std::size_t bytes, unsigned seed = 1);

}  // namespace zonesync::conform
