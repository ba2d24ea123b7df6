// The verb `mutants` of zonesync-conform: hands over to the build with deliberate bugs.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace zonesync::conform {

/// Adds `mutants ARGS...`. `run` is set when it was chosen: it replaces this process with
/// `bin_dir`/zonesync-conform-defects, and returns only an exit code for a program that is not
/// there (3).
void add_mutants(CLI::App& app, std::string bin_dir, std::function<int()>& run);

}  // namespace zonesync::conform
