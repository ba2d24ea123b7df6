#include "protocol/flowlog/pack_cache.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kEntryBytes = 256;  // of the tables, about

std::size_t bytes_of(const PackCache::SharedFrames& frames) {
  std::size_t bytes = 0;
  if (frames) {
    for (const std::string& frame : *frames) bytes += frame.size() + sizeof(std::string);
  }
  return bytes;
}
std::size_t bytes_of(const PackCache::SharedPatch& patch) { return patch ? patch->size() : 0; }

}  // namespace

template <class Value>
Value PackCache::get(Position position, std::optional<Value> Packed::*form,
                     const std::function<Value()>& make) {
  std::size_t epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    epoch = epoch_;
    const auto found = packed_.find(position);
    if (found != packed_.end() && found->second.*form) return *(found->second.*form);
  }
  Value made = make();
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) return made;
  const auto [at, is_new] = packed_.try_emplace(position);
  Packed& packed = at->second;
  if (packed.*form) return *(packed.*form);
  const std::size_t added = bytes_of(made) + (is_new ? kEntryBytes : 0);
  packed.*form = made;
  packed.bytes += added;
  bytes_ += added;
  if (is_new) order_.push_back(position);
  while (bytes_ > max_bytes_ && !order_.empty()) {
    const auto oldest = packed_.find(order_.front());
    bytes_ -= oldest->second.bytes;
    packed_.erase(oldest);
    order_.pop_front();
  }
  return made;
}

PackCache::SharedFrames PackCache::frames(Position position,
                                          const std::function<SharedFrames()>& make) {
  return get(position, &Packed::frames, make);
}

PackCache::SharedPatch PackCache::patch(Position position,
                                        const std::function<SharedPatch()>& make) {
  return get(position, &Packed::patch, make);
}

void PackCache::clear() {
  const std::lock_guard lock(mutex_);
  packed_.clear();
  order_.clear();
  bytes_ = 0;
  ++epoch_;
}

}  // namespace zonesync
