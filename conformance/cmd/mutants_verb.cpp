#include "conformance/cmd/mutants_verb.hpp"

#include <unistd.h>

#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>

namespace zonesync::conform {
namespace {

constexpr int kNoMeans = 3;

int execute(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {program, "mutants"});
  std::vector<char*> argv;
  for (std::string& each : arguments) argv.push_back(each.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  std::fprintf(stderr,
               "zonesync-conform: cannot execute %s\nhint: the build with deliberate bugs is made "
               "on request: cmake -DZONESYNC_MUTANTS=ON, target zonesync-conform-defects\n",
               program.c_str());
  return kNoMeans;
}

}  // namespace

void add_mutants(CLI::App& app, std::string bin_dir, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand(
      "mutants", "The suite against deliberate bugs; options: mutants --help");
  command->prefix_command();
  command->set_help_flag();  // the program's own help says it
  command->callback([&run, command, bin_dir = std::move(bin_dir)] {
    run = [program = bin_dir + "/zonesync-conform-defects", arguments = command->remaining()] {
      return execute(program, arguments);
    };
  });
}

}  // namespace zonesync::conform
