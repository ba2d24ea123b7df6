// The suite tests itself: no deliberate bug survives it, and it passes the product without one.
#include <gtest/gtest.h>

#include <set>

#include "conformance/kills/matrix.hpp"

namespace zonesync::kills {
namespace {

TEST(Defects, HaveIdsOfTheirOwnAndAreMany) {
  std::set<std::uint32_t> ids;
  for (const Defect& defect : all_defects()) ids.insert(defect.id);
  EXPECT_EQ(ids.size(), all_defects().size());
  EXPECT_GE(ids.size(), 30u);
}

TEST(Order, CasesThatProveTheClauseComeFirst) {
  const auto cases = in_order_for("FLOW-22", "");
  EXPECT_EQ(cases.size(), conform::catalogue().size());
  const auto proves = [](const conform::Case* each) {
    return std::find(each->clauses.begin(), each->clauses.end(), "FLOW-22") != each->clauses.end();
  };
  ASSERT_TRUE(proves(cases.front()));
  EXPECT_TRUE(std::is_partitioned(cases.begin(), cases.end(), proves));
}

/// As docs/conformance-kill-matrix.md says. Never less: a case that finds less has lost something.
constexpr std::size_t kKilledAtLeast = 88;

TEST(Hunt, BugsAreKilledAndTheProductIsClean) {
  const auto rows = hunt({});
  EXPECT_TRUE(sums_of(rows).unmutated_clean) << to_text(rows);
  EXPECT_GE(sums_of(rows).killed, kKilledAtLeast) << to_text(rows);
}

// A case that finds nothing must not count as a kill: the report can say "survives".
TEST(Hunt, ABugThatNoChosenCaseLooksForSurvives) {
  HuntOptions options;
  options.only = {65};
  options.run = "^session[.]wrong-zone$";
  const auto rows = hunt(options);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_FALSE(sums_of(rows).good());
  EXPECT_NE(to_json(rows).find(R"("survivors":[65])"), std::string::npos);
  EXPECT_NE(to_markdown(rows).find("**survives**"), std::string::npos);
}

}  // namespace
}  // namespace zonesync::kills
