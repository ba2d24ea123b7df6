#include "server/admin/tests/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"
#include "protocol/text/yaml_reader.hpp"
#include "server/admin/tests/json_schema.hpp"

namespace zonesync::admin::testing {
namespace {

namespace json = boost::json;

constexpr const char* kMethods[] = {"get", "put", "post", "delete"};

std::string text_of(json::string_view view) { return {view.data(), view.size()}; }

/// NDJSON and event streams: the JSON of each line.
std::vector<std::string> documents_of(std::string_view type, const std::string& body) {
  if (type != "application/x-ndjson" && type != "text/event-stream") return {body};
  std::vector<std::string> lines;
  std::istringstream stream(body);
  for (std::string line; std::getline(stream, line);) {
    if (type == "text/event-stream") {
      if (!line.starts_with("data: ")) continue;
      line.erase(0, 6);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

const OpenApi& OpenApi::document() {
  static const OpenApi made;
  return made;
}

OpenApi::OpenApi() {
  std::ifstream file(ZONESYNC_SOURCE_DIR "/docs/openapi.yaml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Result<json::value> value = text::parse_yaml({text, 1});
  if (!value) {
    std::fprintf(stderr, "docs/openapi.yaml: %s\n", describe(value.error()).c_str());
    std::abort();
  }
  root_ = std::move(*value);
}

std::vector<OpenApi::Operation> OpenApi::operations() const {
  std::vector<Operation> out;
  for (const auto& path : root_.at("paths").as_object()) {
    const json::object& item = path.value().as_object();
    for (const char* method : kMethods) {
      const json::value* found = item.if_contains(method);
      if (found == nullptr) continue;
      Operation operation;
      operation.method = method;
      std::transform(operation.method.begin(), operation.method.end(), operation.method.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      operation.path = text_of(path.key());
      if (const json::value* role = found->as_object().if_contains("x-role")) {
        operation.role = text_of(role->as_string());
      }
      for (const json::object* holder : {&item, &found->as_object()}) {
        const json::value* parameters = holder->if_contains("parameters");
        if (parameters == nullptr) continue;
        for (const json::value& parameter : parameters->as_array()) {
          const json::object& one = resolve(root_, parameter)->as_object();
          const std::string name = text_of(one.at("name").as_string());
          if (one.at("in") == "path") operation.path_parameters.insert(name);
          if (one.at("in") == "query") operation.query.insert(name);
        }
      }
      out.push_back(std::move(operation));
    }
  }
  return out;
}

const json::value* OpenApi::operation(std::string_view method, std::string_view pattern) const {
  const json::value* path = root_.at("paths").as_object().if_contains(pattern);
  if (path == nullptr) return nullptr;
  std::string lower(method);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return path->as_object().if_contains(lower);
}

std::vector<std::string> OpenApi::findings(std::string_view method, std::string_view pattern,
                                           const HttpResponse& response) const {
  const json::value* found = operation(method, pattern);
  const std::string status = std::to_string(response.status);
  const json::value* node = &root_.at("components").at("responses").at("Problem");
  if (found != nullptr) {
    const json::object& responses = found->as_object().at("responses").as_object();
    const json::value* exact = responses.if_contains(status);
    if (exact == nullptr && response.status < 400) return {"undocumented status " + status};
    node = resolve(root_, exact != nullptr ? *exact : responses.at("default"));
  }
  std::vector<std::string> out;
  const json::value* headers = node->as_object().if_contains("headers");
  for (const char* name : {"ETag", "Zonesync-Outcome", "Allow", "Retry-After",
                           "WWW-Authenticate", "Accept-Encoding"}) {
    if (!response.headers.has(name)) continue;
    if (headers == nullptr || !headers->as_object().contains(name)) {
      out.push_back("undocumented header " + std::string(name));
    }
  }
  const json::value* content = node->as_object().if_contains("content");
  if (content == nullptr) {
    if (!response.body.empty()) out.push_back("a body where none is documented");
    return out;
  }
  const std::string_view header = response.headers.get("Content-Type");
  const std::string type(header.substr(0, header.find(';')));
  const json::value* media = content->as_object().if_contains(type);
  if (media == nullptr) {
    out.push_back("undocumented content type '" + type + "' with status " + status);
    return out;
  }
  if (type == "text/plain") return out;
  for (const std::string& text : documents_of(type, response.body)) {
    const Result<json::value> value = text::parse_json(text);
    if (!value) {
      out.push_back("not JSON: " + describe(value.error()));
      continue;
    }
    for (std::string& finding : schema_findings(root_, media->at("schema"), *value)) {
      out.push_back(std::move(finding));
    }
  }
  return out;
}

}  // namespace zonesync::admin::testing
