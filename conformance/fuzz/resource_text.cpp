// Bodies of the REST API and files of `apply`. What is accepted prints as canonical JSON that reads
// back as the same resource. The first byte chooses the format.
#include <cstdint>
#include <string_view>

#include "protocol/model/assert.hpp"
#include "protocol/text/resource_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zonesync;
  static const TypeRegistry registry = TypeRegistry::with_default_types();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  ParseOptions options;
  options.format = (data[0] & 1) != 0 ? TextFormat::json : TextFormat::yaml;
  options.lenient = (data[0] & 2) != 0;
  const auto documents = parse_documents(text, "input", registry, options);
  if (!documents) return 0;
  for (const ParsedDocument& document : *documents) {
    if (!document.resource) continue;
    const Resource& resource = *document.resource;
    const std::string json = resource_to_json(resource);
    const auto again = resource_from_json(json, resource.key, registry);
    ZS_ASSERT(again.has_value());
    ZS_ASSERT(resource_to_json(*again) == json);
  }
  return 0;
}
