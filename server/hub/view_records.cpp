#include "server/hub/view_records.hpp"

#include <boost/json.hpp>

#include "server/hub/scope_json.hpp"
#include "server/hub/system_entry_body.hpp"

namespace zonesync::hub {
namespace {

namespace json = boost::json;

json::array labels_json(const std::vector<std::string>& labels) {
  json::array out;
  for (const std::string& label : labels) out.emplace_back(label);
  return out;
}

/// The types of a registry that decide views, without what does not matter to them.
json::array table_of(const TypeRegistry& registry) {
  json::array table;
  for (const TypeInfo* info : registry.all()) {
    if (!info->global_to_zones && !info->synced_across_zones) continue;
    const int flags = (info->global_to_zones ? 1 : 0) + (info->synced_across_zones ? 2 : 0);
    table.emplace_back(json::array{info->name, flags, labels_json(info->scope_labels)});
  }
  return table;
}

std::shared_ptr<const TypeRegistry> registry_of(const json::array& table) {
  auto registry = std::make_shared<TypeRegistry>();
  for (const json::value& row : table) {
    const json::array& cells = row.as_array();
    const auto flags = cells.at(1).to_number<int>();
    TypeInfo info;
    info.name = std::string(cells.at(0).as_string());
    info.plural = "t" + std::to_string(registry->all().size());
    info.global_to_zones = (flags & 1) != 0;
    info.synced_across_zones = (flags & 2) != 0;
    info.zone_to_global = info.synced_across_zones;
    for (const json::value& label : cells.at(2).as_array()) {
      info.scope_labels.emplace_back(label.as_string());
    }
    (void)registry->add(std::move(info));  // a refused one changes the id: the view is left out
  }
  return registry;
}

}  // namespace

bool remember(ViewsRecord& record, const View& view) {
  if (!record.views.empty() && record.views.back().id() == view.id()) return false;
  std::erase_if(record.views, [&](const View& old) { return old.id() == view.id(); });
  record.views.push_back(view);
  if (record.views.size() > kViewsKept) record.views.pop_front();
  return true;
}

ResourceKey views_key(const std::string& zone) { return system_key(kViewsType, zone); }
ResourceKey type_key(const std::string& type) { return system_key(kTypeType, type); }

Change encode(const ViewsRecord& record) {
  json::array tables;
  json::array views;
  for (const View& view : record.views) {
    json::array table = table_of(view.registry());
    if (tables.empty() || tables.back() != json::value(table)) tables.emplace_back(table);
    const ViewSpec& spec = view.spec();
    json::object item = scope_to_json({spec.types, spec.meshes, spec.labels});
    item["id"] = to_hex(view.id().id);
    item["withheld"] = names_to_json(spec.withheld_origins);
    item["table"] = tables.size() - 1;
    views.emplace_back(std::move(item));
  }
  return make_system(views_key(record.zone), {{"request", scope_to_json(record.request)},
                                             {"views", std::move(views)},
                                             {"tables", std::move(tables)}});
}

Result<ViewsRecord> decode_views(const Change& change) {
  return read_system<ViewsRecord>(change, [](const ResourceKey& key, const json::object& body) {
    ViewsRecord record;
    record.zone = key.name;
    record.request = scope_from_json(body.at("request").as_object());
    std::vector<std::shared_ptr<const TypeRegistry>> tables;
    for (const json::value& table : body.at("tables").as_array()) {
      tables.push_back(registry_of(table.as_array()));
    }
    for (const json::value& item : body.at("views").as_array()) {
      const json::object& flat = item.as_object();
      const ZoneScope scope = scope_from_json(flat);
      ViewSpec spec;
      spec.zone = record.zone;
      spec.types = scope.types;
      spec.meshes = scope.meshes;
      spec.labels = scope.labels;
      spec.withheld_origins = names_from_json(flat.at("withheld"));
      const auto& table = tables.at(flat.at("table").to_number<std::size_t>());
      View view(std::move(spec), table);
      if (to_hex(view.id().id) == flat.at("id").as_string()) record.views.push_back(view);
    }
    return record;
  });
}

Change encode(const TypeInfo& type) {
  return make_system(type_key(type.name),
                    {{"plural", type.plural},
                     {"scope", type.scope == TypeScope::mesh ? "mesh" : "global"},
                     {"global_to_zones", type.global_to_zones},
                     {"zone_to_global", type.zone_to_global},
                     {"synced_across_zones", type.synced_across_zones},
                     {"provided_by_global", type.provided_by_global},
                     {"legacy", type.legacy},
                     {"sensitive", type.sensitive},
                     {"rank", type.rank},
                     {"max_bytes", type.max_bytes},
                     {"scope_labels", labels_json(type.scope_labels)}});
}

Result<TypeInfo> decode_type(const Change& change) {
  return read_system<TypeInfo>(change, [](const ResourceKey& key, const json::object& body) {
    TypeInfo type;
    type.name = key.name;
    type.plural = std::string(body.at("plural").as_string());
    type.scope = body.at("scope").as_string() == "mesh" ? TypeScope::mesh : TypeScope::global;
    type.global_to_zones = body.at("global_to_zones").as_bool();
    type.zone_to_global = body.at("zone_to_global").as_bool();
    type.synced_across_zones = body.at("synced_across_zones").as_bool();
    type.provided_by_global = body.at("provided_by_global").as_bool();
    type.legacy = body.at("legacy").as_bool();
    type.sensitive = body.at("sensitive").as_bool();
    type.rank = body.at("rank").to_number<int>();
    type.max_bytes = body.at("max_bytes").to_number<std::size_t>();
    for (const json::value& label : body.at("scope_labels").as_array()) {
      type.scope_labels.emplace_back(label.as_string());
    }
    return type;
  });
}

}  // namespace zonesync::hub
