// `zonesync-hub demo`: start, load, keep changing, show, end clean.
#pragma once

#include "server/demo/options.hpp"

namespace zonesync::demo {

/// Runs until exit_after, SIGINT or SIGTERM. stdout: the live table, or with `headless` JSON lines
/// only. Returns the exit code: 0 = every zone is at the head, 1 = not, or it could not start.
/// Call it from the main thread, once.
[[nodiscard]] int run_demo(const DemoOptions& options);

/// `cut`, `heal` or `slow` a zone of the running demo. Returns the exit code.
[[nodiscard]] int run_demo_verb(const std::string& verb, const std::string& zone);

}  // namespace zonesync::demo
