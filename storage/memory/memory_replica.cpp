#include "storage/memory/memory_replica.hpp"

#include <utility>

namespace zonesync {

Status MemoryReplica::take_failure() {
  if (!failure_) return {};
  return fail(*std::exchange(failure_, std::nullopt));
}

Status MemoryReplica::commit(ReplicaBatch batch) {
  if (Status status = take_failure(); !status) return status;
  auto next = table_.prepare(batch);
  if (!next) return fail(std::move(next.error()));
  table_.publish(std::move(*next));
  return {};
}

Status MemoryReplica::set_verdict(const ResourceKey& key, Revision revision,
                                  std::optional<Reject> reject) {
  if (Status status = take_failure(); !status) return status;
  auto next = table_.prepare_verdict(key, revision, std::move(reject));
  if (!next) return fail(std::move(next.error()));
  table_.publish(std::move(*next));
  return {};
}

Status MemoryReplica::put_meta(std::string_view name, std::string value) {
  if (Status status = take_failure(); !status) return status;
  if (Status status = table_.check_meta(name, value); !status) return status;
  table_.set_meta(name, std::move(value));
  return {};
}

}  // namespace zonesync
