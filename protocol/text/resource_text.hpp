// Resources as people write them (YAML, JSON) and as every tool prints them (canonical JSON).
// The only place where resource text is read or written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync {

enum class TextFormat : std::uint8_t {
  automatic,  // by file name (.json, .yaml, .yml), else by the first characters
  yaml,
  json,
};

struct ParseOptions {
  std::string origin{kGlobalOrigin};  // owner of every resource of the text
  bool lenient = false;               // keep unknown top-level fields under `spec`
  TextFormat format = TextFormat::automatic;
};

/// One document of a file. A refused document stands beside the good ones.
struct ParsedDocument {
  int line = 1;  // where the document starts
  Result<Resource> resource;
};

/// Reads all documents of a YAML stream, a JSON object or a JSON array of objects. Each document is
/// judged alone: its error's `field` is `file:line:column`, or `file:line /pointer` where a field
/// of the resource is wrong. Empty documents are skipped. The resources come out canonical: spec
/// and status as canonical JSON, derived labels removed (contradicting ones refused).
/// Errors of the whole text: too_large, invalid_argument (JSON syntax, with place).
[[nodiscard]] Result<std::vector<ParsedDocument>> parse_documents(std::string_view text,
                                                                  std::string_view file_name,
                                                                  const TypeRegistry& registry,
                                                                  const ParseOptions& options = {});

/// Reads the JSON body of a request for `key`. Type, mesh and name may be left out of the body; one
/// that contradicts `key` is refused. Errors: invalid_argument, not_found (type), too_large;
/// `field` is a JSON pointer, or `line:column` for a syntax error.
[[nodiscard]] Result<Resource> resource_from_json(std::string_view body, const ResourceKey& key,
                                                  const TypeRegistry& registry,
                                                  bool lenient = false);

/// Canonical JSON of {labels, mesh?, name, spec, status?, type}, derived labels included: the form
/// of mirrors and REST, byte for byte. `spec` and `status` must be canonical JSON already.
[[nodiscard]] std::string resource_to_json(const Resource& resource);
/// The same content as YAML 1.2, fields in the order people write them, ending in a newline.
[[nodiscard]] std::string resource_to_yaml(const Resource& resource);

}  // namespace zonesync
