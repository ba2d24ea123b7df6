#include <CLI/CLI.hpp>
#include <iostream>

#include "server/auth/init.hpp"
#include "server/cmd/commands.hpp"

namespace zonesync::cmd {
namespace {

struct InitFlags {
  std::string dir;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

int run_init(const InitFlags& flags) {
  auth::InitOptions options;
  options.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (const auto& name : flags.dns_names) options.dns_names.push_back(name);
  for (const auto& address : flags.ip_addresses) options.ip_addresses.push_back(address);
  const auto made = auth::init_directory(flags.dir, options);
  if (!made) {
    print_error(made.error());
    return kFailed;
  }
  std::cerr << "made " << made->directory.string() << "\n"
            << "  configuration  " << made->config_file.string() << "\n"
            << "  CA for clients " << made->ca_file.string() << "\n"
            << "  admin token    " << made->admin_token_file.string() << "\n"
            << "next:\n"
            << "  zonesync-hub serve --config " << made->config_file.string() << "\n"
            << "  zonesync-hub token zone --name east --dir " << made->directory.string()
            << " > east.token\n";
  return kOk;
}

}  // namespace

void add_init(CLI::App& app, Run& run) {
  auto flags = std::make_shared<InitFlags>();
  CLI::App* command =
      app.add_subcommand("init", "Make a directory with certificates, keys, token and config");
  command->add_option("--dir", flags->dir, "Directory to make")->required();
  command->add_option("--dns-name", flags->dns_names, "Further DNS name of the hub");
  command->add_option("--ip", flags->ip_addresses, "Further IP address of the hub");
  command->callback([&run, flags] { run = [flags] { return run_init(*flags); }; });
}

}  // namespace zonesync::cmd
