#include "client-sdk/agent/status_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "protocol/text/json_value.hpp"

namespace zonesync::agent {
namespace {

namespace json = boost::json;

json::array refusals(const std::vector<PublishRefusal>& list) {
  json::array all;
  for (const PublishRefusal& each : list) {
    all.emplace_back(json::object{{"file", each.file}, {"line", each.line}, {"key", each.key},
                                  {"reason", each.reason}});
  }
  return all;
}

json::object counters_json(const client::Counters& counters) {
  return {{"connects", counters.connects},
          {"sessions", counters.sessions},
          {"changes_received", counters.changes_received},
          {"changes_sent", counters.changes_sent},
          {"bytes_rx", counters.bytes_rx},
          {"bytes_tx", counters.bytes_tx},
          {"cuts", counters.cuts},
          {"intents_none", counters.intents_none},
          {"intents_changes", counters.intents_changes},
          {"intents_repair", counters.intents_repair},
          {"intents_full", counters.intents_full},
          {"digest_mismatches", counters.digest_mismatches},
          {"resumes", counters.resumes},
          {"spills", counters.spills}};
}

json::object publish_json(const PublisherStatus& publish) {
  return {{"documents", publish.documents},
          {"published", publish.totals.published},
          {"unchanged", publish.totals.unchanged},
          {"removed", publish.totals.removed},
          {"refused", refusals(publish.refused)},
          {"refused_count", publish.refused_count},
          {"rejected", refusals(publish.rejected)},
          {"held", json::object{{"count", publish.held.count}, {"reason", publish.held.reason}}},
          {"error", publish.error}};
}

void describe_value(std::string& out, const std::string& name, const json::value& value) {
  if (value.is_object()) {
    for (const auto& member : value.get_object()) {
      const std::string key(member.key());
      describe_value(out, name.empty() ? key : name + '.' + key, member.value());
    }
  } else if (value.is_array()) {
    std::size_t at = 0;
    for (const json::value& element : value.get_array()) {
      describe_value(out, name + '[' + std::to_string(at++) + ']', element);
    }
    if (at == 0) out += name + ": none\n";
  } else {
    std::string text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    for (char& c : text) {  // file names and reasons must not drive a terminal
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    }
    out += name + ": " + text + '\n';
  }
}

}  // namespace

std::string render_status(const AgentStatus& status) {
  const client::ClientStatus& client = status.client;
  json::object root{{"zone", status.zone},
                    {"state", to_string(client.state)},
                    {"mode", to_string(client.mode)},
                    {"mode_reason", client.mode_reason},
                    {"connected", client.connected},
                    {"from_cache", client.from_cache},
                    {"revision", client.cursor ? client.cursor->revision.value : 0},
                    {"era", client.cursor ? to_hex(client.cursor->era.id) : std::string()},
                    {"head", client.head_seen.value},
                    {"digest", to_string(client.digest)},
                    {"resources", client.resources},
                    {"unconfirmed", client.unconfirmed},
                    {"rejects", client.rejects},
                    {"staged", json::object{{"bytes", client.staged_bytes},
                                            {"memory_bytes", client.staged_memory_bytes}}},
                    {"hold", client.held},
                    {"hold_text", client.held_text},
                    {"peer_hold", client.peer_held},
                    {"generation", client.generation},
                    {"session", client.session},
                    {"outbox", json::object{{"head", client.outbox_head.value},
                                            {"acked", client.outbox_acked.value}}},
                    {"counters", counters_json(client.counters)}};
  root["last_error"] = nullptr;
  if (client.last_error) {
    root["last_error"] = json::object{{"code", to_string(client.last_error->code)},
                                      {"message", client.last_error->message},
                                      {"close_code", client.last_error->close_code},
                                      {"http_status", client.last_error->http_status}};
  }
  if (status.publish) root["publish"] = publish_json(*status.publish);
  if (status.mirror) {
    const auto& revision = status.mirror->revision;
    root["mirror"] = json::object{{"revision", revision ? revision->value : 0},
                                  {"error", status.mirror->error}};
  }
  return text::write_canonical(json::value(std::move(root))) + '\n';
}

Result<std::string> describe_status(std::string_view status_json) {
  const auto value = text::parse_json(status_json);
  if (!value) return fail(value.error());
  if (!value->is_object() || !value->get_object().contains("state")) {
    return fail(ErrorCode::invalid_argument, "this is not a status file of zonesync-agent");
  }
  std::string out;
  describe_value(out, "", *value);
  return out;
}

}  // namespace zonesync::agent
