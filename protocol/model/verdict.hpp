// A receiver's verdict on one offered version.
#pragma once

#include <string>

#include "protocol/model/ids.hpp"

namespace zonesync {

/// Why an offered version was refused. `text` <= limits::kRejectTextMaxBytes.
struct Reject {
  std::string code;    // stable word, e.g. "invalid", "forbidden", "too_large"
  std::string field;   // JSON pointer into the resource, or empty
  std::string text;
  bool retryable = false;
  friend bool operator==(const Reject&, const Reject&) = default;
};

/// A reject with the version it is about; as it travels in an Ack.
struct Verdict {
  ResourceKey key;
  Revision revision;
  bool accepted = false;  // true = an earlier reject of this key is withdrawn
  Reject reject;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

}  // namespace zonesync
