// Parts of `zonesync-hub store`, each in a file of its own.
#pragma once

#include "server/cmd/commands.hpp"

namespace zonesync::cmd {

void add_store_key_commands(CLI::App& store, Run& run);  // new-key, rekey

}  // namespace zonesync::cmd
