#include "conformance/suite/log.hpp"

#include "protocol/model/assert.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::conform {
namespace {

Resource in_default(std::string type, std::string origin, const std::string& name,
                    const std::string& field, const std::string& text) {
  Resource resource;
  resource.key = {std::move(type), "default", std::move(origin), name};
  resource.spec = "{\"" + field + "\":\"" + text + "\"}";
  return resource;
}

}  // namespace

const TypeRegistry& types() {
  static const TypeRegistry registry = TypeRegistry::with_default_types();
  return registry;
}

Resource policy(const std::string& name, const std::string& text) {
  return in_default("MeshTimeout", std::string(kGlobalOrigin), name, "value", text);
}

Resource service(const std::string& zone, const std::string& name, const std::string& text) {
  return in_default("MeshService", zone, name, "port", text);
}

Resource dataplane(const std::string& zone, const std::string& name, const std::string& text) {
  return in_default("Dataplane", zone, name, "address", text);
}

Resource big_policy(const std::string& name, std::size_t bytes) {
  std::string text(bytes, 'x');
  for (std::size_t at = 0; at < bytes; at += 97) text[at] = static_cast<char>('a' + at % 23);
  return policy(name, text);
}

Change upsert_of(const Resource& resource) {
  auto cls = class_of(types(), resource);
  if (!cls) cls = Class{resource.key.type, resource.key.mesh, resource.key.origin, {}};
  return wire::make_upsert(*cls, resource);
}

Change leave_of(const Resource& resource) {
  return wire::make_leave(upsert_of(resource).cls, resource.key);
}

// -- log ------------------------------------------------------------------------------------------

PeerLog::PeerLog(std::uint8_t number, bool is_complete) : complete(is_complete) {
  log_id.bytes[0] = 0xc0;
  log_id.bytes[15] = number;
  era.id.bytes[0] = 0xe0;
  era.id.bytes[15] = number;
}

Revision PeerLog::write(const std::vector<Resource>& upserts,
                        const std::vector<Resource>& removes) {
  std::vector<Change> changes;
  for (const Resource& each : upserts) {
    Change change = upsert_of(each);
    const auto old = present.find(each.key);
    if (old != present.end() && old->second.change.cls != change.cls) {
      changes.push_back(wire::make_leave(old->second.change.cls, each.key));
    }
    changes.push_back(std::move(change));
  }
  for (const Resource& each : removes) changes.push_back(leave_of(each));
  return write(std::move(changes));
}

Revision PeerLog::write(std::vector<Change> changes) {
  head = head.next();
  for (Change& change : changes) {
    if (change.kind == ChangeKind::upsert) {
      present[change.key] = LogItem{head, change};
    } else if (const auto old = present.find(change.key);
               old != present.end() && old->second.change.cls == change.cls) {
      present.erase(old);
    }
    items_.push_back(LogItem{head, std::move(change)});
  }
  return head;
}

std::vector<LogItem> PeerLog::after(Revision revision) const {
  std::vector<LogItem> found;
  for (const LogItem& item : items_) {
    if (item.revision > revision) found.push_back(item);
  }
  return found;
}

std::set<std::string> PeerLog::changed_after(Revision revision) const {
  std::set<std::string> types_changed;
  for (const LogItem& item : items_) {
    if (item.revision > revision) types_changed.insert(item.change.key.type);
  }
  return types_changed;
}

std::vector<LogItem> PeerLog::present_of(const std::string& type) const {
  std::vector<LogItem> found;
  for (const auto& [key, item] : present) {
    if (key.type == type) found.push_back(item);
  }
  return found;
}

Digest PeerLog::digest() const {
  Digest sum;
  for (const auto& [key, item] : present) sum.add(fingerprint(key), item.change.hash);
  return sum;
}

Cursor PeerLog::at(Revision revision, const ViewId& view) const { return {era, revision, view}; }

// -- replica --------------------------------------------------------------------------------------

void PeerReplica::apply(const LogItem& item) {
  const ResourceKey& key = item.change.key;
  if (item.change.kind == ChangeKind::upsert) {
    items[key] = item;
    unconfirmed.erase(key);
    return;
  }
  // A leave of the old class of a resource that moved to another one in the same revision.
  const auto found = items.find(key);
  const bool moved = found != items.end() && found->second.revision == item.revision &&
                     found->second.change.cls != item.change.cls;
  if (moved) return;
  items.erase(key);
  unconfirmed.erase(key);
}

Digest PeerReplica::digest() const {
  Digest sum;
  for (const auto& [key, item] : items) {
    if (!unconfirmed.contains(key)) sum.add(fingerprint(key), item.change.hash);
  }
  return sum;
}

std::vector<std::string> PeerReplica::names(const std::string& type) const {
  std::vector<std::string> found;
  for (const auto& [key, item] : items) {
    if (type.empty() || key.type == type) found.push_back(key.name);
  }
  return found;
}

bool PeerReplica::has(const Resource& resource) const {
  const auto found = items.find(resource.key);
  return found != items.end() && found->second.change.hash == upsert_of(resource).hash;
}

}  // namespace zonesync::conform
