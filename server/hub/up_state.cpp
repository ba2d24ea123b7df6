#include "server/hub/up_state.hpp"

#include "protocol/model/defect.hpp"

namespace zonesync::hub {
namespace {

constexpr std::size_t kPage = 1'000;

/// Calls `visit(change)` for every live system entry of `type`.
template <class Visit>
Status for_each_entry(const ChangeLog& log, std::string_view type, Visit visit) {
  ListFilter filter;
  filter.type = std::string(type);
  std::optional<ResourceKey> after;
  do {
    auto page = log.list(filter, after, kPage);
    if (!page) return fail(std::move(page.error()));
    for (const auto& entry : page->entries) {
      if (auto status = visit(entry.change); !status) return status;
    }
    after = page->next;
  } while (after);
  return {};
}

Status load_offer(const ChangeLog& log, OriginState& state, OfferRecord record) {
  if (ZONESYNC_DEFECT(58)) return {};
  auto latest = log.latest(record.key);
  if (!latest) return fail(std::move(latest.error()));
  const Id128 key = fingerprint(record.key);
  const bool own = record.key.origin == record.zone;
  if (own && *latest && (*latest)->kind == ChangeKind::upsert) {
    state.offered[(*latest)->cls].remove(key, (*latest)->hash);
  }
  if (record.unconfirmed) {
    ++state.unconfirmed;
  } else {
    state.offered[record.cls].add(key, record.hash);
  }
  state.offers.emplace(record.key, std::move(record));
  return {};
}

}  // namespace

Status UpStates::load(const ChangeLog& log) {
  std::map<std::string, OriginState> loaded;
  for (const auto& [cls, digest] : log.digests().digests) {
    if (is_system_type(cls.type) || cls.origin == kGlobalOrigin) continue;
    loaded[cls.origin].offered[cls] = digest;
    loaded[cls.origin].live += digest.count;
  }
  auto status = for_each_entry(log, kUpCursorType, [&](const Change& change) -> Status {
    auto record = decode_up_cursor(change);
    if (!record) return fail(std::move(record.error()));
    loaded[record->zone].cursor = *record;
    return {};
  });
  if (!status) return status;
  status = for_each_entry(log, kOfferType, [&](const Change& change) -> Status {
    auto record = decode_offer(change);
    if (!record) return fail(std::move(record.error()));
    auto& state = loaded[record->zone];
    return load_offer(log, state, std::move(*record));
  });
  if (!status) return status;
  for (auto& [zone, old] : states_) {
    auto& state = loaded[zone];
    state.fence = old.fence;
    state.mass_delete_approved = old.mass_delete_approved;
    state.hold = old.hold;
  }
  states_ = std::move(loaded);
  return {};
}

const OriginState* UpStates::find(const std::string& zone) const {
  const auto found = states_.find(zone);
  return found == states_.end() ? nullptr : &found->second;
}

Digest offered_digest(const std::map<Class, Digest>& offered, const View& view) {
  Digest sum;
  for (const auto& [cls, digest] : offered) {
    if (view.admits(cls)) sum += digest;
  }
  return sum;
}

}  // namespace zonesync::hub
