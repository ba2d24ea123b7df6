// A change of the master key that a crash at any point leaves repairable, and what to do when the
// log and the configured key file do not belong together.
//
// The files of a key file KEYFILE: KEYFILE.new is the next key while a change is under way,
// KEYFILE.old-ID are earlier ones. In this order, each durable before the next:
//
//   1. KEYFILE.new is made         the log wants KEYFILE; the change starts over with KEYFILE.new
//   2. the log is sealed with it   the log wants KEYFILE.new; the change is finished by 3 and 4
//   3. KEYFILE.old-ID is a copy of KEYFILE
//   4. KEYFILE.new becomes KEYFILE (renamed over it: there is a KEYFILE at every moment)
//   5. older values are encrypted again, in steps, here or by the hub
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/config/hub_config.hpp"

namespace zonesync {

enum class KeyChangeStep { key_made, log_sealed, old_kept, in_place };

struct KeyChangeOptions {
  bool now = false;  // encrypt older values again before returning
  /// For tests: asked behind each step; false = go no further, as after a crash.
  std::function<bool(KeyChangeStep)> go_on;
};

struct KeyChangeReport {
  std::string key;                            // id of the key that the log is sealed with now
  std::optional<std::filesystem::path> kept;  // where the key before is; nothing = it had no file
  bool finished = false;                      // an interrupted change was ended, no new one made
  bool resealing = false;                     // older values have an older data key still
  std::vector<std::string> notes;             // what was found beside the key file
};

/// Seals a stopped hub's log with a new master key in `key_file`, or brings an interrupted change
/// to its end. Never deletes a key. Errors: precondition_failed (nothing is sealed), forbidden (the
/// log wants another key: the text names the file that holds it), invalid_argument (`key_file` has
/// the name of an earlier key, which the new one would take), unavailable (a hub runs), conflict,
/// those of read_master_key, storage_io, storage_corrupt, resource_exhausted.
[[nodiscard]] Result<KeyChangeReport> change_master_key(const std::filesystem::path& store,
                                                        const std::filesystem::path& key_file,
                                                        const KeyChangeOptions& options);

/// Why the configured key file does not open the log of a stopped hub: which key it wants, which
/// file beside the configured one holds it, which command helps. `config_file` is for that command.
/// Nothing when the key is right, or when it cannot be told (no store, a hub runs).
[[nodiscard]] std::optional<Error> key_trouble(const HubConfig& config,
                                               const std::filesystem::path& config_file);

}  // namespace zonesync
