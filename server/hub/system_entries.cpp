#include "server/hub/system_entries.hpp"

#include <boost/json.hpp>

#include "server/hub/scope_json.hpp"
#include "server/hub/system_entry_body.hpp"

namespace zonesync::hub {
namespace {

namespace json = boost::json;

json::object key_to_json(const ResourceKey& key) {
  return {{"type", key.type}, {"mesh", key.mesh}, {"origin", key.origin}, {"name", key.name}};
}

std::string text(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

Id128 id(const json::object& object, std::string_view name) {
  const auto parsed = id128_from_hex(object.at(name).as_string());
  if (!parsed) throw std::invalid_argument("not 32 hex digits");
  return *parsed;
}

std::uint64_t number(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}

std::int64_t signed_number(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::int64_t>();
}

ResourceKey key_from_json(const json::object& object) {
  return {text(object, "type"), text(object, "mesh"), text(object, "origin"),
          text(object, "name")};
}

}  // namespace

bool is_system_type(std::string_view type) {
  return !type.empty() && type.front() == kSystemTypePrefix;
}

ResourceKey system_key(std::string_view type, std::string name) {
  return {std::string(type), "", std::string(kGlobalOrigin), std::move(name)};
}
ResourceKey zone_key(const std::string& zone) { return system_key(kZoneType, zone); }
ResourceKey up_cursor_key(const std::string& zone) { return system_key(kUpCursorType, zone); }
ResourceKey offer_key(const std::string& zone, const ResourceKey& key) {
  return system_key(kOfferType, zone + "." + to_hex(fingerprint(key)));
}
ResourceKey idempotency_key_of(const std::string& key) {
  return system_key(kIdempotencyType, to_hex(hash_bytes(key).id));
}

Change encode(const ZoneRecord& record) {
  json::array retired;
  for (const auto& instance : record.retired) retired.emplace_back(to_hex(instance.id));
  json::object body{{"enabled", record.enabled},
                    {"paused", record.paused},
                    {"scope", scope_to_json(record.scope)},
                    {"deleting", record.deleting},
                    {"registered_at_ms", record.registered_at_ms},
                    {"first_seen_ms", record.first_seen_ms},
                    {"generation", record.generation.value},
                    {"instance", to_hex(record.instance.id)},
                    {"retired", std::move(retired)}};
  if (record.forced_mode) body["mode"] = to_string(*record.forced_mode);
  return make_system(zone_key(record.name), body);
}

Change encode(const UpCursorRecord& record) {
  json::object body{{"log_id", to_hex(record.log_id)},
                    {"era", to_hex(record.cursor.era.id)},
                    {"revision", record.cursor.revision.value},
                    {"view", to_hex(record.cursor.view.id)}};
  if (record.unfinished) body["unfinished"] = true;
  return make_system(up_cursor_key(record.zone), body);
}

Change encode(const OfferRecord& record) {
  json::object body{{"zone", record.zone},
                    {"key", key_to_json(record.key)},
                    {"unconfirmed", record.unconfirmed},
                    {"at_ms", record.at_ms}};
  if (!record.unconfirmed) {
    body["mesh"] = record.cls.mesh;
    body["tag"] = record.cls.tag;
    body["hash"] = to_hex(record.hash.id);
    body["revision"] = record.revision.value;
    body["code"] = record.reject.code;
    body["field"] = record.reject.field;
    body["text"] = record.reject.text;
    body["retryable"] = record.reject.retryable;
  }
  return make_system(offer_key(record.zone, record.key), body);
}

Change encode(const IdempotencyRecord& record) {
  json::array outcomes;
  for (const auto& outcome : record.result.outcomes) {
    outcomes.emplace_back(
        json::array{static_cast<unsigned>(outcome.action), outcome.revision.value});
  }
  return make_system(idempotency_key_of(record.key),
                     {{"key", record.key},
                      {"request", to_hex(record.request_hash.id)},
                      {"revision", record.result.revision.value},
                      {"outcomes", std::move(outcomes)}});
}

Change system_leave(const ResourceKey& key) {
  return wire::make_leave(Class{key.type, "", key.origin, ""}, key);
}

Result<ZoneRecord> decode_zone(const Change& change) {
  return read_system<ZoneRecord>(change, [](const ResourceKey& key, const json::object& body) {
    ZoneRecord record;
    record.name = key.name;
    record.enabled = body.at("enabled").as_bool();
    if (const auto* paused = body.if_contains("paused")) record.paused = paused->as_bool();
    if (const auto* scope = body.if_contains("scope")) {
      record.scope = scope_from_json(scope->as_object());
    }
    record.deleting = body.at("deleting").as_bool();
    record.registered_at_ms = signed_number(body, "registered_at_ms");
    record.first_seen_ms = signed_number(body, "first_seen_ms");
    record.generation.value = number(body, "generation");
    record.instance.id = id(body, "instance");
    for (const auto& instance : body.at("retired").as_array()) {
      const auto parsed = id128_from_hex(instance.as_string());
      if (!parsed) throw std::invalid_argument("retired instance is not 32 hex digits");
      record.retired.push_back(InstanceId{*parsed});
    }
    if (const json::value* mode = body.if_contains("mode")) {
      record.forced_mode = parse_sync_mode(mode->as_string());
      if (!record.forced_mode) throw std::invalid_argument("unknown mode");
    }
    return record;
  });
}

Result<UpCursorRecord> decode_up_cursor(const Change& change) {
  return read_system<UpCursorRecord>(change, [](const ResourceKey& key, const json::object& body) {
    return UpCursorRecord{key.name, id(body, "log_id"),
                          Cursor{EraId{id(body, "era")}, Revision{number(body, "revision")},
                                 ViewId{id(body, "view")}},
                          body.contains("unfinished")};
  });
}

Result<OfferRecord> decode_offer(const Change& change) {
  return read_system<OfferRecord>(change, [](const ResourceKey&, const json::object& body) {
    OfferRecord record;
    record.zone = text(body, "zone");
    record.key = key_from_json(body.at("key").as_object());
    record.unconfirmed = body.at("unconfirmed").as_bool();
    record.at_ms = signed_number(body, "at_ms");
    if (!record.unconfirmed) {
      record.cls = Class{record.key.type, text(body, "mesh"), record.key.origin,
                         text(body, "tag")};
      record.hash.id = id(body, "hash");
      record.revision.value = number(body, "revision");
      record.reject = Reject{text(body, "code"), text(body, "field"), text(body, "text"),
                             body.at("retryable").as_bool()};
    }
    return record;
  });
}

Result<IdempotencyRecord> decode_idempotency(const Change& change) {
  return read_system<IdempotencyRecord>(change, [](const ResourceKey&, const json::object& body) {
    IdempotencyRecord record;
    record.key = text(body, "key");
    record.request_hash.id = id(body, "request");
    record.result.revision.value = number(body, "revision");
    record.result.changed = true;
    for (const auto& item : body.at("outcomes").as_array()) {
      const auto& pair = item.as_array();
      const auto action = pair.at(0).to_number<unsigned>();
      if (action > static_cast<unsigned>(WriteAction::absent)) {
        throw std::invalid_argument("unknown write action");
      }
      WriteOutcome outcome;
      outcome.action = static_cast<WriteAction>(action);
      outcome.revision.value = pair.at(1).to_number<std::uint64_t>();
      record.result.outcomes.push_back(std::move(outcome));
    }
    return record;
  });
}

}  // namespace zonesync::hub
