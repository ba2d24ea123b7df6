// `zonesync-hub store new-key|rekey`: the master key of encryption at rest.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "server/cmd/encryption.hpp"
#include "server/cmd/key_change.hpp"
#include "server/cmd/store_commands.hpp"

namespace zonesync::cmd {
namespace {

namespace fs = std::filesystem;

struct KeyFlags {
  std::string config;
  std::string file;
  bool now = false;
};

int failed(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

int run_new_key(const KeyFlags& flags) {
  const auto key = create_master_key(flags.file);
  if (!key) return failed(key.error());
  std::cout << "made master key " << (*key)->id << " in " << flags.file
            << "; keep a copy apart from the backups, and name the file in "
               "storage.encryption.key_file\n";
  return kOk;
}

int run_rekey(const KeyFlags& flags) {
  const auto config = load_config(flags.config);
  if (!config) return config.error();
  const fs::path file = config->encryption_key_file;
  if (file.empty()) {
    return failed(Error{ErrorCode::invalid_argument,
                        "the configuration names no key file; there is nothing to change",
                        "storage.encryption.key_file"});
  }
  KeyChangeOptions options;
  options.now = flags.now;
  const auto report = change_master_key(config->storage_dir, file, options);
  if (!report) return failed(report.error());
  for (const std::string& note : report->notes) std::cout << note << '\n';
  if (report->finished) std::cout << "the interrupted change of keys is finished\n";
  std::cout << "the log is sealed with master key " << report->key << " in " << file.string()
            << (report->resealing ? "; older values follow while the hub runs"
                                  : "; every value was encrypted again")
            << '\n';
  if (report->kept) {
    std::cout << "backups made before need the old key " << report->kept->string()
              << "; delete it with them\n";
  }
  return kOk;
}

}  // namespace

void add_store_key_commands(CLI::App& store, Run& run) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App* new_key = store.add_subcommand("new-key", "Make a master key for encryption at rest");
  new_key->add_option("FILE", flags->file, "New file")->required();
  new_key->callback([&run, flags] { run = [flags] { return run_new_key(*flags); }; });
  CLI::App* rekey = store.add_subcommand("rekey", "Seal a stopped hub's log with new keys");
  rekey->add_option("--config", flags->config, "Configuration file of the hub")->required();
  rekey->add_flag("--now", flags->now, "Encrypt everything again before returning");
  rekey->callback([&run, flags] { run = [flags] { return run_rekey(*flags); }; });
}

}  // namespace zonesync::cmd
