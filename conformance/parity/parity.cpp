#include "conformance/parity/parity.hpp"

#include <algorithm>

#include "conformance/parity/history.hpp"
#include "conformance/suite/case.hpp"

namespace zonesync::conform::parity {
namespace {

constexpr std::string_view kLooker = "west";
constexpr std::string_view kLate = "late";
/// Small states are compared after every step, large ones that often in all.
constexpr std::size_t kAuditEveryStepKeys = 1'000;
constexpr std::size_t kAuditsOfLargeStates = 4;

void expect_same(const State& expected, const State& found, const std::string& who) {
  for (const auto& [key, resource] : expected) {
    const auto there = found.find(key);
    require(there != found.end(), who + " lacks " + to_string(key));
    require(there->second == resource, who + " has another " + to_string(key));
  }
  for (const auto& [key, resource] : found) {
    require(expected.contains(key), who + " has " + to_string(key) + ", which is not there");
  }
}

/// Splits a state by owner.
State owned(const State& state, bool by_zone) {
  State part;
  for (const auto& [key, resource] : state) {
    if ((key.origin != kGlobalOrigin) == by_zone) part.emplace(key, resource);
  }
  return part;
}

/// Connections that carry a change: of global to both zones; of east to the hub and to west.
std::size_t crossings_of(const Step& step, const TypeRegistry& types) {
  State one;
  for (const ControlOp& op : step.ops) one[op.resource.key] = op.resource;
  std::size_t count = zone_view(one, types, std::string(kOwnerZone)).size() +
                      zone_view(one, types, std::string(kLooker)).size();
  if (step.up) count += hub_view(one, types).size();
  return count;
}

/// Plays the history in one mode and compares with the model.
class Run {
 public:
  Run(const Documents& documents, const History& history, Mode mode, std::uint64_t seed)
      : documents_(documents),
        history_(history),
        exchange_(mode, seed, documents.registry),
        mode_(to_string(mode)),
        state_(history.base) {}

  ModeFigures figures() {
    ModeFigures all;
    Cost before = exchange_.cost();
    exchange_.join(std::string(kOwnerZone), owned(state_, true));
    all.full_up = exchange_.cost() - before;
    exchange_.load(owned(state_, false));
    exchange_.join(std::string(kLooker));
    audit(all, "the base");
    const std::size_t every =
        history_.keys <= kAuditEveryStepKeys
            ? 1 : std::max<std::size_t>(1, history_.steps.size() / kAuditsOfLargeStates);
    for (std::size_t at = 0; at < history_.steps.size(); ++at) {
      const Step& step = history_.steps[at];
      before = exchange_.cost();
      exchange_.play(step);
      all.steps.push_back({exchange_.cost() - before, crossings_of(step, *documents_.registry)});
      parity::play(step, state_);
      if ((at + 1) % every == 0 || at + 1 == history_.steps.size()) {
        audit(all, "step " + std::to_string(at + 1) + " (" + step.kind + ")");
      }
    }
    exchange_.trim();
    before = exchange_.cost();
    exchange_.join(std::string(kLate));
    all.full_down = exchange_.cost() - before;
    expect(std::string(kLate), "the full sync");
    return all;
  }
  [[nodiscard]] const State& state() const { return state_; }

 private:
  void expect(const std::string& zone, const std::string& when) {
    expect_same(zone_view(state_, *documents_.registry, zone), exchange_.zone_state(zone),
                mode_ + ", after " + when + ": zone " + zone);
  }
  void audit(ModeFigures& all, const std::string& when) {
    ++all.audits;
    expect(std::string(kOwnerZone), when);
    expect(std::string(kLooker), when);
    expect_same(hub_view(state_, *documents_.registry), exchange_.hub_state(),
                mode_ + ", after " + when + ": the hub");
  }

  const Documents& documents_;
  const History& history_;
  Exchange exchange_;
  std::string mode_;
  State state_;
};

bool wanted(const Figures& figures, std::size_t step, Which which) {
  switch (which) {
    case Which::all: return true;
    case Which::down: return !figures.up[step];
    case Which::up: return figures.up[step];
    case Which::one_update: return figures.kinds[step] == "update";
  }
  return false;
}

}  // namespace

Figures compare(const Documents& documents, const Options& options) {
  const History history = make_history(documents, options.seed, options.changes);
  Figures all;
  all.source = documents.source;
  all.seed = options.seed;
  all.documents = documents.documents;
  all.skipped = documents.skipped;
  all.registered = documents.registered;
  all.keys = history.keys;
  all.changes = history.changes;
  for (const Step& step : history.steps) {
    all.kinds.push_back(step.kind);
    all.up.push_back(step.up);
    all.sizes.push_back(step.ops.size());
  }
  State end = history.base;
  for (const Step& step : history.steps) play(step, end);
  all.resources = end.size();
  for (const auto& [key, resource] : end) all.state_bytes += resource.spec.size();
  all.full_down_resources = zone_view(end, *documents.registry, std::string(kLate)).size();
  all.full_up_resources =
      owned(hub_view(history.base, *documents.registry), true).size();
  try {
    all.delta = Run(documents, history, Mode::delta, options.seed).figures();
    all.v1 = Run(documents, history, Mode::v1, options.seed).figures();
    all.replicas_equal = true;
  } catch (const Failed& failed) {
    all.difference = failed.text;
  }
  return all;
}

Mean mean_of(const Figures& figures, const ModeFigures& mode, Which which) {
  Mean mean;
  Cost sum;
  for (std::size_t at = 0; at < mode.steps.size(); ++at) {
    const StepCost& step = mode.steps[at];
    if (!wanted(figures, at, which) || step.crossings == 0) continue;
    ++mean.steps;
    mean.crossings += step.crossings;
    mean.bytes_max = std::max<std::uint64_t>(mean.bytes_max, step.cost.bytes / step.crossings);
    sum += step.cost;
  }
  const double count = static_cast<double>(std::max<std::size_t>(1, mean.crossings));
  mean.bytes = static_cast<double>(sum.bytes) / count;
  mean.messages = static_cast<double>(sum.messages) / count;
  mean.hub_cpu_ns = static_cast<double>(sum.hub_cpu_ns) / count;
  mean.apply_ns = static_cast<double>(sum.apply_ns) / count;
  return mean;
}

}  // namespace zonesync::conform::parity
