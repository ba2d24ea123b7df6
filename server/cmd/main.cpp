// Program `zonesync-hub`: the command line, nothing else.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "protocol/runtime/core_dumps.hpp"
#include "server/cmd/commands.hpp"

namespace zonesync::cmd {

void print_error(const Error& error) { std::cerr << "error: " << describe(error) << '\n'; }

std::filesystem::path config_in(const std::filesystem::path& directory) {
  return directory / "hub.yaml";
}

tl::expected<HubConfig, int> load_config(const std::filesystem::path& file) {
  HubConfigSources sources;
  sources.file = file;
  sources.environment = process_environment();
  auto config = load_hub_config(sources);
  if (config) return std::move(*config);
  for (const Error& error : config.error()) print_error(error);
  return tl::unexpected<int>(kConfig);
}

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::storage_io:
    case ErrorCode::storage_corrupt:
    case ErrorCode::resource_exhausted: return kStorage;
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::forbidden: return kConfig;
    default: return kFailed;
  }
}

}  // namespace zonesync::cmd

int main(int argc, char** argv) {
  using namespace zonesync::cmd;
  zonesync::disable_core_dumps();
  ::umask(077);  // logs, checkpoints and anchors are nobody else's; what others need says so itself
  CLI::App app("zonesync hub: keeps resources in sync between a global control plane and zones",
               "zonesync-hub");
  app.set_version_flag("--version", std::string("zonesync-hub ") + ZONESYNC_VERSION);
  app.footer("Exit codes: 0 ok, 1 failed, 2 usage, 74 the store failed, 78 configuration.");
  app.require_subcommand(1);
  Run run;
  add_serve(app, run);
  add_init(app, run);
  add_token(app, run);
  add_config(app, run);
  add_store(app, run);
  add_demo(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  return run ? run() : kUsage;
}
