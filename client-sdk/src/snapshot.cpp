#include "client-sdk/include/zonesync/snapshot.hpp"

#include "protocol/wire/codec.hpp"

namespace zonesync::client {

Revision Snapshot::revision() const {
  return replica_->cursor() ? replica_->cursor()->revision : Revision{};
}

std::optional<Resource> Snapshot::get(const ResourceKey& key) const {
  const ReplicaEntry* entry = replica_->find(key);
  if (entry == nullptr || entry->active().empty()) return std::nullopt;
  auto resource = wire::resource_of(entry->active());
  if (!resource) return std::nullopt;
  return std::move(*resource);
}

void Snapshot::for_each(std::string_view type,
                        const std::function<void(const Resource&)>& visit) const {
  replica_->for_each([&](const ReplicaEntry& entry) {
    if (!type.empty() && entry.change.key.type != type) return;
    if (entry.active().empty()) return;
    if (const auto resource = wire::resource_of(entry.active())) visit(*resource);
  });
}

}  // namespace zonesync::client
