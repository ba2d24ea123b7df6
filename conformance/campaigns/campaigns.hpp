// The verb `campaign` of zonesync-conform: real processes under real faults.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace zonesync::campaigns {

/// Adds `campaign NAME [--rounds N] [--seed S] [--require] [--json] [--unsafe-no-sync]` to a
/// command line. `bin_dir` = folder of zonesync-hub and zonesync-agent. `run` is set when it was
/// chosen; it returns the exit code: 0 = every promise held, or skipped; 1 = one was broken;
/// 2 = unknown name; 3 = the machine lacks the means and --require was given.
void add_campaign(CLI::App& app, std::string bin_dir, std::function<int()>& run);

/// Folder of this program.
[[nodiscard]] std::string own_folder();

}  // namespace zonesync::campaigns
