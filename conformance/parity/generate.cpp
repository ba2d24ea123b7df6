#include <array>

#include "conformance/parity/documents.hpp"
#include "conformance/parity/rng.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::conform::parity {
namespace {

namespace json = boost::json;

/// A share of the state. Sensitive types are left out: they travel whole by rule, not by size.
struct Share {
  std::string_view type;
  unsigned percent;
  bool of_zone;
};

constexpr std::array<Share, 13> kShares = {{
    {"Dataplane", 20, true},
    {"MeshService", 14, true},
    {"MeshTimeout", 3, true},
    {"MeshTrafficPermission", 12, false},
    {"MeshHTTPRoute", 11, false},
    {"MeshTimeout", 9, false},
    {"MeshRetry", 7, false},
    {"MeshCircuitBreaker", 6, false},
    {"MeshAccessLog", 5, false},
    {"MeshRateLimit", 4, false},
    {"MeshHealthCheck", 4, false},
    {"ExternalService", 3, false},
    {"TrafficRoute", 2, false},
}};
constexpr std::array<std::string_view, 4> kMeshes = {"default", "payments", "search", "edge"};

const Share& share_of(std::uint64_t draw) {
  for (const Share& share : kShares) {
    if (draw < share.percent) return share;
    draw -= share.percent;
  }
  return kShares.back();
}

/// Rules of random words until the spec has about that many bytes.
std::string spec_of(Rng& rng, std::size_t bytes) {
  json::object target;
  target["kind"] = "MeshSubset";
  target["name"] = word(rng, 12);
  json::object spec;
  spec["targetRef"] = std::move(target);
  json::array rules;
  for (std::size_t size = 60; size < bytes;) {
    json::object rule;
    rule["name"] = word(rng, 8 + rng.below(10));
    rule["match"] = word(rng, 16 + rng.below(48));
    rule["weight"] = rng.below(1'000);
    rule["address"] = "10." + std::to_string(rng.below(256)) + "." +
                      std::to_string(rng.below(256)) + "." + std::to_string(rng.below(256));
    size += text::write_canonical(json::value(rule)).size() + 1;
    rules.push_back(std::move(rule));
  }
  spec["rules"] = std::move(rules);
  return text::write_canonical(json::value(std::move(spec)));
}

}  // namespace

Documents generate_documents(const GenerateOptions& options) {
  Documents all;
  all.source = "generated, " + std::to_string(options.resources) + " resources";
  all.registry =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  all.documents = options.resources;
  Rng rng(options.seed);
  for (std::size_t number = 0; number < options.resources; ++number) {
    const Share& share = share_of(rng.below(100));
    Resource resource;
    resource.key.type = share.type;
    resource.key.mesh = kMeshes[rng.below(kMeshes.size())];
    resource.key.origin = share.of_zone ? kOwnerZone : kGlobalOrigin;
    resource.key.name = word(rng, 6) + "-" + std::to_string(number);
    resource.labels["team"] = word(rng, 6);
    // Rules are whole: what overshoots by half a rule on average is taken off before.
    constexpr std::size_t kHalfRule = 55;
    const std::size_t wanted = options.spec_bytes * (30 + rng.below(141)) / 100;
    resource.spec = spec_of(rng, wanted > kHalfRule ? wanted - kHalfRule : wanted);
    all.versions.push_back(std::move(resource));
  }
  return all;
}

}  // namespace zonesync::conform::parity
