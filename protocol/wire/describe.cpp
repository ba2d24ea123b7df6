#include "protocol/wire/describe.hpp"

#include "protocol/wire/json_fields.hpp"

namespace zonesync::wire {
namespace {

using detail::json_array;
using detail::json_strings;
using detail::JsonFields;

/// Sums are too large for JSON numbers of other languages.
std::string hex64(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i > 0; --i, value >>= 4) text[i - 1] = kDigits[value & 0xf];
  return text;
}

std::string to_json(const Cursor& cursor) {
  return JsonFields()
      .text("era", to_hex(cursor.era.id))
      .number("revision", cursor.revision.value)
      .text("view", to_hex(cursor.view.id))
      .json();
}

std::string to_json(const ResourceKey& key) {
  return JsonFields()
      .text("type", key.type)
      .text("mesh", key.mesh)
      .text("origin", key.origin)
      .text("name", key.name)
      .json();
}

std::string to_json(const TypeInfo& type) {
  return JsonFields()
      .text("name", type.name)
      .text("plural", type.plural)
      .text("scope", type.scope == TypeScope::global ? "global" : "mesh")
      .flag("global_to_zones", type.global_to_zones)
      .flag("zone_to_global", type.zone_to_global)
      .flag("synced_across_zones", type.synced_across_zones)
      .flag("provided_by_global", type.provided_by_global)
      .flag("legacy", type.legacy)
      .flag("sensitive", type.sensitive)
      .raw("rank", std::to_string(type.rank))
      .number("max_bytes", type.max_bytes)
      .raw("scope_labels", json_strings(type.scope_labels))
      .json();
}

std::string to_json(const Verdict& verdict) {
  JsonFields fields;
  fields.raw("key", to_json(verdict.key))
      .number("revision", verdict.revision.value)
      .flag("accepted", verdict.accepted);
  if (!verdict.accepted) {
    fields.text("code", verdict.reject.code)
        .text_if("field", verdict.reject.field)
        .text_if("text", verdict.reject.text)
        .flag("retryable", verdict.reject.retryable);
  }
  return fields.json();
}

void add_cursor(JsonFields& fields, std::string_view name, const std::optional<Cursor>& cursor) {
  if (cursor) fields.raw(name, to_json(*cursor));
}

void add_staged(JsonFields& fields, std::string_view name, const std::optional<Staged>& staged) {
  if (!staged) return;
  fields.raw(name, JsonFields()
                       .raw("at", to_json(staged->at))
                       .number("changes", staged->changes)
                       .flag("full", staged->full)
                       .number("floor", staged->floor.value)
                       .json());
}

// -- One overload per message --------------------------------------------------------------------

void fill(JsonFields& fields, const Hello& hello) {
  fields.text("zone", hello.zone)
      .text("instance", to_hex(hello.instance.id))
      .text_if("software", hello.software)
      .number("version_min", hello.version_min)
      .number("version_max", hello.version_max)
      .raw("features", json_strings(hello.features))
      .raw("types", json_strings(hello.types))
      .raw("meshes", json_strings(hello.meshes));
  add_cursor(fields, "down_cursor", hello.down_cursor);
  fields.flag("durable", hello.durable)
      .number("open_rejects", hello.open_rejects)
      .text("open_rejects_digest", to_string(hello.open_rejects_digest))
      .raw("up_log", JsonFields()
                         .text("log_id", to_hex(hello.up_log.log_id))
                         .text("era", to_hex(hello.up_log.era.id))
                         .number("head", hello.up_log.head.value)
                         .flag("complete", hello.up_log.complete)
                         .json())
      .number("down_window_bytes", hello.down_window_bytes);
  add_staged(fields, "staged", hello.staged);
}

void fill(JsonFields& fields, const Welcome& welcome) {
  std::vector<std::string> types;
  types.reserve(welcome.types.size());
  for (const TypeInfo& type : welcome.types) types.push_back(to_json(type));
  fields.number("session", welcome.session)
      .text("hub_id", to_hex(welcome.hub_id))
      .number("generation", welcome.generation)
      .number("version", welcome.version)
      .text("down_view", to_hex(welcome.down_view.id))
      .text("up_view", to_hex(welcome.up_view.id))
      .raw("features", json_strings(welcome.features))
      .raw("types", json_array(types))
      .number("message_max_bytes", welcome.message_max_bytes)
      .number("up_window_bytes", welcome.up_window_bytes);
  add_cursor(fields, "up_cursor", welcome.up_cursor);
  if (welcome.up_repair) fields.flag("up_repair", true);
}

void fill(JsonFields& fields, const Goodbye& goodbye) {
  fields.number("code", goodbye.code)
      .text_if("reason", goodbye.reason)
      .number("retry_after_ms", goodbye.retry_after_ms)
      .number("fallback_ttl_ms", goodbye.fallback_ttl_ms);
}

void fill(JsonFields& fields, const Sync& sync) { fields.number("id", sync.id); }

void fill(JsonFields& fields, const Synced& synced) {
  fields.number("id", synced.id).number("revision", synced.revision.value);
}

void fill(JsonFields& fields, const Want& want) {
  add_cursor(fields, "cursor", want.cursor);
  fields.flag("force_full", want.force_full);
  if (want.repair) fields.flag("repair", true);
  fields.text_if("why", want.why);
  if (want.no_patches) fields.flag("no_patches", true);
  add_staged(fields, "staged", want.staged);
}

void fill(JsonFields& fields, const Intent& intent) {
  fields.text("reason", to_string(intent.reason))
      .text("log_id", to_hex(intent.log_id))
      .flag("complete", intent.complete)
      .text("view", to_hex(intent.view.id));
  add_cursor(fields, "from", intent.from);
  fields.number("head", intent.head.value).text_if("why", intent.why);
  if (intent.era != EraId{}) fields.text("era", to_hex(intent.era.id));
  add_staged(fields, "resumed", intent.resumed);
  if (intent.floor != Revision{}) fields.number("floor", intent.floor.value);
}

void fill(JsonFields& fields, const Patch& patch) {
  fields.raw("key", to_json(patch.key))
      .text("base", to_hex(patch.base.id))
      .text("hash", to_hex(patch.hash.id))
      .number("size", patch.size)
      .number("frame_bytes", patch.frame.size());
}

void fill(JsonFields& fields, const Drop& drop) {
  fields.text("type", drop.cls.type)
      .text("mesh", drop.cls.mesh)
      .text("origin", drop.cls.origin)
      .text("tag", drop.cls.tag);
}

void fill(JsonFields& fields, const List& list) {
  fields.text("type", list.type)
      .text("digest", to_string(list.digest))
      .number("version", list.version.value)
      .number("nonce", list.nonce);
}

void fill(JsonFields& fields, const Mark& mark) {
  add_cursor(fields, "from", mark.from);
  fields.raw("to", to_json(mark.to)).number("changes", mark.changes);
  if (mark.digest) fields.text("digest", to_string(*mark.digest));
}

void fill(JsonFields& fields, const Ack& ack) {
  fields.number("received_bytes", ack.received_bytes).number("window_bytes", ack.window_bytes);
  add_cursor(fields, "cursor", ack.cursor);
  std::vector<std::string> verdicts;
  verdicts.reserve(ack.verdicts.size());
  for (const Verdict& verdict : ack.verdicts) verdicts.push_back(to_json(verdict));
  fields.raw("verdicts", json_array(verdicts));
}

void fill(JsonFields& fields, const Hold& hold) {
  fields.text("reason", hold.reason).text_if("text", hold.text).flag("released", hold.released);
}

void fill(JsonFields& fields, const Buckets& buckets) {
  std::vector<std::string> sums;
  sums.reserve(buckets.sums.size());
  for (const std::uint64_t sum : buckets.sums) sums.push_back(detail::json_string(hex64(sum)));
  fields.number("bits", buckets.bits).raw("sums", json_array(sums));
}

void fill(JsonFields& fields, const Differing& differing) {
  std::vector<std::string> numbers;
  numbers.reserve(differing.buckets.size());
  for (const std::uint16_t bucket : differing.buckets) numbers.push_back(std::to_string(bucket));
  fields.raw("buckets", json_array(numbers));
}

void fill(JsonFields& fields, const Prints& prints) {
  std::vector<std::string> records;
  records.reserve(prints.records.size());
  for (const Print& print : prints.records) {
    records.push_back(
        JsonFields().text("key", to_hex(print.key)).text("hash", to_hex(print.hash.id)).json());
  }
  fields.raw("records", json_array(records)).flag("last", prints.last);
}

void fill(JsonFields& fields, const Remove& remove) {
  std::vector<std::string> ids;
  ids.reserve(remove.fingerprints.size());
  for (const Id128& id : remove.fingerprints) ids.push_back(to_hex(id));
  fields.raw("fingerprints", json_strings(ids));
}

void fill_part(JsonFields& fields, const Part& part, DescribeOptions options) {
  fields.number("index", part.index)
      .number("count", part.count)
      .number("total_bytes", part.total_bytes);
  if (options.content) fields.text("bytes", part.bytes);
  else fields.number("part_bytes", part.bytes.size());
}

Status fill_change(JsonFields& fields, ByteView payload, DescribeOptions options) {
  const Result<Change> change = decode_change(SharedBytes(std::string(payload)));
  if (!change) return fail(change.error());
  const bool upsert = change->kind == ChangeKind::upsert;
  fields.text("change", upsert ? "upsert" : "leave")
      .text("type", change->key.type)
      .text("mesh", change->key.mesh)
      .text("origin", change->key.origin)
      .text("name", change->key.name)
      .text("tag", change->cls.tag);
  if (!upsert) return {};
  fields.text("hash", to_hex(change->hash.id));
  if (!options.content) {
    fields.number("payload_bytes", payload.size());
    return {};
  }
  const Result<Resource> resource = resource_of(change->payload);
  if (!resource) return fail(resource.error());
  JsonFields labels;
  for (const auto& [key, value] : resource->labels) labels.text(key, value);
  fields.raw("labels", labels.json()).text("spec", resource->spec);
  fields.text_if("status", resource->status);
  return {};
}

/// Decodes and fills, or passes the error on.
template <class Decoded>
Status fill_decoded(JsonFields& fields, const Decoded& decoded) {
  if (!decoded) return fail(decoded.error());
  fill(fields, *decoded);
  return {};
}

Status fill_payload(JsonFields& fields, const Packet& packet, DescribeOptions options) {
  const ByteView payload = packet.payload;
  switch (packet.header.kind) {
    case PacketKind::hello: return fill_decoded(fields, decode_hello(payload));
    case PacketKind::welcome: return fill_decoded(fields, decode_welcome(payload));
    case PacketKind::goodbye: return fill_decoded(fields, decode_goodbye(payload));
    case PacketKind::sync: return fill_decoded(fields, decode_sync(payload));
    case PacketKind::synced: return fill_decoded(fields, decode_synced(payload));
    case PacketKind::want: return fill_decoded(fields, decode_want(payload));
    case PacketKind::intent: return fill_decoded(fields, decode_intent(payload));
    case PacketKind::change: return fill_change(fields, payload, options);
    case PacketKind::patch: return fill_decoded(fields, decode_patch(payload));
    case PacketKind::drop: return fill_decoded(fields, decode_drop(payload));
    case PacketKind::list: return fill_decoded(fields, decode_list(payload));
    case PacketKind::mark: return fill_decoded(fields, decode_mark(payload));
    case PacketKind::ack: return fill_decoded(fields, decode_ack(payload));
    case PacketKind::hold: return fill_decoded(fields, decode_hold(payload));
    case PacketKind::buckets: return fill_decoded(fields, decode_buckets(payload));
    case PacketKind::differing: return fill_decoded(fields, decode_differing(payload));
    case PacketKind::prints: return fill_decoded(fields, decode_prints(payload));
    case PacketKind::remove: return fill_decoded(fields, decode_remove(payload));
    case PacketKind::part: break;
  }
  const Result<Part> part = decode_part(payload);
  if (!part) return fail(part.error());
  fill_part(fields, *part, options);
  return {};
}

void fill_checked(JsonFields& fields, const Packet& packet, DescribeOptions options) {
  JsonFields with_payload = fields;
  const Status status = fill_payload(with_payload, packet, options);
  if (status) fields = std::move(with_payload);
  else fields.text("invalid", describe(status.error()));
}

bool of_a_flow(PacketKind kind) { return kind >= PacketKind::want; }

}  // namespace

std::string describe(const Packet& packet) {
  std::string line(to_string(packet.header.kind));
  if (of_a_flow(packet.header.kind)) {
    line.push_back(' ');
    line += to_string(packet.header.flow);
  }
  JsonFields fields;
  if (packet.header.revision.value != 0) fields.number("rev", packet.header.revision.value);
  fill_checked(fields, packet, {});
  return line + ' ' + fields.line();
}

std::string describe_json(const Packet& packet, DescribeOptions options) {
  JsonFields fields;
  fields.text("kind", to_string(packet.header.kind));
  if (of_a_flow(packet.header.kind)) fields.text("flow", to_string(packet.header.flow));
  if (packet.header.revision.value != 0) fields.number("rev", packet.header.revision.value);
  fill_checked(fields, packet, options);
  return fields.json();
}

}  // namespace zonesync::wire
