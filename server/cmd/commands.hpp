// The commands of `zonesync-hub`. Each adds itself to the command line; `run` is set by the one
// that was chosen.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"
#include "server/config/hub_config.hpp"

namespace CLI {
class App;
}

namespace zonesync::cmd {

/// Exit codes (docs/exit-codes.md; sysexits.h where one fits).
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kStorage = 74;  // EX_IOERR: the store failed
inline constexpr int kConfig = 78;   // EX_CONFIG

using Run = std::function<int()>;

void add_serve(CLI::App& app, Run& run);
void add_init(CLI::App& app, Run& run);
void add_token(CLI::App& app, Run& run);
void add_config(CLI::App& app, Run& run);
void add_store(CLI::App& app, Run& run);
void add_demo(CLI::App& app, Run& run);

/// `error: ...` on stderr, one line.
void print_error(const Error& error);
/// Loads a configuration file with this process's environment; prints every error.
[[nodiscard]] tl::expected<HubConfig, int> load_config(const std::filesystem::path& file);
/// The configuration of a directory made by `init`.
[[nodiscard]] std::filesystem::path config_in(const std::filesystem::path& directory);
[[nodiscard]] int exit_code_of(const Error& error);

}  // namespace zonesync::cmd
