// `zonesync-hub store new-key|rekey`: the master key of encryption at rest.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "server/cmd/encryption.hpp"
#include "server/cmd/store_commands.hpp"
#include "storage/rocksdb/offline_store.hpp"

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

/// The new key stands beside the old one before the log knows it, and takes its name after: a crash
/// between leaves both files, and the start names the one that it wants.
int run_rekey(const KeyFlags& flags) {
  const auto config = load_config(flags.config);
  if (!config) return config.error();
  const fs::path file = config->encryption_key_file;
  if (file.empty()) {
    return failed(Error{ErrorCode::invalid_argument,
                        "the configuration names no key file; there is nothing to change",
                        "storage.encryption.key_file"});
  }
  const auto old = read_master_key(file);
  if (!old) return failed(old.error());
  auto store = OfflineStore::open_to_change(config->storage_dir.string(), nullptr, *old);
  if (!store) return failed(store.error());
  const fs::path next = file.string() + ".new";
  const auto fresh = create_master_key(next);
  if (!fresh) return failed(fresh.error());
  if (Status status = (*store)->rekey(**fresh, flags.now); !status) return failed(status.error());
  std::error_code error;
  const fs::path kept = file.string() + ".old-" + (*old)->id;
  fs::rename(file, kept, error);
  if (!error) fs::rename(next, file, error);
  if (error) {
    return failed(Error{ErrorCode::storage_io,
                        "the log has its new key, but the file could not be put in place: rename " +
                            next.string() + " to " + file.string() + " (" + error.message() + ")",
                        ""});
  }
  std::cout << "the log is sealed with master key " << (*fresh)->id << " in " << file.string()
            << (flags.now ? "; every value was encrypted again"
                          : "; older values follow while the hub runs")
            << "\nbackups made before need the old key " << kept.string()
            << "; delete it with them\n";
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
