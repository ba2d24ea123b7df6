// `sync errors`: what is refused, by whom, why.
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

std::string name_text(const json::value& item) {
  const json::value* key = member(item, "key");
  if (key == nullptr) return {};
  const std::string mesh = text_of(*key, "mesh");
  return text_of(*key, "type") + ' ' + (mesh.empty() ? "" : mesh + '/') + text_of(*key, "name");
}

}  // namespace

Outcome<void> run_sync_errors(Session& session, const SyncErrorsCommand& command) {
  Target target{"sync", "errors"};
  target.query_if("zone", command.zone);
  const Outcome<json::value> answer = session.api.get(target.text());
  if (!answer) return give_up(answer.error());
  const json::array* items = array_of(*answer, "items");
  if (items == nullptr) return give_up(Exit::failed, "the hub's list has no items");
  if (!for_people(session.format)) {
    print_value(session.out, session.format, *answer);
    return {};
  }
  Table table({"ZONE", "REFUSED-BY", "RESOURCE", "REVISION", "CODE", "FIELD", "SINCE", "REASON"});
  for (const json::value& item : *items) {
    const bool down = text_of(item, "direction") == "down";
    const auto since = static_cast<std::int64_t>(number_of(item, "at_ms").value_or(0));
    table.add({text_of(item, "zone"), down ? "zone" : "hub", name_text(item),
               std::to_string(number_of(item, "revision").value_or(0)), text_of(item, "code"),
               text_of(item, "field"), ago_text(session.now_ms, since), text_of(item, "text")});
  }
  session.out << table.text();
  const std::uint64_t total = number_of(*answer, "total").value_or(0);
  if (total > items->size()) session.out << "and " << total - items->size() << " more\n";
  return {};
}

}  // namespace zonesync::cli
