// zstd with every bound that peer bytes need (docs/protocol.md ZIP-*).
//
// A frame is one zstd frame that states its content size. Contexts are kept per thread; no function
// keeps state of a peer. Safe on any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "protocol/model/bytes.hpp"
#include "protocol/model/result.hpp"

namespace zonesync::wire {

/// `payload` as a frame, or nothing where that does not pay: shorter than kCompressMinBytes, saving
/// less than an eighth, or inflating more than kCompressRatioMax times.
[[nodiscard]] std::optional<std::string> compress(ByteView payload);

/// Errors: protocol (not one whole frame with its size, a window or ratio over the limit, corrupt),
/// too_large (announces more than `max_bytes`). Nothing is allocated before the checks.
[[nodiscard]] Result<std::string> inflate(ByteView frame, std::size_t max_bytes);

/// `target` as a frame with `base` as prefix; nothing when zstd refuses. The two must not overlap
/// in memory: zstd would take the base for overwritten.
[[nodiscard]] std::optional<std::string> make_patch(ByteView base, ByteView target);

/// The target of a patch. `size` = what the peer says it has. Errors: protocol, too_large as
/// inflate; a base that is not the one of make_patch gives an error or other bytes: check the hash.
[[nodiscard]] Result<std::string> apply_patch(ByteView base, ByteView frame, std::size_t size);

}  // namespace zonesync::wire
