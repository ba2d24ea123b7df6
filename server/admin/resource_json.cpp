#include "server/admin/resource_json.hpp"

#include "protocol/text/json_value.hpp"
#include "protocol/text/resource_text.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::admin {
namespace {

constexpr std::string_view kRedacted = "{\"redacted\":true}";

}  // namespace

boost::json::object key_json(const ResourceKey& key) {
  boost::json::object out;
  out["type"] = key.type;
  out["mesh"] = key.mesh;
  out["origin"] = key.origin;
  out["name"] = key.name;
  return out;
}

ResourceWriter::ResourceWriter(const Call& call)
    : registry_(call.hub().registry()), sees_secrets_(call.user.allows(auth::Role::admin)) {}

bool ResourceWriter::hides(std::string_view type) const {
  const TypeInfo* info = registry_->find(type);
  // A type that is no longer registered may have been a sensitive one.
  return !sees_secrets_ && (info == nullptr || info->sensitive);
}

std::string ResourceWriter::text(Resource resource) const {
  if (hides(resource.key.type)) {
    resource.spec = kRedacted;
    resource.status.clear();
  }
  return resource_to_json(resource);
}

Result<std::string> ResourceWriter::text(const Change& change) const {
  Result<Resource> resource = wire::resource_of(change.payload);
  if (!resource) return fail(std::move(resource.error()));
  return text(std::move(*resource));
}

Result<std::string> ResourceWriter::item(const LogEntry& entry) const {
  const Result<std::string> resource = text(entry.change);
  if (!resource) return resource;
  std::string out = "{\"origin\":";
  text::append_canonical_string(out, entry.change.key.origin);
  out += ",\"resource\":" + *resource + ",\"revision\":";
  out += std::to_string(entry.position.revision.value) + '}';
  return out;
}

bool is_redacted(std::string_view spec) { return spec == kRedacted; }

}  // namespace zonesync::admin
