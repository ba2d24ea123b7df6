#include "protocol/core/testing/zone_ingress.hpp"

namespace zonesync::testing {
namespace {

/// splitmix64: a few lines, the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t value = (state_ += 0x9e3779b97f4a7c15ull);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
  }
  std::string hex(std::size_t digits) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i % 16 == 0) bits = next();
      text.push_back(kDigits[bits & 15]);
      bits >>= 4;
    }
    return text;
  }

 private:
  std::uint64_t state_;
};

/// Canonical JSON: keys sorted, no spaces.
std::string service(std::uint64_t seed, std::size_t index, bool changed) {
  Random random(seed * 1'000'003 + index);
  const std::string name = random.hex(12) + "_" + random.hex(6) + "_svc_8080";
  const std::string commit = random.hex(24);
  const std::string version = changed ? Random(seed + index + 7).hex(16) : random.hex(16);
  const std::uint64_t instances = 1 + random.next() % 9 + (changed ? 10 : 0);
  return "{\"instances\":" + std::to_string(instances) +
         ",\"mesh\":\"default\",\"tags\":{\"commit\":\"" + commit + "\",\"kuma.io/service\":\"" +
         name + "\",\"version\":\"" + version + "\"}}";
}

Resource build(const ZoneIngressShape& shape, std::size_t changed) {
  Resource resource;
  resource.key = {"ZoneIngress", "", shape.origin, "ingress-" + shape.origin};
  resource.spec = "{\"availableServices\":[";
  for (std::size_t i = 0; i < shape.services; ++i) {
    if (i > 0) resource.spec += ',';
    resource.spec += service(shape.seed, i, i == changed);
  }
  resource.spec +=
      "],\"networking\":{\"address\":\"10.0.0.1\",\"advertisedAddress\":\"192.0.2.1\","
      "\"advertisedPort\":10001,\"port\":10001}}";
  return resource;
}

}  // namespace

Resource zone_ingress(const ZoneIngressShape& shape) { return build(shape, shape.services); }

Resource with_service_changed(const ZoneIngressShape& shape, std::size_t index) {
  return build(shape, index);
}

}  // namespace zonesync::testing
