// Change payloads: what a log stores and every zone receives unchanged.
#include "protocol/schema/change_generated.h"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/flat.hpp"

namespace zonesync::wire {
namespace {

using detail::FieldReader;
using VerifiedChange = detail::Verified<fb::Change>;

Result<VerifiedChange> open_change(const SharedBytes& payload) {
  return VerifiedChange::open(payload.view(), limits::kChangeMaxBytes, "change",
                              fb::ChangeIdentifier());
}

ResourceKey read_key(FieldReader& reader, const fb::Change& change) {
  ResourceKey key;
  key.type = reader.type_name(change.type(), "type");
  key.mesh = reader.mesh(change.mesh());
  key.origin = reader.origin(change.origin());
  key.name = reader.resource_name(change.name(), "name");
  return key;
}

Labels read_labels(FieldReader& reader, const fb::Change& change) {
  Labels labels;
  const auto* field = change.labels();
  if (field == nullptr) return labels;
  reader.limit(field->size(), limits::kLabelsMax, "labels");
  std::size_t bytes = 0;
  for (flatbuffers::uoffset_t i = 0; reader.ok() && i < field->size(); ++i) {
    std::string key = reader.text(field->Get(i)->key(), "labels", limits::kLabelsMaxBytes);
    std::string value = reader.text(field->Get(i)->value(), "labels", limits::kLabelsMaxBytes);
    bytes += key.size() + value.size();
    reader.limit(bytes, limits::kLabelsMaxBytes, "labels");
    reader.require(!key.empty(), "labels", "empty label key");
    reader.require(labels.empty() || labels.rbegin()->first < key, "labels",
                   "label keys are not sorted and unique");
    labels.emplace_hint(labels.end(), std::move(key), std::move(value));
  }
  return labels;
}

std::size_t size_of(const detail::FlatBytes* bytes) { return bytes == nullptr ? 0 : bytes->size(); }

/// Everything but spec and status, which are opaque: only their size is checked.
void check_content(FieldReader& reader, const fb::Change& change) {
  read_labels(reader, change);
  if (change.kind() == fb::ChangeKind::upsert) {
    reader.limit(size_of(change.spec()) + size_of(change.status()), limits::kResourceMaxBytes,
                 "spec");
    return;
  }
  reader.require(change.kind() == fb::ChangeKind::leave, "kind", "neither upsert nor leave");
  reader.require(!change.labels() && !change.spec() && !change.status(), "kind",
                 "a leave carries no content");
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Label>>> put_labels(
    flatbuffers::FlatBufferBuilder& builder, const Labels& labels) {
  if (labels.empty()) return 0;
  std::vector<flatbuffers::Offset<fb::Label>> offsets;
  offsets.reserve(labels.size());
  for (const auto& [key, value] : labels) {
    const auto key_offset = detail::put_string(builder, key);
    const auto value_offset = detail::put_string(builder, value);
    offsets.push_back(fb::CreateLabel(builder, key_offset, value_offset));
  }
  return builder.CreateVector(offsets);
}

SharedBytes encode(ChangeKind kind, const Class& cls, const ResourceKey& key,
                   const Resource* content) {
  const std::size_t content_bytes = content ? content->spec.size() + content->status.size() : 0;
  flatbuffers::FlatBufferBuilder builder(content_bytes + 512);
  // In a fixed order: equal input gives equal bytes.
  const auto type = detail::put_string(builder, key.type);
  const auto mesh = detail::put_optional(builder, key.mesh);
  const auto origin = detail::put_string(builder, key.origin);
  const auto name = detail::put_string(builder, key.name);
  const auto tag = detail::put_optional(builder, cls.tag);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Label>>> labels = 0;
  flatbuffers::Offset<detail::FlatBytes> spec = 0;
  flatbuffers::Offset<detail::FlatBytes> status = 0;
  if (content) {
    labels = put_labels(builder, content->labels);
    spec = detail::put_bytes(builder, content->spec);
    status = detail::put_bytes(builder, content->status);
  }
  builder.Finish(fb::CreateChange(builder, static_cast<fb::ChangeKind>(kind), type, mesh, origin,
                                  name, tag, labels, spec, status),
                 fb::ChangeIdentifier());
  return SharedBytes(std::string(detail::finished(builder)));
}

}  // namespace

Change make_upsert(const Class& cls, const Resource& resource) {
  Change change;
  change.kind = ChangeKind::upsert;
  change.cls = cls;
  change.key = resource.key;
  change.payload = encode(ChangeKind::upsert, cls, resource.key, &resource);
  change.hash = hash_bytes(change.payload.view());
  return change;
}

Change make_leave(const Class& cls, const ResourceKey& key) {
  Change change;
  change.kind = ChangeKind::leave;
  change.cls = cls;
  change.key = key;
  change.payload = encode(ChangeKind::leave, cls, key, nullptr);
  return change;
}

Result<Change> decode_change(SharedBytes payload) {
  Result<VerifiedChange> flat = open_change(payload);
  if (!flat) return fail(std::move(flat.error()));
  const fb::Change& root = *flat->operator->();
  FieldReader reader("change");
  Change change;
  change.key = read_key(reader, root);
  change.cls = Class{change.key.type, change.key.mesh, change.key.origin,
                     reader.text(root.tag(), "tag", limits::kTagMaxBytes)};
  check_content(reader, root);
  if (!reader.ok()) return reader.finish(std::move(change));
  change.kind = root.kind() == fb::ChangeKind::leave ? ChangeKind::leave : ChangeKind::upsert;
  if (change.kind == ChangeKind::upsert) change.hash = hash_bytes(payload.view());
  change.payload = std::move(payload);
  return change;
}

Result<Resource> resource_of(const SharedBytes& payload) {
  Result<VerifiedChange> flat = open_change(payload);
  if (!flat) return fail(std::move(flat.error()));
  const fb::Change& root = *flat->operator->();
  FieldReader reader("change");
  reader.require(root.kind() == fb::ChangeKind::upsert, "kind", "only an upsert has a resource");
  Resource resource;
  resource.key = read_key(reader, root);
  resource.labels = read_labels(reader, root);
  resource.spec = reader.bytes(root.spec());
  resource.status = reader.bytes(root.status());
  return reader.finish(std::move(resource));
}

}  // namespace zonesync::wire
