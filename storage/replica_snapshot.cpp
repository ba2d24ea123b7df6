#include "storage/replica_snapshot.hpp"

#include <utility>

#include "protocol/model/assert.hpp"

namespace zonesync {

std::size_t ReplicaSnapshot::shard_of(const ResourceKey& key) {
  return std::hash<ResourceKey>()(key) % kShards;
}

const ReplicaEntry* ReplicaSnapshot::find(const ResourceKey& key) const {
  const auto& shard = shards_[shard_of(key)];
  if (!shard) return nullptr;
  const auto it = shard->find(key);
  return it == shard->end() ? nullptr : it->second.get();
}

void ReplicaSnapshot::for_each(const std::function<void(const ReplicaEntry&)>& visit) const {
  for (const auto& shard : shards_) {
    if (!shard) continue;
    for (const auto& [key, entry] : *shard) visit(*entry);
  }
}

ReplicaSnapshot::Builder::Builder(std::shared_ptr<const ReplicaSnapshot> base)
    : next_(base ? std::make_shared<ReplicaSnapshot>(*base)
                 : std::make_shared<ReplicaSnapshot>()) {}

const ReplicaEntry* ReplicaSnapshot::Builder::find(const ResourceKey& key) const {
  return next_->find(key);
}

ReplicaSnapshot::Shard& ReplicaSnapshot::Builder::writable(std::size_t shard) {
  auto& slot = next_->shards_[shard];
  if (!owned_[shard]) {
    slot = slot ? std::make_shared<Shard>(*slot) : std::make_shared<Shard>();
    owned_[shard] = true;
  }
  // The shard was made non-const just above by this builder and nobody else has seen it yet.
  return const_cast<Shard&>(*slot);
}

void ReplicaSnapshot::Builder::put(ReplicaEntry entry) {
  ResourceKey key = entry.change.key;
  Shard& shard = writable(shard_of(key));
  auto shared = std::make_shared<const ReplicaEntry>(std::move(entry));
  const auto [it, inserted] = shard.insert_or_assign(std::move(key), std::move(shared));
  if (inserted) ++next_->size_;
}

void ReplicaSnapshot::Builder::erase(const ResourceKey& key) {
  if (next_->find(key) == nullptr) return;
  writable(shard_of(key)).erase(key);
  --next_->size_;
}

void ReplicaSnapshot::Builder::clear() {
  next_->shards_.fill(nullptr);
  next_->size_ = 0;
  owned_.fill(false);
}

std::shared_ptr<const ReplicaSnapshot> ReplicaSnapshot::Builder::finish(
    std::optional<Cursor> cursor) {
  ZS_ASSERT(next_ != nullptr);
  next_->cursor_ = std::move(cursor);
  return std::exchange(next_, nullptr);
}

}  // namespace zonesync
