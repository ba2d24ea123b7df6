// The report and the command line of campaigns.
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/campaigns.hpp"
#include "conformance/campaigns/measure.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

int run_line(const std::string& line) {
  CLI::App app{"test", "test"};
  std::function<int()> run;
  add_campaign(app, own_folder(), run);
  app.parse(line, false);
  return run ? run() : -1;
}

TEST(Report, CountsFactsAndFailures) {
  CampaignOptions options;
  options.seed = 7;
  CampaignReport report(options);
  report.count("lost", 0);
  report.count("acked", 3);
  report.count("acked");
  report.round_done();
  EXPECT_TRUE(report.good());
  EXPECT_EQ(report.counted("acked"), 4u);
  EXPECT_EQ(report.counted("never"), 0u);
  report.failed("one thing");
  const auto json = report.to_json("kill");
  EXPECT_EQ(json.at("campaign"), "kill");
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("rounds"), 1);
  EXPECT_EQ(json.at("lost"), 0);
  EXPECT_EQ(json.at("failed"), 1);
  EXPECT_EQ(json.at("failures").at(0), "one thing");
}

TEST(Report, KeepsTheFirstFiftyTexts) {
  CampaignReport report(CampaignOptions{});
  for (int i = 0; i < 60; ++i) report.failed("again");
  EXPECT_EQ(report.to_json("kill").at("failures").as_array().size(), 50u);
  EXPECT_EQ(report.to_json("kill").at("failed"), 60);
}

TEST(Verb, UnknownCampaignIsAUsageError) { EXPECT_EQ(run_line("campaign nothing"), 2); }

TEST(Verb, SabotageIsForCampaignsThatKnowIt) {
  EXPECT_EQ(run_line("campaign kill --sabotage"), 2);
}

TEST(Verb, NeedsAName) {
  CLI::App app{"test", "test"};
  std::function<int()> run;
  add_campaign(app, own_folder(), run);
  EXPECT_THROW(app.parse("campaign", false), CLI::ParseError);
}

TEST(Delays, AreRanks) {
  Delays delays;
  EXPECT_EQ(delays.at(0.5), 0);
  for (int i = 100; i > 0; --i) delays.add(i);
  EXPECT_EQ(delays.at(0.5), 50);
  EXPECT_EQ(delays.at(0.99), 99);
  EXPECT_EQ(delays.at(1), 100);
  EXPECT_EQ(delays.to_json().at("count"), 100);
}

TEST(MemoryWatch, SeesWhatAProcessTakes) {
  MemoryWatch watch(::getpid());
  EXPECT_GT(watch.before_kib(), 0u);
  std::string block(32u << 20, 'x');
  EXPECT_TRUE(eventually([&] { return watch.growth_kib() >= 30u << 10; })) << block.size();
  watch.stop();
}

TEST(Noise, IsRepeatableAndHarmlessInJson) {
  std::mt19937_64 one(7), same(7);
  const std::string text = noise(one, 1'000);
  EXPECT_EQ(text, noise(same, 1'000));
  EXPECT_EQ(text.find_first_of("\"\\"), std::string::npos);
}

}  // namespace
}  // namespace zonesync::campaigns
