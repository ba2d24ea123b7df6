// zonesync-conform-defects: does the suite find deliberate bugs of the product?
// `zonesync-conform mutants` executes this program.
#include <cstdio>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "conformance/kills/matrix.hpp"

namespace {

using namespace zonesync::kills;

constexpr int kSurvivors = 1;
constexpr int kUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Conformance suite against deliberate bugs", "zonesync-conform-defects"};
  app.require_subcommand(1);
  bool as_json = false;
  bool verbose = false;
  std::string markdown;
  HuntOptions options;
  CLI::App* command = app.add_subcommand("mutants", "Runs the catalogue once per bug");
  command->add_flag("--json", as_json, "One JSON object on stdout");
  command->add_option("--markdown", markdown, "Writes the kill matrix");
  command->add_option("--only", options.only, "Only these bugs")->delimiter(',');
  command->add_option("--group", options.group, "Only the bugs of this group")
      ->check(CLI::IsMember({std::string(kCatalogue), std::string(kSuite),
                             std::string(kReviewer)}));
  command->add_option("--run", options.run, "Only cases whose id matches");
  command->add_option("--jobs", options.jobs, "Processes at once")->check(CLI::Range(1, 64));
  command->add_flag("--verbose", verbose, "A line per bug on stderr");
  CLI11_PARSE(app, argc, argv);
  if (verbose) {
    options.on_row = [](const Row& row) {
      std::fprintf(stderr, "%u: %s %s, %u variants: %s\n",
                   row.defect == nullptr ? 0 : row.defect->id,
                   row.kill.killed ? row.kill.case_id.c_str() : "survives", row.kill.mode.c_str(),
                   row.kill.variants, row.kill.text.c_str());
    };
  }
  const auto rows = hunt(options);
  if (!markdown.empty() && !(std::ofstream(markdown) << to_markdown(rows)).flush()) {
    std::fprintf(stderr, "zonesync-conform: cannot write %s\n", markdown.c_str());
    return kUsage;
  }
  std::fputs(to_text(rows).c_str(), as_json ? stderr : stdout);
  if (as_json) std::puts(to_json(rows).c_str());
  return sums_of(rows).good() ? 0 : kSurvivors;
}
