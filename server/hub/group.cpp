#include "server/hub/group.hpp"

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync::hub {
namespace {
constexpr std::size_t kListPage = 1'000;
}

Result<std::optional<LatestEntry>> Group::latest(const ResourceKey& key) const {
  const auto found = overlay_.find(key);
  const bool here = found != overlay_.end() && !ZONESYNC_DEFECT(60);
  if (here) return std::optional<LatestEntry>(found->second);
  return log_.latest(key);
}

Result<std::optional<LatestEntry>> Group::live(const ResourceKey& key) const {
  auto entry = latest(key);
  if (entry && *entry && (*entry)->kind == ChangeKind::leave) entry->reset();
  return entry;
}

Result<std::vector<LatestEntry>> Group::live_of(const std::string& origin) const {
  std::map<ResourceKey, LatestEntry> live;
  ListFilter filter;
  filter.all_types = true;
  filter.origin = origin;
  std::optional<ResourceKey> after;
  do {
    auto page = log_.list(filter, after, kListPage);
    if (!page) return fail(std::move(page.error()));
    for (const auto& entry : page->entries) {
      const Change& change = entry.change;
      live[change.key] =
          LatestEntry{change.cls, change.key, change.kind, change.hash, entry.position};
    }
    after = page->next;
  } while (after);
  for (const auto& [key, entry] : overlay_) {
    if (key.origin != origin) continue;
    if (entry.kind == ChangeKind::leave) {
      live.erase(key);
    } else {
      live[key] = entry;
    }
  }
  std::vector<LatestEntry> entries;
  entries.reserve(live.size());
  for (auto& [key, entry] : live) entries.push_back(std::move(entry));
  return entries;
}

Revision Group::add(std::vector<Change> changes) {
  ZS_ASSERT(!changes.empty());
  head_ = head_.next();
  std::uint32_t index = 0;
  for (const Change& change : changes) {
    overlay_[change.key] = LatestEntry{change.cls, change.key, change.kind, change.hash,
                                       Position{head_, index++}};
    bytes_ += change.payload.size();
  }
  changes_ += changes.size();
  segment_.transactions.push_back({head_, std::move(changes)});
  return head_;
}

}  // namespace zonesync::hub
