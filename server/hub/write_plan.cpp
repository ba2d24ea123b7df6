#include "server/hub/write_plan.hpp"

#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::hub {
namespace {

Status check_precondition(const PreparedWrite::Op& op, const std::optional<LatestEntry>& live,
                          std::size_t index) {
  const std::string field = "/ops/" + std::to_string(index);
  if (op.if_absent && live) {
    return fail(ErrorCode::precondition_failed,
                to_string(op.change.key) + " exists at revision " +
                    std::to_string(live->position.revision.value),
                field);
  }
  if (!op.if_match) return {};
  const std::string wanted = std::to_string(op.if_match->value);
  if (!live) {
    return fail(ErrorCode::precondition_failed,
                to_string(op.change.key) + " does not exist, revision " + wanted + " was expected",
                field);
  }
  if (live->position.revision != *op.if_match) {
    return fail(ErrorCode::precondition_failed,
                to_string(op.change.key) + " is at revision " +
                    std::to_string(live->position.revision.value) + ", revision " + wanted +
                    " was expected; read it again",
                field);
  }
  return {};
}

void plan_upsert(WritePlan& plan, const PreparedWrite::Op& op,
                 const std::optional<LatestEntry>& live) {
  const Change& change = op.change;
  if (live && live->hash == change.hash && live->cls == change.cls) {
    plan.outcomes.push_back({change.key, WriteAction::unchanged, live->position.revision});
    return;
  }
  if (live && live->cls != change.cls && !ZONESYNC_DEFECT(65)) {
    plan.changes.push_back(wire::make_leave(live->cls, change.key));
  }
  plan.changes.push_back(change);
  plan.outcomes.push_back(
      {change.key, live ? WriteAction::updated : WriteAction::created, Revision{}});
}

}  // namespace

Result<WritePlan> plan_write(const Group& group, const PreparedWrite& write) {
  WritePlan plan;
  plan.outcomes.reserve(write.ops.size());
  for (std::size_t index = 0; index < write.ops.size(); ++index) {
    const auto& op = write.ops[index];
    if (op.change.kind == ChangeKind::upsert) {
      if (Status stored = group.admits(op.change.key.type); !stored) return fail(stored.error());
    }
    auto live = group.live(op.change.key);
    if (!live) return fail(std::move(live.error()));
    if (auto holds = check_precondition(op, *live, index); !holds) {
      return fail(std::move(holds.error()));
    }
    if (op.change.kind == ChangeKind::upsert) {
      plan_upsert(plan, op, *live);
    } else if (*live) {
      plan.changes.push_back(wire::make_leave((*live)->cls, op.change.key));
      plan.outcomes.push_back({op.change.key, WriteAction::removed, Revision{}});
    } else {
      plan.outcomes.push_back({op.change.key, WriteAction::absent, Revision{}});
    }
  }
  return plan;
}

}  // namespace zonesync::hub
