#include "protocol/core/list_status.hpp"

namespace zonesync {

void ListStatus::on_sent(const wire::List& list) {
  ListState& state = types_[list.type];
  state.version = list.version;
  state.nonce = list.nonce;
  ++state.lists_sent;
}

void ListStatus::on_ack(const wire::Ack& ack) {
  for (const Verdict& verdict : ack.verdicts) {
    const auto found = types_.find(verdict.key.type);
    if (verdict.accepted || found == types_.end()) continue;
    ListState& state = found->second;
    if (verdict.revision > state.version || state.nacked_nonce == state.nonce) continue;
    state.nacked_nonce = state.nonce;
    state.nack_text = verdict.reject.text;
    ++state.lists_nacked;
  }
  if (!ack.cursor) return;
  for (auto& [type, state] : types_) {
    if (state.acked_nonce == state.nonce || ack.cursor->revision < state.version) continue;
    state.acked_version = state.version;
    state.acked_nonce = state.nonce;
    ++state.lists_acked;
  }
}

}  // namespace zonesync
