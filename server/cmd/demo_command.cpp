#include <CLI/CLI.hpp>
#include <system_error>

#include "protocol/text/config_values.hpp"
#include "server/cmd/commands.hpp"
#include "server/demo/demo.hpp"

namespace zonesync::cmd {
namespace {

std::string program_dir() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string(".") : self.parent_path().string();
}

int run_table(demo::DemoOptions options, const std::string& exit_after) {
  if (!exit_after.empty()) {
    const auto parsed = text::parse_duration_ms(exit_after);
    if (!parsed) {
      print_error(parsed.error());
      return kUsage;
    }
    options.exit_after = std::chrono::milliseconds(*parsed);
  }
  options.program_dir = program_dir();
  return demo::run_demo(options);
}

}  // namespace

void add_demo(CLI::App& app, Run& run) {
  auto options = std::make_shared<demo::DemoOptions>();
  auto exit_after = std::make_shared<std::string>();
  auto zone = std::make_shared<std::string>();
  CLI::App* demo =
      app.add_subcommand("demo", "A hub, zones and changing resources on this machine");
  demo->add_flag("--headless", options->headless, "JSON lines instead of the live table");
  demo->add_option("--exit-after", *exit_after, "From all zones connected, e.g. 30s");
  demo->add_option("--ready-file", options->ready_file, "Written once all zones are connected");
  demo->add_option("--zones", options->zones, "Number of zones")
      ->check(CLI::Range(std::size_t{1}, demo::kDemoZonesMax));
  demo->add_option("--resources", options->resources, "Number of global resources")
      ->check(CLI::Range(std::size_t{0}, demo::kDemoResourcesMax));
  demo->add_option("--rate", options->rate, "Changes a second")
      ->check(CLI::Range(0.0, demo::kDemoRateMax));
  demo->add_option("--seed", options->seed, "Seed of the generated content");
  demo->callback([demo, &run, options, exit_after] {
    if (!demo->get_subcommands().empty()) return;
    run = [options, exit_after] { return run_table(*options, *exit_after); };
  });
  const auto verb = [&](const std::string& name, const char* doc) {
    CLI::App* command = demo->add_subcommand(name, doc);
    command->add_option("zone", *zone, "Zone of the running demo")->required();
    command->callback(
        [&run, name, zone] { run = [name, zone] { return demo::run_demo_verb(name, *zone); }; });
  };
  verb("cut", "Cut a zone's connection");
  verb("heal", "End a cut or slowness, fix a poisoned policy");
  verb("poison", "Write a policy that a zone refuses");
  verb("slow", "Slow a zone's connection");
}

}  // namespace zonesync::cmd
