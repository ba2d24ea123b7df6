#include "server/admin/tests/json_schema.hpp"

#include <regex>
#include <set>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace zonesync::admin::testing {
namespace {

namespace json = boost::json;

std::string text_of(json::string_view view) { return {view.data(), view.size()}; }

bool has_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  return type == "number" && value.is_number();
}

class Checker {
 public:
  explicit Checker(const json::value& document) : document_(document) {}

  void check(const json::value& node, const json::value& value, const std::string& at) {
    const json::value* schema = resolve(document_, node);
    if (schema == nullptr || !schema->is_object()) return add(at, "schema cannot be resolved");
    for (const auto& member : schema->get_object()) {
      keyword(text_of(member.key()), member.value(), schema->get_object(), value, at);
    }
  }

  std::vector<std::string> findings;

 private:
  void add(const std::string& at, const std::string& what) {
    findings.push_back((at.empty() ? "/" : at) + ": " + what);
  }

  void keyword(const std::string& name, const json::value& rule, const json::object& schema,
               const json::value& value, const std::string& at) {
    static const std::set<std::string> notes{"description", "default", "properties"};
    if (name == "type") return type(rule, value, at);
    if (name == "enum") return one_of(rule, value, at);
    if (name == "required") return required(rule, value, at);
    if (name == "items") return items(rule, value, at);
    if (name == "pattern") return pattern(rule, value, at);
    if (name == "allOf") return all_of(rule, value, at);
    if (name == "additionalProperties" || name == "unevaluatedProperties") {
      return others(rule, schema, value, at);
    }
    if (name == "minimum" || name == "maximum") return bound(name, rule, value, at);
    if (name == "minItems" || name == "maxItems") return length(name, rule, value, at);
    if (!notes.contains(name)) add(at, "the checker does not know '" + name + "'");
    if (name == "properties" && value.is_object()) {
      for (const auto& member : rule.get_object()) {
        const json::value* found = value.get_object().if_contains(member.key());
        if (found != nullptr) check(member.value(), *found, at + '/' + text_of(member.key()));
      }
    }
  }

  void type(const json::value& rule, const json::value& value, const std::string& at) {
    const json::array types = rule.is_array() ? rule.get_array() : json::array{rule};
    for (const json::value& one : types) {
      if (has_type(value, one.get_string())) return;
    }
    add(at, "is not " + json::serialize(rule) + ": " + json::serialize(value).substr(0, 80));
  }

  void one_of(const json::value& rule, const json::value& value, const std::string& at) {
    for (const json::value& one : rule.get_array()) {
      if (one == value) return;
    }
    add(at, json::serialize(value) + " is none of " + json::serialize(rule));
  }

  void required(const json::value& rule, const json::value& value, const std::string& at) {
    if (!value.is_object()) return;
    for (const json::value& name : rule.get_array()) {
      if (!value.get_object().contains(name.get_string())) {
        add(at, "lacks '" + text_of(name.get_string()) + "'");
      }
    }
  }

  void items(const json::value& rule, const json::value& value, const std::string& at) {
    if (!value.is_array()) return;
    for (std::size_t i = 0; i < value.get_array().size(); ++i) {
      check(rule, value.get_array()[i], at + '/' + std::to_string(i));
    }
  }

  void pattern(const json::value& rule, const json::value& value, const std::string& at) {
    if (!value.is_string()) return;
    if (!std::regex_search(text_of(value.get_string()), std::regex(text_of(rule.get_string())))) {
      add(at, "does not match the pattern");
    }
  }

  void all_of(const json::value& rule, const json::value& value, const std::string& at) {
    for (const json::value& one : rule.get_array()) check(one, value, at);
  }

  /// Names that `schema` and what it is composed of declare.
  void declared(const json::object& schema, std::set<std::string>& names) {
    if (const json::value* properties = schema.if_contains("properties")) {
      for (const auto& member : properties->get_object()) names.insert(text_of(member.key()));
    }
    if (const json::value* parts = schema.if_contains("allOf")) {
      for (const json::value& part : parts->get_array()) {
        const json::value* target = resolve(document_, part);
        if (target != nullptr) declared(target->get_object(), names);
      }
    }
  }

  void others(const json::value& rule, const json::object& schema, const json::value& value,
              const std::string& at) {
    if (!value.is_object()) return;
    std::set<std::string> names;
    declared(schema, names);
    for (const auto& member : value.get_object()) {
      const std::string name = text_of(member.key());
      if (names.contains(name)) continue;
      if (rule.is_object()) {
        check(rule, member.value(), at + '/' + name);
      } else if (!rule.get_bool()) {
        add(at, "undocumented '" + name + "'");
      }
    }
  }

  void bound(const std::string& name, const json::value& rule, const json::value& value,
             const std::string& at) {
    if (!value.is_number()) return;
    const auto number = value.to_number<double>();
    const auto limit = rule.to_number<double>();
    if (name == "minimum" ? number < limit : number > limit) add(at, "breaks the " + name);
  }

  void length(const std::string& name, const json::value& rule, const json::value& value,
              const std::string& at) {
    if (!value.is_array()) return;
    const auto limit = rule.to_number<std::size_t>();
    const std::size_t size = value.get_array().size();
    if (name == "minItems" ? size < limit : size > limit) add(at, "breaks " + name);
  }

  const json::value& document_;
};

}  // namespace

const json::value* resolve(const json::value& document, const json::value& node) {
  const json::value* current = &node;
  for (int depth = 0; depth < 8; ++depth) {
    if (!current->is_object()) return current;
    const json::value* reference = current->get_object().if_contains("$ref");
    if (reference == nullptr) return current;
    boost::system::error_code missing;
    const std::string pointer = text_of(reference->get_string()).substr(1);
    current = document.find_pointer(pointer, missing);
    if (current == nullptr) return nullptr;
  }
  return nullptr;
}

std::vector<std::string> schema_findings(const json::value& document, const json::value& schema,
                                         const json::value& value) {
  Checker checker(document);
  checker.check(schema, value, "");
  return checker.findings;
}

}  // namespace zonesync::admin::testing
