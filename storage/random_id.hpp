// Where stores get the random ids of logs and eras from; injectable for deterministic tests.
#pragma once

#include <functional>

#include "protocol/model/ids.hpp"

namespace zonesync {

using IdSource = std::function<Id128()>;

/// 128 bits from the operating system's random source. Thread-safe.
[[nodiscard]] Id128 random_id();

}  // namespace zonesync
