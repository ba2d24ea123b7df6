#include "server/hub/v1_estimate.hpp"

#include "protocol/wire/codec.hpp"

namespace zonesync::hub {
namespace {

View view_of_nobody(std::shared_ptr<const TypeRegistry> registry) {
  ViewSpec spec;
  spec.down = true;
  return View(std::move(spec), std::move(registry));
}

}  // namespace

V1Estimate::V1Estimate(std::shared_ptr<const TypeRegistry> registry)
    : everyone_(view_of_nobody(std::move(registry))) {}

Status V1Estimate::load(const ChangeLog& log) {
  ListFilter filter;
  filter.all_types = true;
  std::optional<ResourceKey> after;
  do {
    auto page = log.list(filter, after, 1'000);
    if (!page) return fail(std::move(page.error()));
    for (const auto& entry : page->entries) apply(entry.change);
    after = page->next;
  } while (after);
  touched_.clear();
  return {};
}

void V1Estimate::on_segment(const Segment& segment) {
  touched_.clear();
  for (const auto& transaction : segment.transactions) {
    for (const auto& change : transaction.changes) apply(change);
  }
}

void V1Estimate::apply(const Change& change) {
  if (!everyone_.admits(change.cls)) return;
  const Id128 key = fingerprint(change.key);
  TypeBytes& type = types_[change.key.type];
  std::uint64_t& origin = type.by_origin[change.key.origin];
  if (const auto old = sizes_.find(key); old != sizes_.end()) {
    type.total -= old->second;
    origin -= old->second;
    sizes_.erase(old);
  }
  if (change.kind == ChangeKind::upsert) {
    const auto bytes = static_cast<std::uint32_t>(wire::packet_bytes(change.payload.size()));
    sizes_[key] = bytes;
    type.total += bytes;
    origin += bytes;
  }
  const auto [touched, first] = touched_.try_emplace(change.key.type);
  if (first) {
    touched->second.only_origin = change.key.origin;
  } else if (touched->second.only_origin != change.key.origin) {
    touched->second.several = true;
  }
}

std::uint64_t V1Estimate::list_bytes(const TypeBytes& type, const std::string& zone) const {
  const auto own = type.by_origin.find(zone);
  return type.total - (own == type.by_origin.end() ? 0 : own->second);
}

std::uint64_t V1Estimate::cost_of(const std::string& zone) const {
  std::uint64_t bytes = 0;
  for (const auto& [type, touched] : touched_) {
    if (!touched.several && touched.only_origin == zone) continue;
    bytes += list_bytes(types_.at(type), zone);
  }
  return bytes;
}

std::uint64_t V1Estimate::cost_of_reconnect(const std::string& zone) const {
  std::uint64_t bytes = 0;
  for (const auto& [name, type] : types_) bytes += list_bytes(type, zone);
  return bytes;
}

}  // namespace zonesync::hub
