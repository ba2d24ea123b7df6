#include "server/admin/past.hpp"

#include <algorithm>
#include <limits>

#include "server/hub/system_entries.hpp"
#include "storage/change_log.hpp"

namespace zonesync::admin {
namespace {

constexpr std::size_t kPageMaxBytes = 8u << 20;
constexpr std::size_t kPageMaxVisited = 100'000;
constexpr std::size_t kStepEntries = 500;

bool same(const std::optional<Class>& cls, const Class& other) { return cls && *cls == other; }

/// The version of `key` that was live at `revision`.
Result<std::optional<LogEntry>> live_at(const ChangeLog& log, const ResourceKey& key,
                                        Revision revision) {
  auto entry = log.entry_at(key, revision);
  if (entry && *entry && (*entry)->change.kind == ChangeKind::leave) return std::nullopt;
  return entry;
}

/// Judges one entry between two revisions; nothing = its key is told elsewhere, or did not change.
/// A key that moves between classes has several first entries: it is told at the one of the class
/// it had before, else of the class it has afterwards.
Result<std::optional<PastDifference>> judge_entry(const ChangeLog& log, const LogEntry& entry,
                                                  Revision low, Revision high) {
  if (entry.previous && entry.previous->position > Position::end_of(low)) return std::nullopt;
  const ResourceKey& key = entry.change.key;
  auto before = live_at(log, key, low);
  if (!before) return fail(std::move(before.error()));
  auto after = live_at(log, key, high);
  if (!after) return fail(std::move(after.error()));
  if (!*before && !*after) return std::nullopt;
  const Class& told_at = *before ? (*before)->change.cls : (*after)->change.cls;
  if (entry.change.cls != told_at) return std::nullopt;
  if (*before && *after && (*before)->change.hash == (*after)->change.hash &&
      same((*before)->change.cls, (*after)->change.cls)) {
    return std::nullopt;
  }
  return PastDifference{key, std::move(*before), std::move(*after)};
}

std::size_t bytes_of(const PastDifference& item) {
  std::size_t bytes = 0;
  if (item.before) bytes += item.before->change.payload.size();
  if (item.after) bytes += item.after->change.payload.size();
  return bytes;
}

ScanOptions scan_options(const PastFilter& filter) {
  ScanOptions options;
  options.max_entries = kStepEntries;
  options.admits = [&filter](const Class& cls) {
    return !hub::is_system_type(cls.type) && (!filter.type || *filter.type == cls.type) &&
           (!filter.mesh || *filter.mesh == cls.mesh) &&
           (!filter.origin || *filter.origin == cls.origin);
  };
  return options;
}

}  // namespace

Result<std::optional<Revision>> query_revision(const Call& call, std::string_view name) {
  const auto number = query_number(call, name, 0, std::numeric_limits<std::int64_t>::max());
  if (!number) return fail(number.error());
  if (!*number) return std::nullopt;
  return Revision{**number};
}

std::optional<Problem> judge_past(const LogState& log, Revision revision, std::string field) {
  Problem problem;
  std::string why;
  if (revision > log.head) {
    problem.status = 404;
    problem.code = to_string(ErrorCode::not_found);
    why = "this hub's log has no revision " + std::to_string(revision.value) + ", its head is " +
          std::to_string(log.head.value);
  } else if (revision < log.trim_floor) {
    problem.status = 410;
    problem.code = "gone";
    why = "history before revision " + std::to_string(log.trim_floor.value) +
          " is trimmed; choose that one or a newer one, and keep more with retention.*";
  } else {
    return std::nullopt;
  }
  problem.detail = why;
  problem.invalid_parameters.push_back({std::move(field), why});
  return problem;
}

LogState past_of_type(const ChangeLog& log, const std::optional<std::string>& type) {
  LogState state = log.state();
  if (type) state.trim_floor = log.trim_floor_of(*type);
  return state;
}

Result<PastPage> compare_past(const ChangeLog& log, Revision from, Revision to,
                              const PastFilter& filter, Position after, std::size_t max_items) {
  const Revision low = std::min(from, to);
  const Revision high = std::max(from, to);
  const ScanOptions options = scan_options(filter);
  PastPage page;
  Position at = std::max(after, Position::end_of(low));
  std::size_t bytes = 0;
  std::size_t visited = 0;
  while (at < Position::end_of(high)) {
    auto step = log.scan(at, options);
    if (!step) return fail(std::move(step.error()));
    for (const LogEntry& entry : step->entries) {
      if (entry.position > Position::end_of(high)) return page;
      if (page.items.size() >= max_items || bytes > kPageMaxBytes || visited > kPageMaxVisited) {
        page.next = at;
        return page;
      }
      at = entry.position;
      ++visited;
      if (filter.name && *filter.name != entry.change.key.name) continue;
      auto item = judge_entry(log, entry, low, high);
      if (!item) return fail(std::move(item.error()));
      if (!*item) continue;
      if (from > to) std::swap((*item)->before, (*item)->after);
      bytes += bytes_of(**item);
      page.items.push_back(std::move(**item));
    }
    at = std::max(at, step->next);
    if (step->at_head) break;
  }
  return page;
}

}  // namespace zonesync::admin
