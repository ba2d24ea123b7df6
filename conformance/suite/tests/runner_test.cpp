#include "conformance/suite/tests/fake_subject.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace zonesync::conform {
namespace {

using testing::FakeFactory;
using testing::sample_cases;

RunResult run(const RunOptions& options = {}) {
  FakeFactory factory;
  auto result = run_cases(sample_cases(), factory, options);
  EXPECT_TRUE(result.has_value()) << describe(result.error());
  return result ? std::move(*result) : RunResult{};
}

std::string ids_of(const RunResult& result) {
  std::string ids;
  for (const CaseResult& each : result.cases) ids += std::string(each.which->id) + " ";
  return ids;
}

const CaseResult& case_of(const RunResult& result, std::string_view id) {
  for (const CaseResult& each : result.cases) {
    if (each.which->id == id) return each;
  }
  throw std::runtime_error("no such case");
}

TEST(Runner, ACasePassesWhenAllItsVariantsDo) {
  const RunResult result = run();
  EXPECT_EQ(ids_of(result), "one.fails one.passes two.delta-only two.needs ")
      << "the face that the subject lacks is left out";
  EXPECT_EQ(result.passed, 2u);
  EXPECT_EQ(result.failed, 1u);
  EXPECT_EQ(result.skipped, 1u);
  EXPECT_EQ(case_of(result, "one.fails").variants[0].outcome, Outcome::passed);
  EXPECT_EQ(case_of(result, "one.fails").variants[1].text, "SES-01: wrong <thing>");
  EXPECT_EQ(case_of(result, "two.needs").variants[0].text, "needs clock");
}

TEST(Runner, ModesSelectVariants) {
  RunOptions options;
  options.modes = {Mode::v1};
  const RunResult result = run(options);
  EXPECT_EQ(ids_of(result), "one.fails one.passes two.needs ");
}

TEST(Runner, RunAndSkipAreRegularExpressionsOverIds) {
  RunOptions options;
  options.run = "^one\\.|needs";
  EXPECT_EQ(ids_of(run(options)), "one.fails one.passes two.needs ");
  options.skip = "fails$";
  EXPECT_EQ(ids_of(run(options)), "one.passes two.needs ");
}

TEST(Runner, AWrongExpressionNamesItsOption) {
  FakeFactory factory;
  RunOptions options;
  options.skip = "(";
  const auto result = run_cases(sample_cases(), factory, options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "--skip");
  EXPECT_NE(result.error().message.find("'('"), std::string::npos);
}

TEST(Runner, NothingLeftToRunIsAnErrorAndNoSuccess) {
  FakeFactory factory;
  RunOptions options;
  options.run = "no-such-case";
  EXPECT_FALSE(run_cases(sample_cases(), factory, options));
}

TEST(Runner, AKnownFailureIsSkippedWithItsReason) {
  RunOptions options;
  options.known_failing = {{"one.fails", "waits for release 2"}};
  const RunResult result = run(options);
  EXPECT_EQ(result.failed, 0u);
  EXPECT_EQ(result.skipped, 2u);
  EXPECT_EQ(case_of(result, "one.fails").variants[1].text,
            "known: waits for release 2; SES-01: wrong <thing>");
}

TEST(Runner, AKnownFailureThatPassesFailsTheRun) {
  RunOptions options;
  options.known_failing = {{"one.fails", "r"}, {"one.passes", "was fixed"}};
  const RunResult result = run(options);
  EXPECT_EQ(result.failed, 1u);
  const CaseResult& fixed = case_of(result, "one.passes");
  EXPECT_EQ(fixed.outcome, Outcome::failed);
  EXPECT_EQ(fixed.variants.front().text, "is on the list of known failures and passes");
}

TEST(Runner, TheKnownListIsReadAndChecked) {
  const auto folder = std::filesystem::path(::testing::TempDir());
  const std::string id(catalogue().front().id);
  const std::string good = (folder / "known.txt").string();
  std::ofstream(good) << "# comment\n\n" << id << "  since version 3  # why\n";
  const auto known = read_known_failing(good);
  ASSERT_TRUE(known) << describe(known.error());
  ASSERT_TRUE(known->contains(id));
  EXPECT_EQ(known->at(id).rfind("since version 3", 0), 0u);
  const std::string bad = (folder / "unknown.txt").string();
  std::ofstream(bad) << "# comment\nno.such-case reason\n";
  const auto unknown = read_known_failing(bad);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().field, bad + ":2");
  EXPECT_FALSE(read_known_failing("/nonexistent/known.txt"));
}

}  // namespace
}  // namespace zonesync::conform
