// The hub's configuration file: read, or refused with a place, never fatal.
#include <cstdint>
#include <string>

#include "protocol/model/assert.hpp"
#include "protocol/text/strict_yaml.hpp"
#include "server/config/hub_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zonesync;
  text::ConfigSources sources;
  sources.file_name = "hub.yaml";
  sources.text.assign(reinterpret_cast<const char*>(data), size);
  const auto read = text::read_config(hub_config_table(), sources);
  if (read) return 0;
  ZS_ASSERT(!read.error().empty());
  for (const Error& error : read.error()) ZS_ASSERT(!error.message.empty());
  return 0;
}
