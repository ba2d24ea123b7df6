#include "conformance/parity/documents.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <sstream>

#include "conformance/parity/rng.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/resource_fields.hpp"
#include "protocol/text/resource_text.hpp"
#include "protocol/text/yaml_reader.hpp"

namespace zonesync::conform::parity {
namespace {

namespace json = boost::json;

/// One document with its place; an error where it is none.
struct Raw {
  std::string place;
  Result<json::value> value;
};

Result<std::string> whole(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  std::ostringstream text;
  if (!input || !(text << input.rdbuf())) {
    return fail(ErrorCode::not_found, "cannot read the file, or it is empty", file);
  }
  if (text.str().size() > limits::kFileMaxBytes) {
    return fail(ErrorCode::too_large, "the file is over 64 MiB; split it", file);
  }
  return text.str();
}

Status read_json(const std::string& file, const std::string& text, std::vector<Raw>& found) {
  auto value = text::parse_json(text);
  if (!value) return fail(value.error().code, value.error().message, file);
  if (!value->is_array()) {
    found.push_back({file + ":1", std::move(*value)});
    return {};
  }
  std::size_t number = 0;
  for (json::value& each : value->get_array()) {
    found.push_back({file + ": element " + std::to_string(number++), std::move(each)});
  }
  return {};
}

Status read_file(const std::string& file, std::vector<Raw>& found) {
  auto text = whole(file);
  if (!text) return fail(text.error());
  if (file.ends_with(".json")) return read_json(file, *text, found);
  for (const text::YamlChunk& chunk : text::split_yaml(*text)) {
    auto value = text::parse_yaml(chunk);
    if (value && value->is_null()) continue;
    found.push_back({file + ":" + std::to_string(chunk.line), std::move(value)});
  }
  return {};
}

std::string text_of(const json::value& document, std::string_view field) {
  const json::value* value =
      document.is_object() ? document.get_object().if_contains(field) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The types of a run: the default ones, and what its documents need beyond them.
class Types {
 public:
  Types() {
    const TypeRegistry known = TypeRegistry::with_default_types();
    for (const TypeInfo* type : known.all()) {
      types_.emplace(type->name, *type);
    }
  }
  /// Makes sure that the document's type travels.
  void need(const json::value& document) {
    const std::string type = text_of(document, "type");
    if (type.empty()) return;
    const auto found = types_.find(type);
    if (found == types_.end()) {
      TypeInfo info;
      info.name = type;
      for (const char letter : type) {
        info.plural += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      }
      info.plural += "-of-the-run";
      const bool in_mesh = document.get_object().contains("mesh");
      info.scope = in_mesh ? TypeScope::mesh : TypeScope::global;
      info.legacy = true;
      types_.emplace(type, std::move(info));
    } else if (found->second.global_to_zones || found->second.zone_to_global) {
      return;
    }
    types_[type].global_to_zones = types_[type].provided_by_global = true;
    registered_.push_back(type);
  }
  /// A type with a wrong name is left out: its documents are skipped with that reason.
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const {
    TypeRegistry all;
    for (const auto& [name, info] : types_) (void)all.add(info);
    return std::make_shared<const TypeRegistry>(std::move(all));
  }
  [[nodiscard]] const std::vector<std::string>& registered() const { return registered_; }

 private:
  std::map<std::string, TypeInfo> types_;
  std::vector<std::string> registered_;
};

/// Facts about where a document came from; here they are decided anew.
void forget_origin(json::object& document) {
  json::value* labels = document.if_contains("labels");
  if (labels == nullptr || !labels->is_object()) return;
  labels->get_object().erase(kOriginLabel);
  labels->get_object().erase(kZoneLabel);
}

std::string owner_of(const TypeInfo& type, Rng& rng) {
  constexpr unsigned kOfZonesPercent = 33;
  if (!type.provided_by_global) return std::string(kOwnerZone);
  const bool either = type.zone_to_global;
  return std::string(either && rng.chance(kOfZonesPercent) ? kOwnerZone : kGlobalOrigin);
}

Result<Resource> resource_of(json::value document, const TypeRegistry& registry,
                             const std::string& owner) {
  const TypeInfo* type = registry.find(text_of(document, "type"));
  if (document.is_object()) {
    forget_origin(document.get_object());
    // Kuma's own test data names a mesh on types that live outside meshes.
    if (type != nullptr && type->scope == TypeScope::global) document.get_object().erase("mesh");
  }
  auto resource = text::resource_from_value(std::move(document), registry, {owner, true, nullptr});
  if (!resource) return resource;
  if (auto may = may_write(registry, Writer{owner}, *resource); !may) return fail(may.error());
  return resource;
}

}  // namespace

Result<Documents> read_documents(const std::vector<std::string>& files, std::uint64_t seed) {
  std::vector<Raw> raw;
  Documents all;
  for (const std::string& file : files) {
    if (auto read = read_file(file, raw); !read) return fail(read.error());
    all.source += (all.source.empty() ? "" : ", ") + file.substr(file.rfind('/') + 1);
  }
  Types types;
  for (const Raw& each : raw) {
    if (each.value) types.need(*each.value);
  }
  all.registry = types.registry();
  all.registered = types.registered();
  Rng rng(seed);
  std::map<std::string, std::string> owners;   // by key without origin: versions stay together
  for (Raw& each : raw) {
    ++all.documents;
    if (!each.value) {
      all.skipped.push_back(each.place + ": " + describe(each.value.error()));
      continue;
    }
    const TypeInfo* type = all.registry->find(text_of(*each.value, "type"));
    const std::string key = text_of(*each.value, "type") + "/" + text_of(*each.value, "mesh") +
                            "/" + text_of(*each.value, "name");
    if (type != nullptr && !owners.contains(key)) owners[key] = owner_of(*type, rng);
    auto resource = resource_of(std::move(*each.value), *all.registry,
                                type != nullptr ? owners[key] : std::string(kGlobalOrigin));
    if (!resource) {
      all.skipped.push_back(each.place + ": " + describe(resource.error()));
      continue;
    }
    all.versions.push_back(std::move(*resource));
  }
  return all;
}

std::string to_yaml(const Documents& documents) {
  std::string text;
  for (const Resource& each : documents.versions) {
    Resource plain = each;
    plain.key.origin = kGlobalOrigin;   // who owns it is decided where it is read
    text += "---\n" + resource_to_yaml(plain);
  }
  return text;
}

}  // namespace zonesync::conform::parity
