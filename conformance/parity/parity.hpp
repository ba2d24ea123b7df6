// Delta beside v1: one history of resources through both, replicas compared, costs told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/parity/documents.hpp"
#include "conformance/parity/exchange.hpp"

namespace zonesync::conform::parity {

struct Options {
  std::uint64_t seed = 1;
  std::size_t changes = 300;   // of the history, beside its base
};

/// One step as one mode played it.
struct StepCost {
  Cost cost;
  std::size_t crossings = 0;   // changes x connections that carry them
};

/// One mode's figures.
struct ModeFigures {
  std::vector<StepCost> steps;
  Cost full_down;              // a zone without anything takes its whole view
  Cost full_up;                // a hub without anything takes all that a zone owns
  std::size_t audits = 0;      // how often all replicas were compared with the model
};

struct Figures {
  std::string source;
  std::uint64_t seed = 1;
  std::size_t documents = 0;
  std::vector<std::string> skipped;
  std::vector<std::string> registered;
  std::size_t keys = 0;
  std::size_t changes = 0;
  std::size_t resources = 0;        // present at the end
  std::size_t state_bytes = 0;      // specs of the base and of what came later
  std::size_t full_down_resources = 0;
  std::size_t full_up_resources = 0;
  bool replicas_equal = false;
  std::string difference;           // the first one, for a person
  std::vector<std::string> kinds;   // of the steps
  std::vector<bool> up;             // of the steps
  std::vector<std::size_t> sizes;   // changes of the steps
  ModeFigures delta, v1;
};

/// Zones: east owns what zones own, west looks on, late comes at the end.
[[nodiscard]] Figures compare(const Documents& documents, const Options& options);

/// What the steps cost that `wanted` admits: per change and connection that carried it.
struct Mean {
  std::size_t steps = 0;
  std::size_t crossings = 0;
  double bytes = 0, messages = 0, hub_cpu_ns = 0, apply_ns = 0;
  std::uint64_t bytes_max = 0;      // of one crossing
};
enum class Which : std::uint8_t { all, down, up, one_update };
[[nodiscard]] Mean mean_of(const Figures& figures, const ModeFigures& mode, Which which);
/// A single cost in the same form.
[[nodiscard]] Mean as_mean(const Cost& cost);

[[nodiscard]] std::string text_report(const Figures& figures);
[[nodiscard]] std::string json_report(const Figures& figures);
/// One file with plots, readable without network.
[[nodiscard]] std::string html_report(const Figures& figures);

}  // namespace zonesync::conform::parity
