// Much content at once, for campaigns about size.
#pragma once

#include <cstddef>
#include <random>

#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {

struct Bulk {
  int resources = 0;           // n0, n1, ...; a multiple of per_transaction
  std::size_t value_bytes = 0;  // of noise in each
  int per_transaction = 0;
};

/// Writes them to the hub. Errors: unavailable (a transaction is refused, with its answer).
Status load(HubNode& hub, const Bulk& bulk, std::mt19937_64& random);

}  // namespace zonesync::campaigns
