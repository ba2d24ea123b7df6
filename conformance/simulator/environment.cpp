#include "conformance/simulator/environment.hpp"

#include "protocol/model/assert.hpp"

namespace zonesync::sim {

std::shared_ptr<const TypeRegistry> sim_types() {
  static const auto types = [] {
    auto registry = std::make_shared<TypeRegistry>(TypeRegistry::with_default_types());
    TypeInfo scoped;
    scoped.name = std::string(kScopedType);
    scoped.plural = "simscopeds";
    scoped.global_to_zones = true;
    scoped.zone_to_global = true;
    scoped.synced_across_zones = true;
    scoped.provided_by_global = true;
    scoped.scope_labels = {std::string(kScopeLabel)};
    ZS_ASSERT(registry->add(scoped).has_value());
    return std::shared_ptr<const TypeRegistry>(std::move(registry));
  }();
  return types;
}

Environment::Environment(const Plan& run, const RunOptions& how)
    : plan(run),
      defect(how.defect),
      first_mode(how.mode),
      random(Rng(run.seed).stream("run")),
      types(sim_types()),
      oracle(*types),
      trace_max(how.keep_trace ? 200'000 : 0) {}

void Environment::note(std::string_view what, std::string_view node, std::uint64_t a,
                       std::uint64_t b) {
  const auto mix = [this](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3ull; };
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(
      scheduler.now().time_since_epoch() - std::chrono::hours(1));
  mix(static_cast<std::uint64_t>(time.count()));
  for (const char c : what) mix(static_cast<unsigned char>(c));
  for (const char c : node) mix(static_cast<unsigned char>(c));
  mix(a);
  mix(b);
  if (trace_max == 0) return;
  if (trace.size() >= trace_max) trace.pop_front();
  trace.push_back(std::to_string(static_cast<double>(time.count()) / 1e9) + " " +
                  std::string(node) + " " + std::string(what) + " " + std::to_string(a) + " " +
                  std::to_string(b));
}

void Environment::broken(const oracle::Broken& what, std::string_view node) {
  if (!what || violation) return;
  note("BROKEN " + *what, node);
  violation = *what + " [" + std::string(node) + "]";
}

std::string brief(const Id128& id) { return to_hex(id).substr(0, 8); }

std::string brief(const Cursor& cursor) {
  return std::to_string(cursor.revision.value) + "@" + brief(cursor.era.id);
}

}  // namespace zonesync::sim
