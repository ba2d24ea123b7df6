#include "server/hub/unviewed.hpp"

#include "server/hub/system_entries.hpp"

namespace zonesync::hub {

bool is_unviewed(const TypeRegistry& types, const Class& cls) {
  if (is_system_type(cls.type)) {
    // Zones, views and types decide what sessions may send: those must wake them.
    return cls.type == kUpCursorType || cls.type == kOfferType || cls.type == kIdempotencyType;
  }
  if (cls.tag == kHomeTag) return true;
  const TypeInfo* info = types.find(cls.type);
  if (info == nullptr) return false;
  return cls.origin == kGlobalOrigin ? !info->global_to_zones : !info->synced_across_zones;
}

}  // namespace zonesync::hub
