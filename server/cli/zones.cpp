// `get zones [-w]` and `zones add|rm|approve`.
#include <ostream>

#include <boost/json/serialize.hpp>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

std::string number_text(const json::value& zone, std::string_view name) {
  const auto number = number_of(zone, name);
  return number ? std::to_string(*number) : std::string();
}

std::string size_text(const json::value& zone, std::string_view name) {
  const auto bytes = number_of(zone, name);
  return bytes ? bytes_text(*bytes) : std::string();
}

/// Whether it ever had a session: the generation is durable, the time is of this hub process.
bool known_to_hub(const json::value& zone) {
  return number_of(zone, "last_seen_ms").value_or(0) != 0 ||
         number_of(zone, "generation").value_or(0) != 0;
}

/// Where a zone stands is learnt from its session: after a restart of the hub it is not known yet.
std::string place_text(const json::value& zone, std::string_view name) {
  const bool unknown = number_of(zone, "last_seen_ms").value_or(0) == 0 && known_to_hub(zone);
  return unknown ? "?" : number_text(zone, name);
}

/// One word for three facts; `-o wide` and JSON show them apart.
std::string status_text(const json::value& zone) {
  const json::value* enabled = member(zone, "enabled");
  if (enabled != nullptr && enabled->is_bool() && !enabled->get_bool()) return "disabled";
  if (!flag_of(zone, "connected")) {
    return known_to_hub(zone) ? "offline" : "never-seen";
  }
  if (const json::value* hold = member(zone, "hold"); hold != nullptr && hold->is_object()) {
    return "held";
  }
  if (text_of(zone, "converged") == "no") return "diverged";
  return number_of(zone, "lag").value_or(0) == 0 ? "synced" : "behind";
}

std::string seconds_text(const json::value& zone) {
  const auto seconds = fraction_of(zone, "lag_seconds");
  if (!seconds) return {};
  const auto tenths = static_cast<std::uint64_t>(*seconds * 10);
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + "s";
}

std::string hold_text(const json::value& zone) {
  const json::value* hold = member(zone, "hold");
  return hold == nullptr ? std::string() : text_of(*hold, "reason");
}

std::string table_of(const json::array& zones, Format format, std::int64_t now_ms) {
  std::vector<std::string> header = {"NAME",      "STATUS",  "MODE",     "REV",      "LAG",
                                     "IN-FLIGHT", "REJECTS", "RECEIVED", "LAST-SEEN"};
  const bool wide = format == Format::wide;
  if (wide) {
    header.insert(header.end(), {"CONVERGED", "LAG-TIME", "SENT", "V1-ESTIMATE", "UP-REV",
                                 "RESOURCES", "HOLD", "SOFTWARE", "PEER"});
  }
  Table table(std::move(header));
  for (const json::value& zone : zones) {
    const auto seen = static_cast<std::int64_t>(number_of(zone, "last_seen_ms").value_or(0));
    std::vector<std::string> row = {
        text_of(zone, "name"),          status_text(zone),
        text_of(zone, "mode"),          place_text(zone, "revision"),
        place_text(zone, "lag"),        size_text(zone, "in_flight"),
        number_text(zone, "rejects"),   size_text(zone, "bytes_tx"),
        ago_text(now_ms, seen)};
    if (wide) {
      row.insert(row.end(), {text_of(zone, "converged"), seconds_text(zone),
                             size_text(zone, "bytes_rx"), size_text(zone, "v1_bytes_est"),
                             number_text(zone, "up_revision"), number_text(zone, "up_resources"),
                             hold_text(zone), text_of(zone, "software"), text_of(zone, "peer")});
    }
    table.add(std::move(row));
  }
  return table.text();
}

Outcome<void> keep_only(json::value& overview, const std::string& name) {
  if (name.empty()) return {};
  json::array kept;
  for (const json::value& zone : overview.get_object()["items"].get_array()) {
    if (text_of(zone, "name") == name) kept.push_back(zone);
  }
  if (kept.empty()) {
    return give_up(Exit::not_found, "no zone '" + name + "'",
                   "`zonesync get zones` lists the zones; `zonesync zones add` registers one");
  }
  overview.get_object()["items"] = std::move(kept);
  return {};
}

Outcome<void> print_zones(Session& session, const GetCommand& command, bool first) {
  Outcome<json::value> overview = session.api.get("/zones/_overview");
  if (!overview) return give_up(overview.error());
  if (array_of(*overview, "items") == nullptr) {
    return give_up(Exit::failed, "the hub's overview has no items");
  }
  if (Outcome<void> found = keep_only(*overview, command.name); !found) return found;
  if (!for_people(session.format)) {
    if (session.format == Format::yaml && !first) session.out << "---\n";
    print_value(session.out, session.format, *overview);
  } else {
    // A terminal is redrawn from its upper left corner; a file gets one table after another.
    if (command.watch && session.terminal) session.out << "\x1b[H\x1b[2J";
    else if (!first) session.out << '\n';
    session.out << table_of(*array_of(*overview, "items"), session.format, session.now_ms);
  }
  session.out.flush();
  return {};
}

}  // namespace

Outcome<void> run_get_zones(Session& session, const GetCommand& command) {
  if (!command.mesh.empty() || !command.origin.empty()) {
    return give_up(Exit::usage, "zones live outside meshes and have no origin",
                   "leave out --mesh and --origin");
  }
  const Surroundings& around = session.api.surroundings();
  const TimePoint began = around.now();
  const std::int64_t began_ms = session.now_ms;
  bool first = true;
  do {
    if (!first) around.sleep(command.interval);
    if (!first && !around.keep_going()) break;
    session.now_ms = began_ms + std::chrono::duration_cast<std::chrono::milliseconds>(
                                    around.now() - began).count();
    if (Outcome<void> printed = print_zones(session, command, first); !printed) return printed;
    first = false;
  } while (command.watch && around.keep_going());
  return {};
}

Outcome<void> run_zone(Session& session, const ZoneCommand& command) {
  using Verb = ZoneCommand::Verb;
  if (const Status name = check_zone_name(command.zone); !name) {
    return give_up(Exit::usage, name.error().message);
  }
  Target target{"zones", command.zone};
  if (command.verb == Verb::approve) target.segment("approve-mass-delete");
  if (command.force) target.query("force", "true");
  std::string body;
  if (command.verb == Verb::mode) {
    target.segment("mode");
    json::object order{{"mode", command.mode}};
    if (command.fallback > Duration::zero()) {
      order["for_ms"] =
          std::chrono::duration_cast<std::chrono::milliseconds>(command.fallback).count();
    }
    body = json::serialize(order);
  }
  const bool put = command.verb == Verb::add || command.verb == Verb::mode;
  const char* method = put                            ? "PUT"
                       : command.verb == Verb::remove ? "DELETE"
                                                      : "POST";
  const Outcome<json::value> answer = session.api.send(method, target.text(), body);
  if (!answer) {
    Failure failure = answer.error();
    if (command.verb == Verb::remove && !command.force && failure.exit == Exit::conflict) {
      failure.hint = "--force ends its session and deletes it all the same";
    }
    return give_up(std::move(failure));
  }
  if (!for_people(session.format)) {
    json::object done;
    done["zone"] = command.zone;
    done["done"] = true;
    print_value(session.out, session.format, json::value(std::move(done)));
    return {};
  }
  const char* done = command.verb == Verb::add      ? "registered zone "
                     : command.verb == Verb::mode   ? "set the mode of zone "
                     : command.verb == Verb::remove ? "deleted zone and its resources: "
                                                    : "let the held publication through: ";
  session.out << done << command.zone << '\n';
  if (command.verb == Verb::remove) {
    session.out << "A valid token registers it again; `zonesync-hub token revoke` takes it away.\n";
  }
  return {};
}

}  // namespace zonesync::cli
