// Past states: which revisions the log can still show, and what differs between two of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/model/log.hpp"
#include "server/admin/call.hpp"

namespace zonesync::admin {

/// A revision from a query parameter. Errors: invalid_argument.
[[nodiscard]] Result<std::optional<Revision>> query_revision(const Call& call,
                                                             std::string_view name);

/// 404 for a revision beyond the head, 410 for one below the trim floor: what was superseded there
/// may be gone. Call it before and after reading: trimming goes on meanwhile.
[[nodiscard]] std::optional<Problem> judge_past(const LogState& log, Revision revision,
                                                std::string field);

/// What judge_past needs of `log` where only one type is asked for: a type may have a retention of
/// its own. Nothing = all types, so that the highest floor counts.
[[nodiscard]] LogState past_of_type(const ChangeLog& log, const std::optional<std::string>& type);

/// Which keys a comparison looks at. The hub's own entries never count.
struct PastFilter {
  std::optional<std::string> type;
  std::optional<std::string> mesh;
  std::optional<std::string> origin;
  std::optional<std::string> name;
};

/// One key whose content at two revisions differs; nothing = not there.
struct PastDifference {
  ResourceKey key;
  std::optional<LogEntry> before;
  std::optional<LogEntry> after;
};

struct PastPage {
  std::vector<PastDifference> items;
  std::optional<Position> next;  // `after` of the next page; nothing = the end
};

/// Compares the states at `from` and `to`, in either direction, by reading what was logged between
/// them: each key once, in the order of its first change there. A page ends at `max_items`, at
/// about 8 MiB, or after 100,000 visited entries (then it may be empty and still have a next one).
/// Both revisions must have been judged. Errors: storage_io, storage_corrupt.
[[nodiscard]] Result<PastPage> compare_past(const ChangeLog& log, Revision from, Revision to,
                                            const PastFilter& filter, Position after,
                                            std::size_t max_items);

}  // namespace zonesync::admin
