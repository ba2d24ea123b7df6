// A consistent, immutable view of everything the zone has, at one revision.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/model/ids.hpp"
#include "protocol/model/resource.hpp"
#include "storage/replica_snapshot.hpp"

namespace zonesync::client {

/// Cheap to copy; stays valid after the client is gone. Thread rule: any thread.
class Snapshot {
 public:
  Snapshot(std::shared_ptr<const ReplicaSnapshot> replica, bool from_cache)
      : replica_(std::move(replica)), from_cache_(from_cache) {}

  /// Nothing was ever received: revision 0.
  [[nodiscard]] Revision revision() const;
  [[nodiscard]] const std::optional<Cursor>& cursor() const { return replica_->cursor(); }
  /// From an earlier run, not yet confirmed by the hub in this one.
  [[nodiscard]] bool from_cache() const { return from_cache_; }
  /// The accepted version; nothing when absent or never accepted.
  [[nodiscard]] std::optional<Resource> get(const ResourceKey& key) const;
  /// Every resource with an accepted version; `type` empty = all types. No particular order.
  void for_each(std::string_view type, const std::function<void(const Resource&)>& visit) const;
  /// Entries, refused versions included.
  [[nodiscard]] std::size_t size() const { return replica_->size(); }
  [[nodiscard]] const std::shared_ptr<const ReplicaSnapshot>& replica() const { return replica_; }

 private:
  std::shared_ptr<const ReplicaSnapshot> replica_;
  bool from_cache_;
};

}  // namespace zonesync::client
