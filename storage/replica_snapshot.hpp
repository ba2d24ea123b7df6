// An immutable view of a replica at one cut: cheap to take, cheap to keep.
//
// Structure: the fingerprint of a key picks one of `kShards` shards; a commit copies only the
// shards it touches and shares the rest with earlier snapshots.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "protocol/model/resource.hpp"
#include "protocol/model/verdict.hpp"

namespace zonesync {

struct ReplicaEntry {
  Revision revision;              // of the offered version
  Change change;                  // the offered version (always an upsert)
  std::optional<Reject> reject;   // verdict on the offered version
  SharedBytes accepted;           // last accepted payload when `reject` is set; may be empty
  Revision accepted_revision;
  bool unconfirmed = false;       // kept from before a full from a partial log

  /// What the application sees: the offered payload, or the last accepted one; empty = nothing.
  [[nodiscard]] const SharedBytes& active() const { return reject ? accepted : change.payload; }
};

class ReplicaSnapshot {
 public:
  static constexpr std::size_t kShards = 1024;
  using Entry = std::shared_ptr<const ReplicaEntry>;
  using Shard = std::unordered_map<ResourceKey, Entry>;

  [[nodiscard]] const ReplicaEntry* find(const ResourceKey& key) const;
  /// Calls `visit` for every entry, in no particular order.
  void for_each(const std::function<void(const ReplicaEntry&)>& visit) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::optional<Cursor>& cursor() const { return cursor_; }

  /// Copy-on-write editing: one builder per commit, single-threaded.
  class Builder {
   public:
    explicit Builder(std::shared_ptr<const ReplicaSnapshot> base);
    [[nodiscard]] const ReplicaEntry* find(const ResourceKey& key) const;
    void put(ReplicaEntry entry);
    void erase(const ResourceKey& key);
    void clear();
    [[nodiscard]] std::shared_ptr<const ReplicaSnapshot> finish(std::optional<Cursor> cursor);

   private:
    Shard& writable(std::size_t shard);
    std::shared_ptr<ReplicaSnapshot> next_;
    std::array<bool, kShards> owned_{};
  };

 private:
  [[nodiscard]] static std::size_t shard_of(const ResourceKey& key);
  std::array<std::shared_ptr<const Shard>, kShards> shards_{};
  std::size_t size_ = 0;
  std::optional<Cursor> cursor_;
};

}  // namespace zonesync
