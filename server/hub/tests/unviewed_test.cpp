// The rule of the log's second range agrees with the views: nothing that a zone may see is in it.
#include "server/hub/unviewed.hpp"

#include <gtest/gtest.h>

#include "server/hub/system_entries.hpp"

namespace zonesync::hub {
namespace {

/// The widest view there is.
View widest(const std::shared_ptr<const TypeRegistry>& types, const std::string& zone) {
  ViewSpec spec;
  spec.zone = zone;
  return View(spec, types);
}

TEST(Unviewed, OfEveryDefaultTypeExactlyWhatNoViewAdmits) {
  const auto types =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  const View west = widest(types, "west");
  std::size_t aside = 0;
  for (const TypeInfo* info : types->all()) {
    for (const std::string& origin : {std::string(kGlobalOrigin), std::string("east")}) {
      for (const std::string& tag : {std::string(), std::string(kHomeTag)}) {
        const Class cls{info->name, "default", origin, tag};
        EXPECT_EQ(is_unviewed(*types, cls), !west.admits(cls))
            << info->name << ' ' << origin << ' ' << tag;
        aside += is_unviewed(*types, cls) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(aside, 0u);
  EXPECT_TRUE(is_unviewed(*types, {"DataplaneInsight", "default", "east", ""}));
  EXPECT_FALSE(is_unviewed(*types, {"MeshTimeout", "default", "global", ""}));
}

TEST(Unviewed, ATypeThatIsNotRegisteredIsNotKnownToBeUnviewed) {
  EXPECT_FALSE(is_unviewed(TypeRegistry::with_default_types(), {"Later", "default", "east", ""}));
}

TEST(Unviewed, OfTheHubsOwnRecordsOnlyThoseThatNoSessionWaitsFor) {
  const TypeRegistry types = TypeRegistry::with_default_types();
  for (const auto type : {kUpCursorType, kOfferType, kIdempotencyType}) {
    EXPECT_TRUE(is_unviewed(types, {std::string(type), "", "global", ""})) << type;
  }
  for (const auto type : {kZoneType, kViewsType, kTypeType}) {
    EXPECT_FALSE(is_unviewed(types, {std::string(type), "", "global", ""}))
        << type << " changes what sessions may send";
  }
}

}  // namespace
}  // namespace zonesync::hub
