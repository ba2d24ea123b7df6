// The v1 payload of a flow: what FlowSender and FlowReceiver do with lists. docs/protocol.md V1-*.
#include "protocol/core/flow_receiver.hpp"
#include "protocol/core/flow_sender.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {

/// V1-06: the next cut waits until the last one is durable over there. What changes meanwhile is
/// one list per type then, the newest.
bool FlowSender::may_begin_lists() const {
  if (ZONESYNC_DEFECT(207)) return true;
  return planner_->open() || !list_cut_to_ || (acked_ && *acked_ == *list_cut_to_);
}

Status FlowSender::produce_lists(std::string& out, TimePoint now) {
  using Kind = ListPlanner::Step::Kind;
  while (out.size() < options_.message_target_bytes &&
         inflated_bytes_ < limits::kInflatedMessageTargetBytes) {
    if (view_moved()) {
      if (auto status = change_view(); !status) return status;
    }
    if (outdated_ || !may_begin_lists()) return {};
    if (part_) {
      if (!send_parts(out)) return {};
      continue;
    }
    auto step = planner_->next();
    if (!step) return fail(step.error());
    switch (step->kind) {
      case Kind::none: return {};
      case Kind::list:
        wire::append(out, options_.flow, *step->list);
        list_status_.on_sent(*step->list);
        ++counters_.lists;
        planner_->pop();
        break;
      case Kind::entry:
        if (!send_entry(out, *step->entry)) return {};
        break;
      case Kind::mark:
        send_mark(out, step->to, now, step->digest);
        list_cut_to_ = cut_from_;
        planner_->pop();
        break;
    }
  }
  return {};
}

Status FlowReceiver::on_list(const wire::List& list) {
  if (options_.mode != SyncMode::v1) {
    return fail(ErrorCode::protocol, "a List in a delta session", "V1-01");
  }
  if (awaiting_intent_) return {};
  if (assembly_) return fail(ErrorCode::protocol, "List inside a series of Parts", "FLOW-07");
  if (auto status = lists_.open(list); !status) return status;
  ++counters_.lists;
  return sink_.list(list.type);
}

Status FlowReceiver::accept_listed(StagedChange change) {
  if (auto status = lists_.item(change); !status) return status;
  ++cut_changes_;
  ++counters_.changes;
  return sink_.stage(std::move(change));
}

/// False: the cut was dropped, because a list was not what its digest said (V1-04).
Result<bool> FlowReceiver::end_lists(const wire::Mark& mark) {
  if (auto status = lists_.end(mark.to.revision); !status) return fail(status.error());
  if (lists_.any() && !mark.digest) {
    return fail(ErrorCode::protocol, "a cut of lists ends without a digest", "V1-04");
  }
  const bool differs = lists_.digest_differs();
  lists_.reset();
  if (!differs) return true;
  ++counters_.digest_checks;
  on_commit_failed(CutFailure{CutFailure::Kind::digest_mismatch,
                              Error{ErrorCode::protocol, "a list differs from its digest", {}},
                              {}});
  return false;
}

}  // namespace zonesync
