// Parts of `zonesync-hub store`, each in a file of its own.
#pragma once

#include <string>

#include "server/cmd/commands.hpp"

namespace zonesync::cmd {

void add_store_key_commands(CLI::App& store, Run& run);  // new-key, rekey
void add_store_bench(CLI::App& store, Run& run);

/// How a command reaches the hub that has the store open. Empty texts: by the configuration.
struct RunningHub {
  HubConfig config;
  std::string config_file;
  std::string api;         // URL
  std::string token_file;  // of an admin
};
/// A checkpoint by the running hub, then moved to `directory`. Answers its head.
[[nodiscard]] Result<std::uint64_t> checkpoint_online(const RunningHub& hub,
                                                      const std::string& directory);
Status complete_online(const RunningHub& hub);

}  // namespace zonesync::cmd
