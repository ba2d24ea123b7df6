// Hello, Welcome, Goodbye, Sync, Synced.
#include <algorithm>

#include "protocol/schema/session_generated.h"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/flat.hpp"

namespace zonesync::wire {
namespace {

using detail::FieldReader;
using detail::Verified;
using flatbuffers::FlatBufferBuilder;

void append_finished(std::string& out, PacketKind kind, const FlatBufferBuilder& builder) {
  PacketHeader header;
  header.kind = kind;
  append_packet(out, header, detail::finished(builder));
}

LogInfo read_log(const fb::LogInfo& log) {
  return {detail::from_flat(*log.log_id()), EraId{detail::from_flat(*log.era())},
          Revision{log.head()}, log.complete()};
}

std::vector<std::string> read_scope_labels(FieldReader& reader, const fb::TypeInfo& flat) {
  std::vector<std::string> labels;
  if (flat.scope_labels() == nullptr) return labels;
  reader.limit(flat.scope_labels()->size(), limits::kLabelsMax, "types.scope_labels");
  for (flatbuffers::uoffset_t i = 0; reader.ok() && i < flat.scope_labels()->size(); ++i) {
    labels.push_back(reader.text(flat.scope_labels()->Get(i)->name(), "types.scope_labels",
                                 limits::kNameMaxBytes));
  }
  return labels;
}

TypeInfo read_type(FieldReader& reader, const fb::TypeInfo& flat) {
  TypeInfo type;
  type.name = reader.type_name(flat.name(), "types.name");
  type.plural = reader.type_name(flat.plural(), "types.plural");
  reader.require(flat.scope() == fb::TypeScope::global || flat.scope() == fb::TypeScope::mesh,
                 "types.scope", "neither global nor mesh");
  type.scope = flat.scope() == fb::TypeScope::global ? TypeScope::global : TypeScope::mesh;
  type.global_to_zones = flat.global_to_zones();
  type.zone_to_global = flat.zone_to_global();
  type.synced_across_zones = flat.synced_across_zones();
  type.provided_by_global = flat.provided_by_global();
  type.legacy = flat.legacy();
  type.sensitive = flat.sensitive();
  type.rank = flat.rank();
  reader.limit(flat.max_bytes(), limits::kResourceMaxBytes, "types.max_bytes");
  type.max_bytes = flat.max_bytes();
  type.scope_labels = read_scope_labels(reader, flat);
  return type;
}

flatbuffers::Offset<fb::TypeInfo> put_type(FlatBufferBuilder& builder, const TypeInfo& type) {
  const auto name = detail::put_string(builder, type.name);
  const auto plural = detail::put_string(builder, type.plural);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::ScopeLabel>>> labels = 0;
  if (!type.scope_labels.empty()) {
    std::vector<flatbuffers::Offset<fb::ScopeLabel>> offsets;
    for (const std::string& label : type.scope_labels) {
      offsets.push_back(fb::CreateScopeLabel(builder, detail::put_string(builder, label)));
    }
    labels = builder.CreateVector(offsets);
  }
  const auto scope =
      type.scope == TypeScope::global ? fb::TypeScope::global : fb::TypeScope::mesh;
  return fb::CreateTypeInfo(builder, name, plural, scope, type.global_to_zones,
                            type.zone_to_global, type.synced_across_zones,
                            type.provided_by_global, type.legacy, type.sensitive, type.rank,
                            type.max_bytes, labels);
}

}  // namespace

// -- Hello ---------------------------------------------------------------------------------------

void append(std::string& out, const Hello& message) {
  FlatBufferBuilder builder(1024);
  const auto zone = detail::put_string(builder, message.zone);
  const auto software = detail::put_text(builder, message.software, limits::kNameMaxBytes);
  const auto features = detail::put_strings(builder, message.features);
  const auto types = detail::put_strings(builder, message.types);
  const auto meshes = detail::put_strings(builder, message.meshes);
  const fb::Id128 log_id = detail::to_flat(message.up_log.log_id);
  const fb::Id128 era = detail::to_flat(message.up_log.era.id);
  const auto up_log = fb::CreateLogInfo(builder, &log_id, &era, message.up_log.head.value,
                                        message.up_log.complete);
  const fb::Id128 instance = detail::to_flat(message.instance.id);
  const fb::Digest rejects = detail::to_flat(message.open_rejects_digest);
  fb::Cursor cursor;
  if (message.down_cursor) cursor = detail::to_flat(*message.down_cursor);
  const auto staged = detail::put_staged(builder, message.staged);
  builder.Finish(fb::CreateHello(
      builder, zone, &instance, software, message.version_min, message.version_max, features,
      types, meshes, message.down_cursor ? &cursor : nullptr, message.durable,
      message.open_rejects, message.open_rejects_digest == Digest{} ? nullptr : &rejects, up_log,
      message.down_window_bytes, staged));
  append_finished(out, PacketKind::hello, builder);
}

Result<Hello> decode_hello(ByteView payload) {
  auto flat = Verified<fb::Hello>::open(payload, limits::kMessageMaxBytes, "hello");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Hello& root = *flat->operator->();
  FieldReader reader("hello");
  Hello hello;
  hello.zone = reader.zone(root.zone());
  hello.instance = InstanceId{detail::from_flat(*root.instance())};
  hello.software = reader.text(root.software(), "software", limits::kNameMaxBytes);
  hello.version_min = root.version_min();
  hello.version_max = root.version_max();
  reader.require(hello.version_min <= hello.version_max, "version_min", "above version_max");
  hello.features = reader.words(root.features(), "features");
  if (root.types() != nullptr) {
    reader.limit(root.types()->size(), limits::kTypesMax, "types");
    for (flatbuffers::uoffset_t i = 0; reader.ok() && i < root.types()->size(); ++i) {
      hello.types.push_back(reader.type_name(root.types()->Get(i), "types"));
    }
  }
  if (root.meshes() != nullptr) {
    reader.limit(root.meshes()->size(), limits::kMeshesMax, "meshes");
    for (flatbuffers::uoffset_t i = 0; reader.ok() && i < root.meshes()->size(); ++i) {
      hello.meshes.push_back(reader.resource_name(root.meshes()->Get(i), "meshes"));
    }
  }
  hello.down_cursor = detail::from_flat(root.down_cursor());
  hello.durable = root.durable();
  hello.open_rejects = root.open_rejects();
  if (root.open_rejects_digest()) {
    hello.open_rejects_digest = detail::from_flat(*root.open_rejects_digest());
  }
  hello.up_log = read_log(*root.up_log());
  hello.down_window_bytes = root.down_window_bytes();
  hello.staged = detail::read_staged(reader, root.staged());
  return reader.finish(std::move(hello));
}

// -- Welcome -------------------------------------------------------------------------------------

void append(std::string& out, const Welcome& message) {
  FlatBufferBuilder builder(8192);
  const auto features = detail::put_strings(builder, message.features);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::TypeInfo>>> types = 0;
  if (!message.types.empty()) {
    std::vector<flatbuffers::Offset<fb::TypeInfo>> offsets;
    offsets.reserve(message.types.size());
    for (const TypeInfo& type : message.types) offsets.push_back(put_type(builder, type));
    types = builder.CreateVector(offsets);
  }
  const fb::Id128 hub_id = detail::to_flat(message.hub_id);
  const fb::Id128 down_view = detail::to_flat(message.down_view.id);
  const fb::Id128 up_view = detail::to_flat(message.up_view.id);
  fb::Cursor cursor;
  if (message.up_cursor) cursor = detail::to_flat(*message.up_cursor);
  builder.Finish(fb::CreateWelcome(builder, message.session, &hub_id, message.generation,
                                   message.version, &down_view, &up_view, features, types,
                                   message.message_max_bytes, message.up_window_bytes,
                                   message.up_cursor ? &cursor : nullptr, message.up_repair));
  append_finished(out, PacketKind::welcome, builder);
}

Result<Welcome> decode_welcome(ByteView payload) {
  auto flat = Verified<fb::Welcome>::open(payload, limits::kMessageMaxBytes, "welcome");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Welcome& root = *flat->operator->();
  FieldReader reader("welcome");
  Welcome welcome;
  welcome.session = root.session();
  welcome.hub_id = detail::from_flat(*root.hub_id());
  welcome.generation = root.generation();
  welcome.version = root.version();
  welcome.down_view = ViewId{detail::from_flat(*root.down_view())};
  welcome.up_view = ViewId{detail::from_flat(*root.up_view())};
  welcome.features = reader.words(root.features(), "features");
  if (root.types() != nullptr) {
    reader.limit(root.types()->size(), limits::kTypesMax, "types");
    for (flatbuffers::uoffset_t i = 0; reader.ok() && i < root.types()->size(); ++i) {
      welcome.types.push_back(read_type(reader, *root.types()->Get(i)));
    }
  }
  welcome.message_max_bytes = root.message_max_bytes();
  welcome.up_window_bytes = root.up_window_bytes();
  welcome.up_cursor = detail::from_flat(root.up_cursor());
  welcome.up_repair = root.up_repair();
  return reader.finish(std::move(welcome));
}

// -- Goodbye, Sync, Synced -----------------------------------------------------------------------

void append(std::string& out, const Goodbye& message) {
  FlatBufferBuilder builder(256);
  const auto reason = detail::put_text(builder, message.reason);
  builder.Finish(fb::CreateGoodbye(builder, message.code, reason, message.retry_after_ms,
                                   message.fallback_ttl_ms));
  append_finished(out, PacketKind::goodbye, builder);
}

Result<Goodbye> decode_goodbye(ByteView payload) {
  auto flat = Verified<fb::Goodbye>::open(payload, limits::kMessageMaxBytes, "goodbye");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Goodbye& root = *flat->operator->();
  FieldReader reader("goodbye");
  Goodbye goodbye;
  goodbye.code = root.code();
  reader.require(goodbye.code >= 1000 && goodbye.code <= 4999, "code",
                 "a close code is 1000 to 4999");
  goodbye.reason = reader.text(root.reason(), "reason");
  goodbye.retry_after_ms = root.retry_after_ms();
  goodbye.fallback_ttl_ms = root.fallback_ttl_ms();
  return reader.finish(std::move(goodbye));
}

void append(std::string& out, const Sync& message) {
  FlatBufferBuilder builder(64);
  builder.Finish(fb::CreateSync(builder, message.id));
  append_finished(out, PacketKind::sync, builder);
}

Result<Sync> decode_sync(ByteView payload) {
  auto flat = Verified<fb::Sync>::open(payload, limits::kMessageMaxBytes, "sync");
  if (!flat) return fail(std::move(flat.error()));
  return Sync{flat->operator->()->sync_id()};
}

void append(std::string& out, const Synced& message) {
  FlatBufferBuilder builder(64);
  builder.Finish(fb::CreateSynced(builder, message.id, message.revision.value));
  append_finished(out, PacketKind::synced, builder);
}

Result<Synced> decode_synced(ByteView payload) {
  auto flat = Verified<fb::Synced>::open(payload, limits::kMessageMaxBytes, "synced");
  if (!flat) return fail(std::move(flat.error()));
  return Synced{flat->operator->()->sync_id(), Revision{flat->operator->()->revision()}};
}

}  // namespace zonesync::wire
