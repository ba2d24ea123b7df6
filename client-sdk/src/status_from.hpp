// The public status out of the machine's and the store's.
#pragma once

#include "client-sdk/include/zonesync/status.hpp"
#include "client-sdk/zone/zone_status.hpp"
#include "storage/replica_store.hpp"

namespace zonesync::client {

[[nodiscard]] ClientStatus status_from(const ZoneStatus& zone, const ReplicaState& replica,
                                       TimePoint now);

}  // namespace zonesync::client
