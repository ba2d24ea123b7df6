// The build with deliberate bugs: without one it is the product, and the simulator finds each.
#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "conformance/simulator/runner.hpp"

namespace zonesync::sim {
namespace {

/// What the build with mutants prints on stdout.
std::string ask_defects(const std::string& arguments) {
  const std::string command = std::string(ZONESYNC_SIM_DEFECTS) + " " + arguments;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), got);
  }
  ::pclose(pipe);
  return text;
}

TEST(Mutants, WithoutOneTheBuildWithMutantsIsTheProduct) {
  Campaign campaign;
  campaign.seeds = 20;
  const std::string product = to_json(run_campaign(campaign));
  const auto hash_at = product.find("\"trace_hash\"");
  ASSERT_NE(hash_at, std::string::npos);
  const std::string other = ask_defects("run --seeds 20 --json");
  EXPECT_NE(other.find(product.substr(hash_at)), std::string::npos) << other;
}

TEST(Mutants, UnkindChoicesBreakNoPromise) {
  const std::string report = ask_defects("run --seeds 100 --buggify --json");
  EXPECT_NE(report.find("\"failures\":0"), std::string::npos) << report;
}

TEST(Mutants, AllAreKilled) {
  const std::string report = ask_defects("mutants --max-seeds 2000 --json");
  EXPECT_NE(report.find("\"survivors\":[]"), std::string::npos) << report;
}

}  // namespace
}  // namespace zonesync::sim
