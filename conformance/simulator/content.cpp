#include "conformance/simulator/content.hpp"

#include <array>
#include <set>

#include "protocol/wire/codec.hpp"

namespace zonesync::sim {
namespace {

constexpr std::size_t kMassResources = 130;
constexpr std::size_t kLargeBytes = 210u << 10;  // over one part
// A spec that is no canonical JSON is refused by the hub; "poison" by the validators of zones.
constexpr std::string_view kPoison = "\"poison\"";

constexpr std::array<std::string_view, 5> kGlobalTypes = {"MeshTimeout", "MeshTimeout", "Mesh",
                                                          "MeshTrafficPermission", kScopedType};
constexpr std::array<std::string_view, 5> kZoneTypes = {"Dataplane", "MeshService", "ZoneIngress",
                                                        "MeshTimeout", kScopedType};

std::string spec_of(Environment& env, Rng& rng, bool refused) {
  std::size_t bytes = rng.below(env.plan.spec_max + 1);
  if (rng.chance(env.plan.large_percent)) {
    bytes = kLargeBytes;
    env.probe(Probe::large_resource);
  }
  std::string pad(bytes, 'x');
  for (std::size_t at = 0; at < pad.size(); at += 97) {
    pad[at] = static_cast<char>('a' + rng.below(26));
  }
  const bool poison = rng.chance(env.plan.poison_percent);
  return std::string(refused ? "{ " : "{") + "\"n\":" +
         std::to_string(rng.below(1'000'000)) + ",\"pad\":\"" + pad + "\"" +
         (poison ? "," + std::string(kPoison) + ":1" : "") + "}";
}

ResourceKey key_of(Environment& env, Rng& rng, std::string_view type, const std::string& origin) {
  ResourceKey key;
  key.type = std::string(type);
  key.origin = origin;
  if (env.types->find(type)->scope == TypeScope::mesh) {
    key.mesh = rng.chance(70) ? "default" : "other";
  }
  key.name = "r" + std::to_string(rng.below(env.plan.names));
  return key;
}

Resource resource_of(Environment& env, Rng& rng, ResourceKey key) {
  Resource resource;
  resource.key = std::move(key);
  const bool global = resource.key.origin == kGlobalOrigin;
  const bool refused = !global && rng.chance(env.plan.poison_percent / 2);
  resource.spec = spec_of(env, rng, refused);
  if (resource.key.type == kScopedType) {
    resource.labels[std::string(kScopeLabel)] = rng.chance(50) ? "red" : "blue";
    env.probe(Probe::class_move);
  }
  const bool home = rng.chance(10);
  if (home) {
    resource.labels[std::string(kSyncLabel)] = "disabled";
    env.probe(Probe::home_written);
  }
  if (!home && !refused && !is_poison(resource)) return resource;
  const auto cls = class_of(*env.types, resource);
  const SharedBytes payload = wire::make_upsert(cls.value(), resource).payload;
  if (home) env.oracle.keep_home(payload);
  if (refused) env.refused.insert(std::string(payload.view()));
  if (is_poison(resource)) env.poison.insert(std::string(payload.view()));
  return resource;
}

}  // namespace

bool is_poison(const Resource& resource) {
  return resource.spec.find(kPoison) != std::string::npos;
}

hub::WriteRequest invent_write(Environment& env, std::uint64_t draw) {
  Rng rng(draw);
  hub::WriteRequest request;
  request.actor = "operator-" + std::to_string(rng.below(3));
  const auto ops = rng.between(1, 6);
  std::set<ResourceKey> used;
  for (std::uint64_t i = 0; i < ops; ++i) {
    const auto type = kGlobalTypes[rng.below(kGlobalTypes.size())];
    ResourceKey key = key_of(env, rng, type, std::string(kGlobalOrigin));
    hub::WriteOp op;
    op.if_absent = rng.chance(4);
    if (rng.chance(25)) {
      op.kind = hub::WriteOp::Kind::remove;
      op.key = key;
      op.if_absent = false;
    } else {
      op.resource = resource_of(env, rng, key);
    }
    if (used.insert(key).second) request.ops.push_back(std::move(op));
  }
  if (rng.chance(15)) request.idempotency_key = "k" + std::to_string(rng.below(1'000'000));
  return request;
}

hub::ZoneScope invent_scope(std::uint64_t draw) {
  Rng rng(draw);
  hub::ZoneScope scope;
  if (rng.chance(25)) return scope;
  if (rng.chance(60)) {
    for (const auto& types : {kGlobalTypes, kZoneTypes}) {
      for (const std::string_view type : types) {
        if (rng.chance(60)) scope.types.emplace(type);
      }
    }
  }
  if (rng.chance(50)) {
    scope.labels[std::string(kScopeLabel)].emplace(rng.chance(50) ? "red" : "blue");
  }
  return scope;
}

hub::WriteRequest invent_mass_write(std::uint64_t draw) {
  Rng rng(draw);
  hub::WriteRequest request;
  request.actor = "mass";
  for (std::size_t i = 0; i < kMassResources; ++i) {
    ResourceKey key{"MeshTimeout", "mass", std::string(kGlobalOrigin), "m" + std::to_string(i)};
    hub::WriteOp op;
    op.resource.key = key;
    op.resource.spec = "{\"n\":" + std::to_string(rng.below(1'000)) + "}";
    request.ops.push_back(std::move(op));
  }
  return request;
}

std::vector<OutboxOp> invent_mass_publication(const std::string& zone, std::uint64_t draw) {
  Rng rng(draw);
  std::vector<OutboxOp> ops;
  for (std::size_t i = 0; i < kMassResources; ++i) {
    OutboxOp op;
    op.key = {"Dataplane", "mass", zone, "m" + std::to_string(i)};
    op.resource.emplace();
    op.resource->key = op.key;
    op.resource->spec = "{\"n\":" + std::to_string(rng.below(1'000)) + "}";
    ops.push_back(std::move(op));
  }
  return ops;
}

std::vector<OutboxOp> invent_publication(Environment& env, const std::string& zone,
                                         std::uint64_t draw) {
  Rng rng(draw);
  std::vector<OutboxOp> ops;
  std::set<ResourceKey> used;
  const auto count = rng.between(1, 5);
  for (std::uint64_t i = 0; i < count; ++i) {
    ResourceKey key = key_of(env, rng, kZoneTypes[rng.below(kZoneTypes.size())], zone);
    if (!used.insert(key).second) continue;
    OutboxOp op;
    op.key = key;
    if (!rng.chance(25)) op.resource = resource_of(env, rng, key);
    ops.push_back(std::move(op));
  }
  return ops;
}

}  // namespace zonesync::sim
