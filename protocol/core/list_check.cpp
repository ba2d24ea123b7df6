#include "protocol/core/list_check.hpp"

#include <algorithm>

namespace zonesync {

Status ListCheck::close_list() {
  if (!list_) return {};
  if (got_.count != list_->digest.count) {
    return fail(ErrorCode::protocol,
                "a list of " + list_->type + " said " + std::to_string(list_->digest.count) +
                    " resources and held " + std::to_string(got_.count),
                "V1-03");
  }
  digest_differs_ = digest_differs_ || got_ != list_->digest;
  list_.reset();
  return {};
}

Status ListCheck::open(const wire::List& list) {
  const bool again = list_ && list_->type == list.type && list.version > list_->version;
  if (again) {
    list_.reset();  // V1-05: the newer one replaces the open one
  } else if (auto status = close_list(); !status) {
    return status;
  }
  list_ = list;
  got_ = Digest{};
  newest_ = std::max(newest_, list.version);
  any_ = true;
  return {};
}

Status ListCheck::item(const StagedChange& change) {
  if (!list_) return fail(ErrorCode::protocol, "a Change outside a list", "V1-03");
  if (change.change.key.type != list_->type) {
    return fail(ErrorCode::protocol, "a list of " + list_->type + " holds another type", "V1-03");
  }
  if (change.change.kind != ChangeKind::upsert) {
    return fail(ErrorCode::protocol, "a list holds a leave", "V1-03");
  }
  if (change.revision > list_->version) {
    return fail(ErrorCode::protocol, "a list holds a change newer than itself", "V1-03");
  }
  if (got_.count >= list_->digest.count) {
    return fail(ErrorCode::protocol, "a list of " + list_->type + " holds more than it said",
                "V1-03");
  }
  got_.add(fingerprint(change.change.key), change.change.hash);
  return {};
}

Status ListCheck::end(Revision to) {
  if (auto status = close_list(); !status) return status;
  if (newest_ > to) {
    return fail(ErrorCode::protocol, "a list is newer than the cut that holds it", "V1-04");
  }
  return {};
}

}  // namespace zonesync
