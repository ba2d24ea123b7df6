#include "protocol/text/resource_text.hpp"

#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/resource_fields.hpp"
#include "protocol/text/yaml_reader.hpp"
#include "protocol/text/yaml_writer.hpp"

namespace zonesync {
namespace {

using text::FieldRules;
using text::Marks;

bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || (text[first] != '{' && text[first] != '[')) return false;
  if (text[first] == '[') return true;
  const auto second = text.find_first_not_of(" \t\r\n", first + 1);
  return second != text.npos && (text[second] == '"' || text[second] == '}');
}

bool is_json(std::string_view text, std::string_view file_name, TextFormat format) {
  if (format != TextFormat::automatic) return format == TextFormat::json;
  if (file_name.ends_with(".json")) return true;
  if (file_name.ends_with(".yaml") || file_name.ends_with(".yml")) return false;
  return looks_like_json(text);
}

/// `file:line /pointer`, with the line of the field when it is known.
std::string place(std::string_view file, int line, const Marks& marks, const std::string& pointer) {
  if (const auto mark = marks.find(pointer); mark != marks.end()) line = mark->second.line;
  std::string text(file);
  text += ':' + std::to_string(line);
  if (!pointer.empty() && pointer != "/") text += ' ' + pointer;
  return text;
}

ParsedDocument judge(boost::json::value value, int line, const Marks& marks,
                     std::string_view file_name, const TypeRegistry& registry,
                     const FieldRules& rules) {
  Result<Resource> resource = text::resource_from_value(std::move(value), registry, rules);
  if (!resource) resource.error().field = place(file_name, line, marks, resource.error().field);
  return {line, std::move(resource)};
}

tl::unexpected<Error> too_many(std::string_view file_name) {
  return fail(ErrorCode::too_large,
              "the file has more than " + std::to_string(limits::kDocumentsMax) +
                  " documents; split it", std::string(file_name));
}

Result<std::vector<ParsedDocument>> parse_json_documents(std::string_view text,
                                                         std::string_view file_name,
                                                         const TypeRegistry& registry,
                                                         const FieldRules& rules) {
  Result<boost::json::value> value = text::parse_json(text);
  if (!value) {
    Error error = std::move(value.error());
    error.field = std::string(file_name) + ':' + error.field;
    return fail(std::move(error));
  }
  std::vector<ParsedDocument> documents;
  if (!value->is_array()) {
    documents.push_back(judge(std::move(*value), 1, {}, file_name, registry, rules));
    return documents;
  }
  auto& elements = value->get_array();
  if (elements.size() > limits::kDocumentsMax) return too_many(file_name);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    ParsedDocument document = judge(std::move(elements[i]), 1, {}, file_name, registry, rules);
    if (!document.resource) {
      std::string& message = document.resource.error().message;
      message = "element " + std::to_string(i) + ": " + message;
    }
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace

Result<std::vector<ParsedDocument>> parse_documents(std::string_view text,
                                                    std::string_view file_name,
                                                    const TypeRegistry& registry,
                                                    const ParseOptions& options) {
  if (text.size() > limits::kFileMaxBytes) {
    return fail(ErrorCode::too_large,
                "the file has more than " + std::to_string(limits::kFileMaxBytes) +
                    " bytes; split it", std::string(file_name));
  }
  const FieldRules rules{options.origin, options.lenient, nullptr};
  if (is_json(text, file_name, options.format)) {
    return parse_json_documents(text, file_name, registry, rules);
  }
  const std::vector<text::YamlChunk> chunks = text::split_yaml(text);
  if (chunks.size() > limits::kDocumentsMax) return too_many(file_name);
  std::vector<ParsedDocument> documents;
  for (const text::YamlChunk& chunk : chunks) {
    Marks marks;
    Result<boost::json::value> value = text::parse_yaml(chunk, &marks, 2);
    if (!value) {
      Error error = std::move(value.error());
      error.field = std::string(file_name) + ':' + error.field;
      documents.push_back({chunk.line, fail(std::move(error))});
    } else if (!value->is_null()) {
      documents.push_back(
          judge(std::move(*value), chunk.line, marks, file_name, registry, rules));
    }
  }
  return documents;
}

Result<Resource> resource_from_json(std::string_view body, const ResourceKey& key,
                                    const TypeRegistry& registry, bool lenient) {
  if (body.size() > limits::kDocumentMaxBytes) {
    return fail(ErrorCode::too_large,
                "the body has more than " + std::to_string(limits::kDocumentMaxBytes) + " bytes");
  }
  Result<boost::json::value> value = text::parse_json(body);
  if (!value) return fail(std::move(value.error()));
  return text::resource_from_value(std::move(*value), registry, {key.origin, lenient, &key});
}

std::string resource_to_json(const Resource& resource) {
  boost::json::object labels;
  for (const auto& [name, value] : labels_for_output(resource)) labels.emplace(name, value);
  // Members in canonical order; spec and status are canonical text already.
  std::string out = "{\"labels\":";
  out += text::write_canonical(boost::json::value(std::move(labels)));
  if (!resource.key.mesh.empty()) {
    out += ",\"mesh\":";
    text::append_canonical_string(out, resource.key.mesh);
  }
  out += ",\"name\":";
  text::append_canonical_string(out, resource.key.name);
  out += ",\"spec\":";
  out += resource.spec;
  if (!resource.status.empty()) {
    out += ",\"status\":";
    out += resource.status;
  }
  out += ",\"type\":";
  text::append_canonical_string(out, resource.key.type);
  out += '}';
  return out;
}

std::string resource_to_yaml(const Resource& resource) {
  const auto content = [](const std::string& canonical) {
    Result<boost::json::value> value = text::parse_json(canonical);
    // Not canonical JSON: show the bytes as text rather than nothing.
    return value ? std::move(*value) : boost::json::value(boost::json::string(canonical));
  };
  boost::json::object document;
  document["type"] = resource.key.type;
  if (!resource.key.mesh.empty()) document["mesh"] = resource.key.mesh;
  document["name"] = resource.key.name;
  boost::json::object labels;
  for (const auto& [name, value] : labels_for_output(resource)) labels.emplace(name, value);
  document["labels"] = std::move(labels);
  document["spec"] = content(resource.spec);
  if (!resource.status.empty()) document["status"] = content(resource.status);
  return text::write_yaml(boost::json::value(std::move(document)));
}

}  // namespace zonesync
