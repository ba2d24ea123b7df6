#include "server/hub/idempotency.hpp"

#include <algorithm>

namespace zonesync::hub {

Status IdempotencyTable::load(const ChangeLog& log) {
  records_.clear();
  order_.clear();
  std::vector<std::pair<Position, IdempotencyRecord>> found;
  ListFilter filter;
  filter.type = std::string(kIdempotencyType);
  std::optional<ResourceKey> after;
  do {
    auto page = log.list(filter, after, 1'000);
    if (!page) return fail(std::move(page.error()));
    for (const auto& entry : page->entries) {
      auto record = decode_idempotency(entry.change);
      if (!record) return fail(std::move(record.error()));
      found.emplace_back(entry.position, std::move(*record));
    }
    after = page->next;
  } while (after);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [position, record] : found) {
    order_.push_back(record.key);
    const std::string key = record.key;
    records_[key] = Known{std::move(record), true};
  }
  return {};
}

const IdempotencyRecord* IdempotencyTable::find(const std::string& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second.record;
}

void IdempotencyTable::remember(IdempotencyRecord record, std::vector<Change>& changes) {
  changes.push_back(encode(record));
  while (order_.size() >= max_ && !order_.empty()) {
    const auto oldest = records_.find(order_.front());
    if (oldest != records_.end() && oldest->second.logged) {
      changes.push_back(system_leave(idempotency_key_of(oldest->first)));
    }
    if (oldest != records_.end()) records_.erase(oldest);
    order_.pop_front();
  }
  order_.push_back(record.key);
  const std::string key = record.key;
  records_[key] = Known{std::move(record), true};
}

void IdempotencyTable::remember_unlogged(IdempotencyRecord record) {
  if (order_.size() >= max_) return;  // forgetting a logged one needs a revision
  order_.push_back(record.key);
  const std::string key = record.key;
  records_[key] = Known{std::move(record), false};
}

}  // namespace zonesync::hub
