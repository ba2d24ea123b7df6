#include "server/demo/generator.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "protocol/model/scope.hpp"

namespace zonesync::demo {
namespace {

constexpr std::size_t kServices = 40;
constexpr std::size_t kDataplanesPerZone = 20;
constexpr std::array kNames{"web",    "backend", "orders", "payments", "catalog",
                            "search", "users",   "mailer", "ledger",   "gateway"};

std::string service(std::size_t number) {
  return std::string(kNames[number % kNames.size()]) + "-" + std::to_string(number / kNames.size());
}

std::string text(const char* format, unsigned long long value) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string target(const std::string& name) {
  return R"("targetRef":{"kind":"MeshService","name":")" + name + R"("})";
}

/// Canonical JSON: keys sorted, no spaces.
std::string spec_of(std::size_t kind, const std::string& from, const std::string& to,
                    std::uint64_t version) {
  switch (kind) {
    case 0:  // MeshTimeout
      return R"({)" + target(from) + R"(,"to":[{"default":{"connectionTimeout":")" +
             text("%llus", 1 + version % 9) + R"(","http":{"requestTimeout":")" +
             text("%llums", 100 + version % 5000) + R"("}},)" + target(to) + "}]}";
    case 1:  // MeshRetry
      return R"({)" + target(from) + R"(,"to":[{"default":{"http":{"numRetries":)" +
             text("%llu", 1 + version % 7) + R"(,"perTryTimeout":")" +
             text("%llums", 50 + version % 900) + R"("}},)" + target(to) + "}]}";
    case 2:  // MeshTrafficPermission
      return R"({"from":[{"default":{"action":")" +
             std::string(version % 5 == 0 ? "AllowWithShadowDeny" : "Allow") + R"("},)" +
             target(from) + "}]," + target(to) + "}";
    case 3:  // MeshCircuitBreaker
      return R"({)" + target(from) + R"(,"to":[{"default":{"connectionLimits":{"maxConnections":)" +
             text("%llu", 10 + version % 4000) + R"(,"maxPendingRequests":)" +
             text("%llu", 5 + version % 100) + "}}," + target(to) + "}]}";
    default:  // MeshHTTPRoute
      return R"({)" + target(from) +
             R"(,"to":[{"rules":[{"default":{"backendRefs":[{"kind":"MeshServiceSubset","name":")" +
             to + R"(","tags":{"version":"v1"},"weight":)" + text("%llu", version % 100) +
             R"(},{"kind":"MeshServiceSubset","name":")" + to +
             R"(","tags":{"version":"v2"},"weight":)" + text("%llu", 100 - version % 100) +
             R"(}]},"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}],)" + target(to) +
             "}]}";
  }
}

constexpr std::array kKinds{"MeshTimeout", "MeshRetry", "MeshTrafficPermission",
                            "MeshCircuitBreaker", "MeshHTTPRoute"};

}  // namespace

Generator::Generator(std::uint64_t seed, std::size_t resources, std::vector<std::string> zones)
    : random_(seed),
      policies_(std::max<std::size_t>(resources, 2) - 1),
      zones_(std::move(zones)),
      next_extra_(policies_) {}

std::uint64_t Generator::pick(std::uint64_t below) { return random_() % below; }

Resource Generator::policy(std::size_t number, std::uint64_t version) const {
  const std::size_t kind = number % kKinds.size();
  const std::string from = service(number % kServices);
  const std::string to = service((number / 3 + 7) % kServices);
  Resource resource;
  resource.key = {kKinds[kind], "default", std::string(kGlobalOrigin),
                  from + "-to-" + to + "-" + std::to_string(number)};
  resource.labels["team"] = kNames[number % kNames.size()];
  resource.spec = spec_of(kind, from, to, version);
  return resource;
}

std::vector<Resource> Generator::initial() const {
  std::vector<Resource> all;
  Resource mesh;
  mesh.key = {"Mesh", "", std::string(kGlobalOrigin), "default"};
  mesh.spec = R"({"mtls":{"backends":[{"name":"ca-1","type":"builtin"}],"enabledBackend":"ca-1"}})";
  all.push_back(std::move(mesh));
  for (std::size_t i = 0; i < policies_; ++i) all.push_back(policy(i, 1));
  return all;
}

Resource Generator::dataplane(const std::string& zone, std::size_t number,
                              std::uint64_t version) const {
  Resource resource;
  const std::string name = service(number % kServices);
  resource.key = {"Dataplane", "default", zone, name + "-" + std::to_string(number)};
  resource.spec = R"({"networking":{"address":"10.)" + std::to_string(number / 250) + "." +
                  std::to_string(number % 250) + "." + std::to_string(1 + version % 250) +
                  R"(","inbound":[{"port":8080,"tags":{"kuma.io/protocol":"http",)" +
                  R"("kuma.io/service":")" + name + R"(","kuma.io/zone":")" + zone + R"("}}]}})";
  return resource;
}

std::vector<Resource> Generator::zone_initial(const std::string& zone) const {
  std::vector<Resource> all;
  for (std::size_t i = 0; i < kDataplanesPerZone; ++i) all.push_back(dataplane(zone, i, 1));
  Resource ingress;
  ingress.key = {"ZoneIngress", "", zone, "ingress"};
  ingress.spec = R"({"availableServices":[{"instances":)" + std::to_string(kDataplanesPerZone) +
                 R"(,"mesh":"default","tags":{"kuma.io/service":"web-0"}}],"networking":)" +
                 R"({"address":"10.99.0.1","advertisedAddress":"192.0.2.1",)" +
                 R"("advertisedPort":10001,"port":10001}})";
  all.push_back(std::move(ingress));
  return all;
}

Generator::Step Generator::next() {
  ++version_;
  const std::uint64_t dice = pick(100);
  if (dice < 6 && extra_.size() < 20) {
    extra_.push_back(next_extra_++);
    return {false, policy(extra_.back(), version_)};
  }
  if (dice < 10 && !extra_.empty()) {
    const std::size_t at = pick(extra_.size());
    const std::size_t number = extra_[at];
    extra_.erase(extra_.begin() + static_cast<std::ptrdiff_t>(at));
    return {true, policy(number, version_)};
  }
  return {false, policy(pick(policies_), version_)};
}

Resource Generator::next_of_zone(const std::string& zone) {
  ++version_;
  return dataplane(zone, pick(kDataplanesPerZone), version_);
}

}  // namespace zonesync::demo
