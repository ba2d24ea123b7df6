// `zones enable|...|drain`, `zones scope set`, `types add`, `sync explain`, `sync status`.
#include <algorithm>
#include <ostream>

#include "protocol/text/json_value.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/type_names.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

json::array list_json(const std::vector<std::string>& words) {
  json::array out;
  for (const std::string& word : words) out.push_back(json::value(word));
  return out;
}

/// Sends what answers 204 and says so.
Outcome<void> act(Session& session, const std::string& method, const Target& target,
                  const json::object* body, const std::string& subject, const std::string& done) {
  const std::string text = body == nullptr ? std::string() : text::write_canonical(*body);
  const Outcome<json::value> answer = session.api.send(method, target.text(), text);
  if (!answer) return give_up(answer.error());
  if (for_people(session.format)) {
    session.out << done << ' ' << one_line(subject) << '\n';
    return {};
  }
  json::object out;
  out["subject"] = subject;
  out["done"] = true;
  print_value(session.out, session.format, json::value(std::move(out)));
  return {};
}

std::string done_text(const std::string& word) {
  if (word == "enable") return "enabled zone";
  if (word == "disable") return "disabled zone";
  if (word == "pause") return "paused zone";
  if (word == "resume") return "resumed zone";
  if (word == "resync") return "asked for a resync of zone";
  return "drained zone";
}

}  // namespace

Outcome<void> run_zone_operation(Session& session, const ZoneOperation& command) {
  if (const Status name = check_zone_name(command.zone); !name) {
    return give_up(Exit::usage, name.error().message);
  }
  Target target{"zones", command.zone, command.word};
  target.query_if("retryAfter", command.retry_after);
  return act(session, "POST", target, nullptr, command.zone, done_text(command.word));
}

Outcome<void> run_scope_set(Session& session, const ScopeCommand& command) {
  if (const Status name = check_zone_name(command.zone); !name) {
    return give_up(Exit::usage, name.error().message);
  }
  json::object labels;
  for (const std::string& pair : command.labels) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return give_up(Exit::usage, "'" + one_line(pair) + "' is not label=value");
    }
    json::value& values = labels[pair.substr(0, equals)];
    if (!values.is_array()) values = json::array();
    values.get_array().push_back(json::value(pair.substr(equals + 1)));
  }
  json::object body;
  body["types"] = list_json(command.types);
  body["meshes"] = list_json(command.meshes);
  body["labels"] = std::move(labels);
  return act(session, "PUT", Target{"zones", command.zone, "scope"}, &body, command.zone,
             "set the scope of zone");
}

Outcome<void> run_types_add(Session& session, const TypeCommand& command) {
  std::string plural = command.plural;
  if (plural.empty()) {
    for (const char c : command.name) {
      plural.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    plural.push_back('s');
  }
  json::object body;
  body["name"] = command.name;
  body["plural"] = plural;
  body["scope"] = command.global ? "global" : "mesh";
  body["global_to_zones"] = command.to_zones;
  body["zone_to_global"] = command.from_zones || command.across_zones;
  body["synced_across_zones"] = command.across_zones;
  body["sensitive"] = command.sensitive;
  body["scope_labels"] = list_json(command.scope_labels);
  return act(session, "POST", Target{"types"}, &body, command.name, "registered type");
}

Outcome<void> run_explain(Session& session, const ExplainCommand& command) {
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  // A type that nobody registered is an answer, not a mistake in the command.
  const Outcome<const TypeInfo*> info = resolve_type(*registry, command.type);
  const bool in_mesh = info && (*info)->scope == TypeScope::mesh;
  Target target{"zones", command.zone, "explain"};
  target.query("type", info ? (*info)->name : command.type).query("name", command.name);
  target.query_if("origin", command.origin);
  target.query_if("mesh", in_mesh && command.mesh.empty() ? "default" : command.mesh);
  const Outcome<json::value> answer = session.api.get(target.text());
  if (!answer) return give_up(answer.error());
  if (!for_people(session.format)) {
    print_value(session.out, session.format, *answer);
    return {};
  }
  session.out << (flag_of(*answer, "there") ? "there: " : "not there: ")
              << one_line(text_of(*answer, "reason")) << "\n  "
              << one_line(text_of(*answer, "text")) << '\n';
  return {};
}

constexpr std::size_t kShortIdChars = 12;

Outcome<void> run_sync_status(Session& session) {
  const Outcome<json::value> overview = session.api.get("/zones/_overview");
  if (!overview) return give_up(overview.error());
  const json::array* zones = array_of(*overview, "items");
  if (zones == nullptr) return give_up(Exit::failed, "the hub's overview has no items");
  std::uint64_t connected = 0, behind = 0, diverged = 0, held = 0, rejects = 0, disabled = 0;
  for (const json::value& zone : *zones) {
    const bool on = flag_of(zone, "connected");
    const json::value* hold = member(zone, "hold");
    connected += on ? 1 : 0;
    behind += on && number_of(zone, "lag").value_or(0) > 0 ? 1 : 0;
    diverged += text_of(zone, "converged") == "no" ? 1 : 0;
    held += hold != nullptr && hold->is_object() ? 1 : 0;
    disabled += flag_of(zone, "enabled") ? 0 : 1;
    rejects += number_of(zone, "rejects").value_or(0);
  }
  json::object sum;
  sum["head"] = number_of(*overview, "head").value_or(0);
  const std::string era = text_of(*overview, "era");
  if (!era.empty()) {
    sum["era"] = for_people(session.format) ? era.substr(0, kShortIdChars) : era;
    sum["era_start"] = number_of(*overview, "era_start").value_or(0);
    sum["complete"] = flag_of(*overview, "complete");
  }
  if (const auto restored = number_of(*overview, "restored_at_revision")) {
    sum["restored_at_revision"] = *restored;
    sum["restored_at_ms"] = number_of(*overview, "restored_at_ms").value_or(0);
  }
  sum["zones"] = zones->size();
  sum["connected"] = connected;
  sum["behind"] = behind;
  sum["diverged"] = diverged;
  sum["held"] = held;
  sum["disabled"] = disabled;
  sum["rejects"] = rejects;
  if (!for_people(session.format)) {
    print_value(session.out, session.format, json::value(std::move(sum)));
    return {};
  }
  for (const auto& item : sum) {
    session.out << std::string(item.key()) << ": "
                << (item.value().is_string() ? std::string(item.value().as_string())
                                             : text::write_canonical(item.value()))
                << '\n';
  }
  if (!era.empty() && !flag_of(*overview, "complete")) {
    session.out << "the log is partial: zones keep what it does not name, until "
                   "`zonesync-hub store complete`\n";
  }
  if (held + diverged > 0) session.out << "`zonesync get zones -o wide` names them\n";
  return {};
}

}  // namespace zonesync::cli
