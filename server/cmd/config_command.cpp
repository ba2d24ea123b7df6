#include <CLI/CLI.hpp>
#include <iostream>

#include "server/cmd/commands.hpp"

namespace zonesync::cmd {
namespace {

struct ConfigFlags {
  std::string file;
  bool show_origin = false;
};

int run_validate(const ConfigFlags& flags) {
  const auto config = load_config(flags.file);
  if (!config) return config.error();
  std::cerr << flags.file << ": valid\n";
  return kOk;
}

int run_effective(const ConfigFlags& flags) {
  const auto config = load_config(flags.file);
  if (!config) return config.error();
  std::cout << hub_config_effective(*config, flags.show_origin);
  return kOk;
}

void add_print(CLI::App* config, Run& run, const char* name, const char* doc,
               std::string (*text)()) {
  config->add_subcommand(name, doc)->callback([&run, text] {
    run = [text] {
      std::cout << text();
      return kOk;
    };
  });
}

}  // namespace

void add_config(CLI::App& app, Run& run) {
  auto flags = std::make_shared<ConfigFlags>();
  CLI::App* config = app.add_subcommand("config", "Show and check the configuration");
  config->require_subcommand(1);
  add_print(config, run, "defaults", "A commented file with every default", hub_config_defaults);
  add_print(config, run, "schema", "JSON Schema of the file", hub_config_schema);
  add_print(config, run, "docs", "The reference page", hub_config_page);
  CLI::App* validate = config->add_subcommand("validate", "Check a file; all errors at once");
  validate->add_option("--config", flags->file, "Configuration file")->required();
  validate->callback([&run, flags] { run = [flags] { return run_validate(*flags); }; });
  CLI::App* effective = config->add_subcommand("effective", "What a hub would use");
  effective->add_option("--config", flags->file, "Configuration file")->required();
  effective->add_flag("--show-origin", flags->show_origin, "Say where each value comes from");
  effective->callback([&run, flags] { run = [flags] { return run_effective(*flags); }; });
}

}  // namespace zonesync::cmd
