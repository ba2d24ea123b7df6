#include "protocol/core/patch_receiver.hpp"

#include <utility>

#include "protocol/wire/codec.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync {

Result<Change> restore(const wire::Patch& patch, const CutSink& sink) {
  const SharedBytes base = sink.held(patch.key, patch.base);
  if (base.empty()) {
    return fail(ErrorCode::precondition_failed, "a patch for a version that is not here", "ZIP-16");
  }
  auto payload = wire::apply_patch(base.view(), patch.frame, patch.size);
  if (!payload) return fail(std::move(payload.error()));
  if (hash_bytes(*payload) != patch.hash) {
    return fail(ErrorCode::precondition_failed, "a patch gave other bytes than announced",
                "ZIP-15");
  }
  auto change = wire::decode_change(SharedBytes(std::move(*payload)));
  if (!change) return fail(std::move(change.error()));
  if (change->kind != ChangeKind::upsert || change->key != patch.key) {
    return fail(ErrorCode::protocol, "a patch gave no upsert of its key", "ZIP-15");
  }
  return change;
}

}  // namespace zonesync
