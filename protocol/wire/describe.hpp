// Packets as text for logs, command lines, tests and the conformance vectors.
#pragma once

#include <string>

#include "protocol/wire/codec.hpp"

namespace zonesync::wire {

struct DescribeOptions {
  /// Show spec, status and part bytes. Never set it for logs: resources may be secrets.
  bool content = false;
};

/// One line without control characters: `mark down from=... to=...`. A payload that does not
/// decode is `KIND FLOW invalid="reason"`. Never shows spec, status or part bytes.
[[nodiscard]] std::string describe(const Packet& packet);

/// One JSON object: `kind`, `flow` of flow packets, `rev` where the header carries a revision, then
/// the fields of the message by their schema names, or `invalid` with the reason. Integers are
/// exact 64-bit numbers, ids 32 hex digits.
[[nodiscard]] std::string describe_json(const Packet& packet, DescribeOptions options = {});

}  // namespace zonesync::wire
