// The verb `parity` of zonesync-conform.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace zonesync::conform {

/// Adds `parity (--resources FILE... | --generate N) [--changes N] [--seed S] [--report F]
/// [--out F] [--write-resources F]`. `run` is set when it was chosen; it returns the exit code:
/// 0 = replicas equal and nothing skipped; 1 = not; 2 = wrong usage.
void add_parity(CLI::App& app, std::function<int()>& run);

}  // namespace zonesync::conform
