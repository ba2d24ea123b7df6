#include "conformance/campaigns/bulk.hpp"

#include <string>

#include "conformance/campaigns/measure.hpp"

namespace zonesync::campaigns {
namespace {

std::string transaction(const Bulk& bulk, std::mt19937_64& random, int first) {
  std::string items;
  for (int i = first; i < first + bulk.per_transaction; ++i) {
    if (!items.empty()) items += ',';
    items += R"({"op":"upsert","resource":)" +
             timeout_json("n" + std::to_string(i), noise(random, bulk.value_bytes)) + '}';
  }
  return R"({"operations":[)" + items + "]}";
}

}  // namespace

Status load(HubNode& hub, const Bulk& bulk, std::mt19937_64& random) {
  for (int i = 0; i < bulk.resources; i += bulk.per_transaction) {
    const auto response = hub.call("POST", "/transactions", transaction(bulk, random, i));
    if (response.status == 200 || response.status == 201) continue;
    return fail(ErrorCode::unavailable, "a transaction is answered with " +
                                            std::to_string(response.status) + " " + response.body);
  }
  return {};
}

}  // namespace zonesync::campaigns
