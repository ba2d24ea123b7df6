#include "server/hub/v1_estimate.hpp"

#include <limits>

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

void V1Estimate::begin(const ChangeLog& log) {
  types_.clear();
  sizes_.clear();
  newer_.clear();
  until_ = log.state().head;
  reading_ = Position::start();
}

Result<bool> V1Estimate::load_some(const ChangeLog& log, std::size_t max_visited) {
  ScanOptions options;
  options.viewed_only = true;  // what no zone views travels in no list
  options.max_entries = options.max_visited = max_visited;
  options.max_bytes = std::numeric_limits<std::size_t>::max();
  options.admits = [this](const Class& cls) { return everyone_.admits(cls); };
  if (reading_ && *reading_ < Position::end_of(until_)) {
    const auto page = log.scan(*reading_, options);
    if (!page) return fail(page.error());
    for (const LogEntry& entry : page->entries) {
      const bool known = entry.position > Position::end_of(until_) ||
                         newer_.contains(fingerprint(entry.change.key));
      if (!known) set_size(entry.change);
    }
    reading_ = page->next;
    if (*reading_ < Position::end_of(until_)) return true;
  }
  reading_.reset();
  newer_.clear();
  return false;
}

void V1Estimate::on_segment(const Segment& segment) {
  touched_.clear();
  for (const auto& transaction : segment.transactions) {
    for (const auto& change : transaction.changes) apply(change);
  }
}

void V1Estimate::apply(const Change& change) {
  if (!everyone_.admits(change.cls)) return;
  if (reading_) newer_.insert(fingerprint(change.key));
  set_size(change);
  const auto [touched, first] = touched_.try_emplace(change.key.type);
  if (first) {
    touched->second.only_origin = change.key.origin;
  } else if (touched->second.only_origin != change.key.origin) {
    touched->second.several = true;
  }
}

void V1Estimate::set_size(const Change& change) {
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
