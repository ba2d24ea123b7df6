// The pages that list what the model defines stay complete.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "protocol/model/type_registry.hpp"

namespace zonesync {
namespace {

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(ZONESYNC_SOURCE_DIR) + "/" + path).rdbuf();
  return text.str();
}

TEST(Docs, EveryLimitHasALine) {
  const std::string header = read("protocol/model/limits.hpp");
  const std::string page = read("docs/limits.md");
  const std::regex name("constexpr [a-z_0-9:]+ (k[A-Za-z0-9]+)");
  std::size_t found = 0;
  for (std::sregex_iterator it(header.begin(), header.end(), name), end; it != end; ++it) {
    ++found;
    EXPECT_NE(page.find("| `" + (*it)[1].str() + "` |"), std::string::npos) << (*it)[1];
  }
  EXPECT_GT(found, 40u);
}

std::string types_page() {
  std::string page =
      "# Resource types\n\n"
      "The registry a hub starts with: Kuma 2.14's table and the legacy types of 2.5. Operators "
      "add\n"
      "types in the configuration (`types:`). This page is made from the registry by a test\n"
      "(`ZONESYNC_UPDATE_DOCS=1` rewrites it).\n\n"
      "- *global to zones*: the global side provides it, every zone receives it.\n"
      "- *zone to global*: zones provide it, the hub receives it.\n"
      "- *across zones*: what one zone provides reaches the other zones.\n"
      "- *written at*: who may write it; a write elsewhere is refused and names the owner.\n\n"
      "| type | plural | scope | global to zones | zone to global | across zones | written at "
      "| rank | sensitive |\n|---|---|---|---|---|---|---|---|---|\n";
  const auto mark = [](bool set) { return std::string(set ? "yes" : "–"); };
  const TypeRegistry registry = TypeRegistry::with_default_types();
  for (const TypeInfo* type : registry.all()) {
    const std::string where = type->provided_by_global && type->zone_to_global ? "global, zone"
                              : type->provided_by_global                       ? "global"
                              : type->zone_to_global                           ? "zone"
                                                                               : "nobody";
    page += "| " + type->name + " | `" + type->plural + "` | " +
            (type->scope == TypeScope::mesh ? "mesh" : "global") + " | " +
            mark(type->global_to_zones) + " | " + mark(type->zone_to_global) + " | " +
            mark(type->synced_across_zones) + " | " + where + " | " +
            std::to_string(type->rank) + " | " + mark(type->sensitive) + " |\n";
  }
  return page;
}

TEST(Docs, TheTypesPageIsTheRegistry) {
  if (std::getenv("ZONESYNC_UPDATE_DOCS") != nullptr) {
    std::ofstream(std::string(ZONESYNC_SOURCE_DIR) + "/docs/types.md") << types_page();
  }
  EXPECT_EQ(read("docs/types.md"), types_page()) << "run it with ZONESYNC_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace zonesync
