// Program `zonesync-agent`: the command line, nothing else.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client-sdk/agent/agent.hpp"
#include "client-sdk/agent/approval.hpp"
#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/orders.hpp"
#include "client-sdk/agent/status_file.hpp"
#include "protocol/runtime/core_dumps.hpp"
#include "protocol/text/config_docs.hpp"

namespace zonesync::agent {
namespace {

constexpr std::size_t kStatusFileMaxBytes = 64u << 20;
constexpr auto kApprovalPatience = std::chrono::seconds(10);

/// What was given on the command line, as settings of the table.
struct RunFlags {
  std::string config_file;
  std::map<std::string, std::string> texts;  // path of the table -> text
  bool log_cuts = false;
};

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string entry(*at);
    const auto split = entry.find('=');
    if (split != std::string::npos) variables[entry.substr(0, split)] = entry.substr(split + 1);
  }
  return variables;
}

/// Memory and files of an agent hold credentials and secrets of the mesh.
void keep_secrets_private() {
  ::umask(077);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int run(const RunFlags& flags) {
  keep_secrets_private();
  std::vector<std::pair<std::string, std::string>> overrides;
  for (const auto& [path, text] : flags.texts) {
    if (!text.empty()) overrides.emplace_back(path, text);
  }
  if (flags.log_cuts) overrides.emplace_back("log.cuts", "true");
  const auto config =
      load_agent_config(flags.config_file, process_environment(), std::move(overrides));
  if (config) return run_agent(*config);
  for (const Error& error : config.error()) print_error(error);
  print_hint("zonesync-agent run --help lists the flags, zonesync-agent config defaults the file");
  return kExitConfig;
}

int show_status(const std::string& file) {
  auto text = read_file(file, kStatusFileMaxBytes);
  auto shown = text ? describe_status(*text) : Result<std::string>(fail(text.error()));
  if (!shown) {
    print_error(shown.error());
    print_hint("give the file that the agent's --status-file names");
    return kExitFailed;
  }
  std::cout << *shown;
  return kExitOk;
}

int order(const std::string& store, Order what) {
  if (auto status = give_order(store, what); !status) {
    print_error(status.error());
    return kExitFailed;
  }
  std::cout << "the running agent takes it at its next look at the publish directory\n";
  return kExitOk;
}

int approve(const std::string& store) {
  const auto answer = approve_mass_delete(store, kApprovalPatience);
  if (!answer) {
    print_error(answer.error());
    print_hint("`zonesync-agent status` and the agent's log show what a zone holds; what a zone "
               "publishes is held at the hub: `zonesync zones approve`");
    return kExitFailed;
  }
  std::cout << *answer << '\n';
  return kExitOk;
}

using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand("run", "Run the agent of one zone");
  command->add_option("--config", flags->config_file, "YAML file; flags win over it");
  const auto add = [&](const char* flag, const char* path, const char* doc) {
    command->add_option(flag, flags->texts[path], doc);
  };
  add("--hub", "hub", "wss://host:port/sync");
  add("--zone", "zone", "Name of this zone");
  add("--token-file", "token_file", "File with the zone's token");
  add("--ca", "ca_file", "PEM of the hub's CA");
  add("--client-cert", "client_certificate_file", "Client certificate (PEM) for a TLS proxy");
  add("--client-key", "client_key_file", "Its private key (PEM)");
  add("--store", "store_dir", "Folder that survives restarts");
  add("--mirror", "mirror_dir", "Folder that shows what the zone received");
  add("--types", "types", "Types to receive, comma-separated");
  add("--meshes", "meshes", "Meshes to receive, comma-separated");
  add("--delta", "sync.delta.enabled", "false = complete lists (v1) only");
  add("--refuse-labels", "refuse_labels", "Refuse versions with these labels, key=value,...");
  add("--publish", "publish.dir", "Folder whose documents become resources of this zone");
  add("--publish-interval", "publish.interval", "How often that folder is looked at, e.g. 1s");
  add("--status-file", "status_file", "JSON file that always shows the agent's state");
  add("--log-level", "log.level", "debug, info, warn or error");
  add("--log-format", "log.format", "json or logfmt");
  command->add_flag("--log-cuts", flags->log_cuts, "One line for every cut");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

void add_status(CLI::App& app, Action& action) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("status", "Show a status file");
  command->add_option("--status-file", *file, "The agent's status file")->required();
  command->callback([&action, file] { action = [file] { return show_status(*file); }; });
}

void add_approve(CLI::App& app, Action& action) {
  auto store = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "approve", "Let the mass delete that the zone holds into its replica, once");
  command->add_option("--store", *store, "The running agent's store directory")->required();
  command->callback([&action, store] { action = [store] { return approve(*store); }; });
}

void add_publish(CLI::App& app, Action& action) {
  auto store = std::make_shared<std::string>();
  CLI::App* publish = app.add_subcommand("publish", "Orders about the publish directory");
  publish->require_subcommand(1);
  const auto add = [&](const char* name, Order what, const char* doc) {
    CLI::App* command = publish->add_subcommand(name, doc);
    command->add_option("--store", *store, "The agent's store directory")->required();
    command->callback(
        [&action, store, what] { action = [store, what] { return order(*store, what); }; });
  };
  add("release", Order::release, "Let the removals go ahead that are held now");
  add("complete", Order::complete,
      "The directory holds everything: the hub may drop what it has besides");
}

void add_config(CLI::App& app, Action& action) {
  CLI::App* config = app.add_subcommand("config", "Show the configuration's reference");
  config->require_subcommand(1);
  const auto add = [&](const char* name, const char* doc,
                       std::string (*text_of)(const text::ConfigTable&)) {
    config->add_subcommand(name, doc)->callback([&action, text_of] {
      action = [text_of] {
        std::cout << text_of(agent_config_table());
        return kExitOk;
      };
    });
  };
  add("defaults", "A commented file with every default", text::config_defaults_yaml);
  add("schema", "JSON Schema of the file", text::config_json_schema);
  add("docs", "The reference table", text::config_markdown);
}

}  // namespace
}  // namespace zonesync::agent

int main(int argc, char** argv) {
  using namespace zonesync::agent;
  zonesync::disable_core_dumps();
  CLI::App app("zonesync agent: a zone's resources as files, and its files as resources",
               "zonesync-agent");
  app.set_version_flag("--version", std::string("zonesync-agent ") + ZONESYNC_VERSION);
  app.footer("Exit codes: 0 ok, 1 failed, 2 usage, 3 superseded by another agent of the zone,\n"
             "74 the store failed, 78 configuration.");
  app.require_subcommand(1);
  Action action;
  add_run(app, action);
  add_status(app, action);
  add_approve(app, action);
  add_publish(app, action);
  add_config(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << "error: " << error.what() << '\n';
    print_hint("zonesync-agent --help");
    return kExitUsage;
  }
  return action ? action() : kExitUsage;
}
