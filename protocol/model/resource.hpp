// Resources and changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "protocol/model/bytes.hpp"
#include "protocol/model/ids.hpp"

namespace zonesync {

using Labels = std::map<std::string, std::string>;

/// One resource as people know it. `spec` and `status` are canonical JSON text (protocol/text),
/// opaque to everything below it; an empty `status` means the field is absent.
struct Resource {
  ResourceKey key;
  Labels labels;
  std::string spec;
  std::string status;
  friend bool operator==(const Resource&, const Resource&) = default;
};

enum class ChangeKind : std::uint8_t {
  upsert = 1,  // the resource now has this content
  leave = 2,   // the resource is gone: a fact in the log, never an absence
};

/// One change as it lies in a log and travels: encoded and hashed once where it was submitted.
/// `payload` is the FlatBuffers payload of the wire's Change packet, without packet header (the
/// header carries the revision, so payload and hash do not depend on it).
struct Change {
  ChangeKind kind = ChangeKind::upsert;
  Class cls;
  ResourceKey key;
  Hash128 hash;  // of `payload`; zero for a leave
  SharedBytes payload;
};

}  // namespace zonesync
