#include "protocol/core/superseded.hpp"

#include <algorithm>
#include <iterator>

namespace zonesync {
namespace {

constexpr std::size_t kPageBytes = 256u << 10;

}  // namespace

Result<Revision> leave_out_superseded(const ChangeSource& source, ScanPage& page,
                                      const LeaveOut& what) {
  Revision not_before;
  const auto* known = dynamic_cast<const KnowsSuccessors*>(&source);
  if (known == nullptr) return not_before;
  auto& entries = page.entries;
  auto kept = entries.begin() + static_cast<std::ptrdiff_t>(what.from);
  for (auto entry = kept; entry != entries.end(); ++entry) {
    bool goes = false;
    if (entry->position.revision > what.until) {
      goes = false;
    } else if (entry->change.kind != ChangeKind::upsert) {
      goes = what.leaves;
    } else {
      const auto successor = known->superseded_at(*entry);
      if (!successor) return fail(successor.error());
      goes = successor->has_value();
      if (goes) not_before = std::max(not_before, **successor);
    }
    if (goes) continue;
    if (kept != entry) *kept = std::move(*entry);
    ++kept;
  }
  entries.erase(kept, entries.end());
  return not_before;
}

Result<bool> begins_alike(const ChangeSource& source, const View& view, Revision revision,
                          std::uint64_t changes) {
  const auto* known = dynamic_cast<const KnowsSuccessors*>(&source);
  if (known == nullptr) return true;
  Position position = Position::end_of(Revision{revision.value - 1});
  for (std::uint64_t left = changes; left > 0;) {
    if (position >= Position::end_of(revision)) return false;
    auto page = source.scan(position, view, kPageBytes);
    if (!page) return fail(std::move(page.error()));
    for (const LogEntry& entry : page->entries) {
      if (left == 0) return true;
      if (entry.position.revision != revision || entry.change.kind != ChangeKind::upsert) {
        return false;
      }
      const auto successor = known->superseded_at(entry);
      if (!successor) return fail(successor.error());
      if (successor->has_value()) return false;
      --left;
    }
    if (page->next <= position) return left == 0;
    position = page->next;
  }
  return true;
}

}  // namespace zonesync
