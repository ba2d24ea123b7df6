// zonesync-conform: the conformance suite's program; so far its campaigns.
#include <CLI/CLI.hpp>

#include "conformance/campaigns/campaigns.hpp"

int main(int argc, char** argv) {
  CLI::App app{"zonesync-conform - holds programs to the promises of zonesync", "zonesync-conform"};
  app.require_subcommand(1);
  std::function<int()> run;
  zonesync::campaigns::add_campaign(app, zonesync::campaigns::own_folder(), run);
  CLI11_PARSE(app, argc, argv);
  return run ? run() : 2;
}
