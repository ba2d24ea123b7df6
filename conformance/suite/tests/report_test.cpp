#include "conformance/suite/report.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include <boost/json/parse.hpp>

#include "conformance/adapters/self_hub.hpp"
#include "conformance/suite/clauses.hpp"
#include "conformance/suite/tests/fake_subject.hpp"

namespace zonesync::conform {
namespace {

namespace json = boost::json;

RunResult sample() {
  testing::FakeFactory factory;
  auto result = run_cases(testing::sample_cases(), factory, {.seed = 42});
  EXPECT_TRUE(result);
  return std::move(*result);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Report, TheClosingLineCountsCases) {
  EXPECT_EQ(closing_line(sample()), "2 passed, 1 failed, 1 skipped");
}

TEST(Report, TextShowsFailuresWithWhatWasSaid) {
  const std::string text = text_report(sample());
  EXPECT_TRUE(has(text, "seed 42"));
  EXPECT_TRUE(has(text, "failed  one.fails\n    v1 failed: SES-01: wrong <thing>"));
  EXPECT_TRUE(has(text, "said \"this\" & that"));
  EXPECT_FALSE(has(text, "one.passes"));
  EXPECT_TRUE(has(text, "clauses: "));
}

TEST(Report, JsonHasEveryVariantAndTheCoverage) {
  const auto report = json::parse(json_report(sample()));
  EXPECT_EQ(report.at("passed").to_number<int>(), 2);
  EXPECT_EQ(report.at("seed").to_number<int>(), 42);
  const auto& first = report.at("cases").as_array().front().as_object();
  EXPECT_EQ(first.at("outcome").as_string(), "failed");
  const auto& variants = first.at("variants").as_array();
  ASSERT_EQ(variants.size(), 2u);
  EXPECT_EQ(variants[1].at("text").as_string(), "SES-01: wrong <thing>");
  EXPECT_TRUE(report.at("coverage").at("uncovered").is_array());
}

TEST(Report, JunitIsXmlWithFailuresAndSkips) {
  const std::string xml = junit_report(sample());
  EXPECT_TRUE(has(xml, "<testsuite name=\"zonesync-conform fake &lt;&amp;&gt;\" tests=\"4\" "
                       "failures=\"1\" skipped=\"1\">"));
  EXPECT_TRUE(has(xml, "<testcase classname=\"one\" name=\"one.fails\" time=\""));
  EXPECT_TRUE(has(xml, "<failure message=\"v1: SES-01: wrong &lt;thing&gt; \">"));
  EXPECT_TRUE(has(xml, "said &quot;this&quot; &amp; that"));
  EXPECT_TRUE(has(xml, "<skipped message=\"delta: needs clock v1: needs clock \"/>"));
}

TEST(Report, HtmlIsOneFileWithMatrixClausesAndTranscript) {
  const std::string page = html_report(sample());
  EXPECT_TRUE(has(page, "Fails in v1 &lt;only&gt;"));
  EXPECT_TRUE(has(page, "class=\"failed\">failed<br><small>SES-01: wrong &lt;thing&gt;"));
  EXPECT_TRUE(has(page, "said &quot;this&quot; &amp; that"));
  EXPECT_TRUE(has(page, "<tr id=\"SES-01\">")) << "the text of every clause";
  EXPECT_TRUE(has(page, "<h2>Delta beside v1</h2>\n<p>1 cases")) << "one passed in both";
  EXPECT_TRUE(has(page, "<svg")) << "plots";
  for (const char* foreign : {"http://", "https://", "<script", "<link", "src="}) {
    EXPECT_FALSE(has(page, foreign)) << foreign;
  }
}

// Issue 5, Must show 6: the same report for the same seed, but for times.
TEST(Report, OneSeedGivesOneReportButForTimes) {
  const std::regex times("\"ms\":[-+.0-9eE]+");
  const auto report = [&](std::uint64_t seed) {
    const auto self = make_self_factory();
    RunOptions options;
    options.seed = seed;
    options.skip = "^(large|both)\\.";   // they only move bytes
    auto result = run_cases(catalogue(), *self, options);
    EXPECT_TRUE(result);
    return std::regex_replace(json_report(*result), times, "\"ms\":0");
  };
  EXPECT_EQ(report(11), report(11));
}

// Issue 5, Must show 1.
TEST(Coverage, EveryClauseIsCoveredOrListedWithAReason) {
  const Coverage coverage = coverage_of(catalogue());
  for (const std::string_view id : coverage.uncovered) ADD_FAILURE() << id << " has no case";
  for (const std::string& each : coverage.unknown) ADD_FAILURE() << "unknown clause: " << each;
  EXPECT_LE(coverage.listed.size() * 20, clauses().size()) << "at most 5 %";
  for (const std::string_view id : coverage.listed) {
    EXPECT_FALSE(id.starts_with("SES-") || id.starts_with("FLOW-")) << id << " must have a case";
  }
}

TEST(Catalogue, IdsAreUniqueAndThereAreEnoughOfThem) {
  std::set<std::string_view> ids;
  for (const Case& each : catalogue()) {
    EXPECT_TRUE(ids.insert(each.id).second) << each.id << " is there twice";
    EXPECT_FALSE(each.clauses.empty()) << each.id;
    EXPECT_FALSE(each.title.empty()) << each.id;
  }
  EXPECT_GE(ids.size(), 150u);
}

}  // namespace
}  // namespace zonesync::conform
