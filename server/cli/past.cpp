// `diff` and `revert`: what differs between two revisions, and the way back.
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/type_names.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kPageSize = "1000";

Outcome<const TypeInfo*> type_of(const TypeRegistry& registry, const std::string& word) {
  if (word.empty()) return nullptr;
  return resolve_type(registry, word);
}

std::string shown(const json::value* value) {
  return value == nullptr ? std::string("(none)") : text::write_canonical(*value);
}

std::string revision_of(const json::value& item, std::string_view side) {
  const json::value* version = member(item, side);
  const auto number = version == nullptr ? std::nullopt : number_of(*version, "revision");
  return number ? std::to_string(*number) : "-";
}

void print_versions(Session& session, const json::value& answer) {
  const json::value* before = member(answer, "before");
  const json::value* after = member(answer, "after");
  const auto there = [](const json::value* side) { return side != nullptr && side->is_object(); };
  if (!there(before) || !there(after)) {
    const json::value* whole = there(before) ? before : after;
    session.out << (there(before) ? "- " : "+ ") << "(whole) " << one_line(shown(whole)) << '\n';
    return;
  }
  const json::array* changes = array_of(answer, "changes");
  if (changes == nullptr || changes->empty()) {
    session.out << "no difference\n";
    return;
  }
  for (const json::value& change : *changes) {
    const std::string path = one_line(text_of(change, "path"));
    if (flag_of(change, "hidden")) {
      session.out << "~ " << path << " changed (value hidden)\n";
      continue;
    }
    const json::value* old_value = member(change, "before");
    const json::value* new_value = member(change, "after");
    const auto line = [&](const char* sign, const json::value* value) {
      if (value != nullptr) session.out << sign << path << ' ' << one_line(shown(value)) << '\n';
    };
    line("- ", old_value);
    line("+ ", new_value);
  }
}

Outcome<void> diff_one(Session& session, const TypeInfo& info, const DiffCommand& command) {
  const Outcome<Target> resource = resource_target(info, command.mesh, command.name);
  if (!resource) return give_up(resource.error());
  Target target = *resource;
  target.segment("diff")
      .query_if("origin", command.origin)
      .query_if("from", command.from)
      .query_if("to", command.to);
  const Outcome<json::value> answer = session.api.get(target.text());
  if (!answer) return give_up(answer.error());
  if (for_people(session.format)) {
    print_versions(session, *answer);
  } else {
    print_value(session.out, session.format, *answer);
  }
  return {};
}

Outcome<json::array> fetch_differences(Session& session, const Target& first) {
  json::array items;
  std::string offset;
  do {
    Target page = first;
    page.query_if("offset", offset);
    const Outcome<json::value> answer = session.api.get(page.text());
    if (!answer) return give_up(answer.error());
    const json::array* found = array_of(*answer, "items");
    if (found == nullptr) return give_up(Exit::failed, "the hub's answer has no items");
    items.insert(items.end(), found->begin(), found->end());
    std::string next = text_of(*answer, "next");
    if (!next.empty() && next == offset) {
      return give_up(Exit::failed, "the hub's list does not come to an end");
    }
    offset = std::move(next);
  } while (!offset.empty() && session.api.surroundings().keep_going());
  return items;
}

Outcome<void> diff_states(Session& session, const TypeInfo* info, const DiffCommand& command) {
  if (command.from.empty()) {
    return give_up(Exit::usage, "a difference of the whole state needs --from REVISION",
                   "or name one resource: zonesync diff TYPE NAME");
  }
  Target target{"diff"};
  target.query("from", command.from)
      .query_if("to", command.to)
      .query_if("type", info == nullptr ? std::string() : info->name)
      .query_if("mesh", command.mesh)
      .query_if("origin", command.origin)
      .query("size", kPageSize);
  Outcome<json::array> items = fetch_differences(session, target);
  if (!items) return give_up(items.error());
  if (!for_people(session.format)) {
    json::object list;
    list["items"] = std::move(*items);
    print_value(session.out, session.format, json::value(std::move(list)));
    return {};
  }
  Table table({"CHANGE", "TYPE", "MESH", "NAME", "ORIGIN", "BEFORE", "AFTER"});
  for (const json::value& item : *items) {
    const json::value* key = member(item, "key");
    if (key == nullptr) continue;
    table.add({text_of(item, "change"), text_of(*key, "type"), text_of(*key, "mesh"),
               text_of(*key, "name"), text_of(*key, "origin"), revision_of(item, "before"),
               revision_of(item, "after")});
  }
  session.out << table.text();
  return {};
}

void print_revert(Session& session, const json::value& answer, bool dry_run) {
  const json::array* outcomes = array_of(answer, "outcomes");
  if (outcomes == nullptr || outcomes->empty()) {
    session.out << "nothing to do: it is as it was\n";
    return;
  }
  Table table({dry_run ? "WOULD BE" : "ACTION", "TYPE", "MESH", "NAME"});
  for (const json::value& outcome : *outcomes) {
    const json::value* key = member(outcome, "key");
    if (key == nullptr) continue;
    table.add({text_of(outcome, "action"), text_of(*key, "type"), text_of(*key, "mesh"),
               text_of(*key, "name")});
  }
  session.out << table.text();
  const auto revision = number_of(answer, "revision");
  if (!dry_run && revision) session.out << "reverted at revision " << *revision << '\n';
}

}  // namespace

Outcome<void> run_diff(Session& session, const DiffCommand& command) {
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  const Outcome<const TypeInfo*> info = type_of(*registry, command.type);
  if (!info) return give_up(info.error());
  if (!command.name.empty()) return diff_one(session, **info, command);
  return diff_states(session, *info, command);
}

Outcome<void> run_revert(Session& session, const RevertCommand& command) {
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  const Outcome<const TypeInfo*> info = type_of(*registry, command.type);
  if (!info) return give_up(info.error());
  const auto revision = parse_number(command.revision);
  if (!revision) {
    return give_up(Exit::usage, "'" + one_line(command.revision) + "' is not a revision",
                   "zonesync revert REVISION [TYPE [NAME]]; `zonesync history` lists revisions");
  }
  json::object body;
  body["revision"] = *revision;
  if (*info != nullptr) body["type"] = (*info)->name;
  if (!command.name.empty()) body["name"] = command.name;
  std::string mesh = command.mesh;
  const bool in_mesh = *info != nullptr && (*info)->scope == TypeScope::mesh;
  if (mesh.empty() && in_mesh && !command.name.empty()) mesh = "default";
  if (!mesh.empty()) body["mesh"] = mesh;
  Target target{"revert"};
  if (command.dry_run) target.query("dryRun", "true");
  Outcome<json::value> answer =
      session.api.send("POST", target.text(), text::write_canonical(std::move(body)));
  if (!answer) return give_up(answer.error());
  if (for_people(session.format)) {
    print_revert(session, *answer, command.dry_run);
  } else {
    if (command.dry_run && answer->is_object()) answer->get_object()["dry_run"] = true;
    print_value(session.out, session.format, *answer);
  }
  return {};
}

}  // namespace zonesync::cli
