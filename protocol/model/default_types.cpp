// The default registry: Kuma 2.14's types and flags, plus the types only 2.5 had. Where both list
// a type, 2.14's flags hold. Provider and direction of each type are Kuma's own.
#include "protocol/model/assert.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync {
namespace {

enum Flag : unsigned {
  kToZones = 1u << 0,    // provided by global, received by every zone
  kToGlobal = 1u << 1,   // provided by zones, received by the hub
  kAcross = 1u << 2,     // what one zone provides reaches the others
  kAtGlobal = 1u << 3,   // provided by global, stays there
  kGlobalScope = 1u << 4,
  kLegacy = 1u << 5,     // flat form: no `spec` field in Kuma's text
  kSensitive = 1u << 6,
};

struct Row {
  const char* name;
  const char* plural;
  unsigned flags;
  int rank;
};

constexpr unsigned kPolicy = kToZones | kToGlobal | kAcross;
constexpr unsigned kShared = kToZones | kToGlobal;
constexpr unsigned kLegacyPolicy = kToZones | kLegacy;
constexpr unsigned kLegacyGlobal = kLegacy | kGlobalScope;
constexpr int kMeshRank = 10;
constexpr int kSecretRank = 20;
constexpr int kRank = 100;
constexpr int kInsightRank = 200;

constexpr Row kRows[] = {
    {"Mesh", "meshes", kToZones | kLegacyGlobal, kMeshRank},
    {"Config", "configs", kToZones | kLegacyGlobal, kSecretRank},
    {"GlobalSecret", "global-secrets", kToZones | kLegacyGlobal | kSensitive, kSecretRank},
    {"Secret", "secrets", kToZones | kLegacy | kSensitive, kSecretRank},

    {"MeshAccessLog", "meshaccesslogs", kPolicy, kRank},
    {"MeshCircuitBreaker", "meshcircuitbreakers", kPolicy, kRank},
    {"MeshFaultInjection", "meshfaultinjections", kPolicy, kRank},
    {"MeshHTTPRoute", "meshhttproutes", kPolicy, kRank},
    {"MeshHealthCheck", "meshhealthchecks", kPolicy, kRank},
    {"MeshLoadBalancingStrategy", "meshloadbalancingstrategies", kPolicy, kRank},
    {"MeshMetric", "meshmetrics", kPolicy, kRank},
    {"MeshPassthrough", "meshpassthroughs", kPolicy, kRank},
    {"MeshProxyPatch", "meshproxypatches", kPolicy, kRank},
    {"MeshRateLimit", "meshratelimits", kPolicy, kRank},
    {"MeshRetry", "meshretries", kPolicy, kRank},
    {"MeshTCPRoute", "meshtcproutes", kPolicy, kRank},
    {"MeshTLS", "meshtlses", kPolicy, kRank},
    {"MeshTimeout", "meshtimeouts", kPolicy, kRank},
    {"MeshTrace", "meshtraces", kPolicy, kRank},
    {"MeshTrafficPermission", "meshtrafficpermissions", kPolicy, kRank},

    {"HostnameGenerator", "hostnamegenerators", kShared | kGlobalScope, kRank},
    {"MeshExternalService", "meshexternalservices", kShared, kRank},
    {"MeshGateway", "meshgateways", kShared | kLegacy, kRank},
    {"MeshIdentity", "meshidentities", kShared, kRank},
    {"MeshOpenTelemetryBackend", "meshopentelemetrybackends", kShared, kRank},
    {"MeshTrust", "meshtrusts", kShared, kRank},

    {"MeshService", "meshservices", kToGlobal | kAcross, kRank},
    {"MeshZoneAddress", "meshzoneaddresses", kToGlobal | kAcross, kRank},
    {"ZoneIngress", "zone-ingresses", kToGlobal | kAcross | kLegacyGlobal, kRank},

    {"Dataplane", "dataplanes", kToGlobal | kLegacy, kRank},
    {"DataplaneInsight", "dataplane-insights", kToGlobal | kLegacy, kInsightRank},
    {"Workload", "workloads", kToGlobal, kRank},
    {"ZoneEgress", "zoneegresses", kToGlobal | kLegacyGlobal, kRank},
    {"ZoneEgressInsight", "zoneegressinsights", kToGlobal | kLegacyGlobal, kInsightRank},
    {"ZoneIngressInsight", "zone-ingress-insights", kToGlobal | kLegacyGlobal, kInsightRank},

    {"MeshGatewayRoute", "meshgatewayroutes", kLegacyPolicy, kRank},
    {"MeshMultiZoneService", "meshmultizoneservices", kToZones, kRank},
    {"ServiceInsight", "service-insights", kLegacyPolicy, kInsightRank},
    {"CircuitBreaker", "circuit-breakers", kLegacyPolicy, kRank},
    {"ExternalService", "external-services", kLegacyPolicy, kRank},
    {"FaultInjection", "fault-injections", kLegacyPolicy, kRank},
    {"HealthCheck", "health-checks", kLegacyPolicy, kRank},
    {"ProxyTemplate", "proxytemplates", kLegacyPolicy, kRank},
    {"RateLimit", "rate-limits", kLegacyPolicy, kRank},
    {"Retry", "retries", kLegacyPolicy, kRank},
    {"Timeout", "timeouts", kLegacyPolicy, kRank},
    {"TrafficLog", "traffic-logs", kLegacyPolicy, kRank},
    {"TrafficPermission", "traffic-permissions", kLegacyPolicy, kRank},
    {"TrafficRoute", "traffic-routes", kLegacyPolicy, kRank},
    {"TrafficTrace", "traffic-traces", kLegacyPolicy, kRank},
    {"VirtualOutbound", "virtual-outbounds", kLegacyPolicy, kRank},

    {"MeshInsight", "mesh-insights", kAtGlobal | kLegacyGlobal, kInsightRank},
    {"Zone", "zones", kAtGlobal | kLegacyGlobal, kRank},
    {"ZoneInsight", "zone-insights", kAtGlobal | kLegacyGlobal, kInsightRank},
};

TypeInfo to_info(const Row& row) {
  const auto has = [&](unsigned flag) { return (row.flags & flag) != 0; };
  TypeInfo info;
  info.name = row.name;
  info.plural = row.plural;
  info.scope = has(kGlobalScope) ? TypeScope::global : TypeScope::mesh;
  info.global_to_zones = has(kToZones);
  info.zone_to_global = has(kToGlobal);
  info.synced_across_zones = has(kAcross);
  info.provided_by_global = has(kToZones) || has(kAtGlobal);
  info.legacy = has(kLegacy);
  info.sensitive = has(kSensitive);
  info.rank = row.rank;
  return info;
}

}  // namespace

TypeRegistry TypeRegistry::with_default_types() {
  TypeRegistry registry;
  for (const Row& row : kRows) {
    const Status added = registry.add(to_info(row));
    ZS_ASSERT(added.has_value());
  }
  return registry;
}

}  // namespace zonesync
