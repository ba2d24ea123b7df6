// `get TYPE [NAME]`, `get types`, `delete`, `history`.
#include <istream>
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/type_names.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kPageSize = "1000";
constexpr std::string_view kDefaultMesh = "default";

std::string labels_text(const json::value& resource) {
  std::string text;
  const json::value* labels = member(resource, "labels");
  if (labels == nullptr || !labels->is_object()) return text;
  for (const auto& label : labels->get_object()) {
    if (!text.empty()) text += ',';
    text += std::string(label.key()) + '=';
    text += text_of(*labels, label.key());
  }
  return text;
}

std::string number_text(const json::value& value, std::string_view name) {
  const auto number = number_of(value, name);
  return number ? std::to_string(*number) : std::string();
}

Outcome<json::array> fetch_pages(Api& api, const Target& list, const GetCommand& command) {
  json::array items;
  std::string offset;
  do {
    Target page = list;
    page.query_if("origin", command.origin).query_if("rev", command.revision);
    page.query("size", kPageSize).query_if("offset", offset);
    Outcome<json::value> answer = api.get(page.text());
    if (!answer) return give_up(answer.error());
    const json::array* found = array_of(*answer, "items");
    if (found == nullptr) return give_up(Exit::failed, "the hub's list has no items");
    items.insert(items.end(), found->begin(), found->end());
    std::string next = text_of(*answer, "next");
    if (next.empty()) next = number_text(*answer, "next");
    if (!next.empty() && (next == offset || found->empty())) {
      return give_up(Exit::failed, "the hub's list does not come to an end");
    }
    offset = std::move(next);
  } while (!offset.empty() && api.surroundings().keep_going());
  return items;
}

void print_list(Session& session, const TypeInfo& info, json::array items) {
  if (session.format == Format::json) {
    json::object list;
    list["items"] = std::move(items);
    print_value(session.out, session.format, json::value(std::move(list)));
    return;
  }
  if (session.format == Format::yaml) {
    bool first = true;
    for (const json::value& item : items) {
      const json::value* resource = member(item, "resource");
      if (resource == nullptr) continue;
      session.out << (first ? "" : "---\n") << resource_yaml(*resource);
      first = false;
    }
    return;
  }
  const bool meshes = info.scope == TypeScope::mesh;
  std::vector<std::string> header = {"NAME", "ORIGIN", "REVISION"};
  if (meshes) header.insert(header.begin(), "MESH");
  if (session.format == Format::wide) header.emplace_back("LABELS");
  Table table(std::move(header));
  for (const json::value& item : items) {
    const json::value* resource = member(item, "resource");
    if (resource == nullptr) continue;
    std::vector<std::string> row;
    if (meshes) row.push_back(text_of(*resource, "mesh"));
    row.push_back(text_of(*resource, "name"));
    row.push_back(text_of(item, "origin"));
    row.push_back(number_text(item, "revision"));
    if (session.format == Format::wide) row.push_back(labels_text(*resource));
    table.add(std::move(row));
  }
  session.out << table.text();
}

Outcome<void> print_one(Session& session, const TypeInfo& info, Target target,
                        const GetCommand& command) {
  target.query_if("origin", command.origin).query_if("rev", command.revision);
  HttpClientRequest request;
  request.target = target.text();
  const Outcome<HttpResponse> response = session.api.call(std::move(request));
  if (!response) return give_up(response.error());
  if (session.format == Format::json) {
    session.out << response->body << '\n';
    return {};
  }
  const Outcome<json::value> resource = body_of(*response);
  if (!resource) return give_up(resource.error());
  if (session.format == Format::yaml) {
    session.out << resource_yaml(*resource);
    return {};
  }
  std::string revision(response->headers.get("ETag"));
  std::erase(revision, '"');
  json::object item;
  item["origin"] = command.origin.empty() ? std::string(kGlobalOrigin) : command.origin;
  item["revision"] = revision;
  item["resource"] = *resource;
  print_list(session, info, json::array{json::value(std::move(item))});
  return {};
}

Outcome<void> print_types(Session& session) {
  const Outcome<json::value> answer = session.api.get("/types");
  if (!answer) return give_up(answer.error());
  if (!for_people(session.format)) {
    print_value(session.out, session.format, *answer);
    return {};
  }
  Table table({"TYPE", "PLURAL", "SCOPE", "GLOBAL-TO-ZONES", "ZONE-TO-GLOBAL", "ACROSS-ZONES"});
  const json::array* items = array_of(*answer, "items");
  if (items == nullptr) return give_up(Exit::failed, "the hub's list of types has no items");
  const auto mark = [](const json::value& entry, std::string_view flag) {
    return std::string(flag_of(entry, flag) ? "yes" : "-");
  };
  for (const json::value& entry : *items) {
    table.add({text_of(entry, "name"), text_of(entry, "plural"), text_of(entry, "scope"),
               mark(entry, "global_to_zones"), mark(entry, "zone_to_global"),
               mark(entry, "synced_across_zones")});
  }
  session.out << table.text();
  return {};
}

}  // namespace

Outcome<Target> resource_target(const TypeInfo& info, const std::string& mesh,
                                const std::string& name) {
  if (info.scope == TypeScope::global) {
    if (!mesh.empty()) {
      return give_up(Exit::usage, "a " + info.name + " lives outside meshes", "leave out --mesh");
    }
    return name.empty() ? Target{info.plural} : Target{info.plural, name};
  }
  if (name.empty()) return mesh.empty() ? Target{info.plural} : Target{"meshes", mesh, info.plural};
  return Target{"meshes", mesh.empty() ? kDefaultMesh : mesh, info.plural, name};
}

Outcome<void> run_get(Session& session, const GetCommand& command) {
  if (means_zones(command.type)) return run_get_zones(session, command);
  if (command.watch) {
    return give_up(Exit::usage, "-w shows zones only",
                   "`zonesync watch " + command.type + "` follows resources");
  }
  if (command.type == "types" && command.name.empty()) return print_types(session);
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  const Outcome<const TypeInfo*> info = resolve_type(*registry, command.type);
  if (!info) return give_up(info.error());
  const Outcome<Target> target = resource_target(**info, command.mesh, command.name);
  if (!target) return give_up(target.error());
  if (!command.name.empty()) return print_one(session, **info, *target, command);
  Outcome<json::array> items = fetch_pages(session.api, *target, command);
  if (!items) return give_up(items.error());
  print_list(session, **info, std::move(*items));
  return {};
}

namespace {

/// `answer` of a dry run says so.
json::value marked(json::value answer, bool dry_run) {
  if (dry_run && answer.is_object()) answer.get_object()["dry_run"] = true;
  return answer;
}

Outcome<void> check_delete(const DeleteCommand& command, const TypeInfo& info) {
  if (!command.cascade && command.wait) {
    return give_up(Exit::usage, "--wait is for --cascade", "leave it out");
  }
  if (!command.cascade) return {};
  if (info.name != "Mesh") return give_up(Exit::usage, "--cascade is for meshes", "leave it out");
  if (command.if_match.empty()) return {};
  return give_up(Exit::usage, "--cascade removes all that is in the mesh and knows no --if-match",
                 "leave one of them out; --dry-run shows what a cascade would remove");
}

}  // namespace

Outcome<std::optional<std::uint64_t>> parse_if_match(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto revision = parse_number(text);
  if (revision) return revision;
  return give_up(Exit::usage, "'" + one_line(text) + "' is not a revision",
                 "--if-match takes the REVISION that `zonesync get` shows");
}

Outcome<void> run_delete(Session& session, const DeleteCommand& command) {
  if (means_zones(command.type)) {
    return give_up(Exit::usage, "zones are deleted with all their resources by `zonesync zones rm`",
                   "zonesync zones rm " + command.name);
  }
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  const Outcome<const TypeInfo*> info = resolve_type(*registry, command.type);
  if (!info) return give_up(info.error());
  if (const auto fits = check_delete(command, **info); !fits) return give_up(fits.error());
  const Outcome<std::optional<std::uint64_t>> if_match = parse_if_match(command.if_match);
  if (!if_match) return give_up(if_match.error());
  if (command.cascade) return delete_mesh(session, command);
  Outcome<Target> target = resource_target(**info, command.mesh, command.name);
  if (!target) return give_up(target.error());
  if (command.dry_run) target->query("dryRun", "true");
  HttpClientRequest request;
  request.method = "DELETE";
  request.target = target->text();
  if (*if_match) request.headers.add("If-Match", '"' + std::to_string(**if_match) + '"');
  const Outcome<HttpResponse> response = session.api.call(std::move(request));
  if (!response) return give_up(response.error());
  const Outcome<json::value> answer = body_of(*response);
  if (!answer) return give_up(answer.error());
  if (!for_people(session.format)) {
    print_value(session.out, session.format, marked(*answer, command.dry_run));
  } else {
    const std::string revision = number_text(*answer, "revision");
    session.out << (command.dry_run ? "would remove " : "removed ") << (*info)->name << ' '
                << one_line(command.name);
    if (!command.dry_run && !revision.empty()) session.out << " at revision " << revision;
    session.out << '\n';
  }
  if (text_of(*answer, "action") == "absent") {
    return give_up(Exit::not_found, (*info)->name + " '" + command.name + "' was not there");
  }
  if ((*info)->name == "Mesh") tell_what_is_left(session, command);
  return {};
}

Outcome<void> run_history(Session& session, const HistoryCommand& command) {
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  const Outcome<const TypeInfo*> info = resolve_type(*registry, command.type);
  if (!info) return give_up(info.error());
  const Outcome<Target> resource = resource_target(**info, command.mesh, command.name);
  if (!resource) return give_up(resource.error());
  Target target = *resource;
  target.segment("history")
      .query_if("origin", command.origin)
      .query("limit", std::to_string(command.limit));
  const Outcome<json::value> answer = session.api.get(target.text());
  if (!answer) return give_up(answer.error());
  if (!for_people(session.format)) {
    print_value(session.out, session.format, *answer);
    return {};
  }
  const json::array* items = array_of(*answer, "items");
  if (items == nullptr) return give_up(Exit::failed, "the hub's history has no items");
  Table table({"REVISION", "WHAT", "ORIGIN", "SPEC"});
  constexpr std::size_t kShown = 80;
  for (const json::value& item : *items) {
    const json::value* resource_now = member(item, "resource");
    const json::value* spec = resource_now ? member(*resource_now, "spec") : nullptr;
    std::string shown = spec ? text::write_canonical(*spec) : std::string();
    if (session.format == Format::table && shown.size() > kShown) {
      std::size_t end = kShown;
      while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xc0) == 0x80) --end;
      shown = shown.substr(0, end) + "...";
    }
    table.add({number_text(item, "revision"), text_of(item, "kind"), text_of(item, "origin"),
               std::move(shown)});
  }
  session.out << table.text();
  return {};
}

}  // namespace zonesync::cli
