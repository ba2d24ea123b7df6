#include "conformance/integration/support/cluster.hpp"

#include <boost/json/parse.hpp>

namespace zonesync::integration {
namespace {

std::uint64_t acked_revision(const HttpResponse& response) {
  if (response.status != 200 && response.status != 201) return 0;
  const std::string_view etag = response.headers.get("ETag");
  std::uint64_t revision = 0;
  for (const char c : etag) {
    if (c >= '0' && c <= '9') revision = revision * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return revision;
}

std::uint64_t transaction_revision(const HttpResponse& response) {
  if (response.status != 200 && response.status != 201) return 0;
  boost::system::error_code failed;
  const auto body = boost::json::parse(response.body, failed);
  return failed ? 0 : static_cast<std::uint64_t>(number_at(body, "/revision"));
}

}  // namespace

std::string timeout_json(const std::string& name, const std::string& value,
                         const std::string& type) {
  return R"({"type":")" + type + R"(","mesh":"default","name":")" + name +
         R"(","spec":{"value":")" + value + R"("}})";
}

Cluster::Cluster(const std::vector<std::string>& zones) : hub(workspace) {
  hub.start();
  for (const std::string& zone : zones) {
    agents[zone] = std::make_unique<AgentUnderTest>(workspace, hub, zone);
    agents[zone]->start();
  }
}

std::vector<std::string> Cluster::zone_names() const {
  std::vector<std::string> names;
  for (const auto& [name, agent] : agents) names.push_back(name);
  return names;
}

void Cluster::restart_hub() {
  hub.start();
  for (auto& [name, agent] : agents) agent->follow_hub();
}

::testing::AssertionResult Cluster::converges() {
  if (!hub.wait_converged(zone_names())) {
    auto failure = ::testing::AssertionFailure() << "zones do not reach the hub's head\n"
                                                 << hub.call("GET", "/zones/_overview").body;
    for (auto& [name, agent] : agents) {
      failure << "\nagent " << name << ":\n" << agent->process().recent_lines(15);
    }
    return failure << "\nhub:\n" << hub.process().recent_lines(15);
  }
  const std::uint64_t head = hub.head();
  for (auto& [name, agent] : agents) {
    if (!agent->wait_mirror(head)) {
      return ::testing::AssertionFailure() << "mirror of " << name << " does not reach " << head
                                           << "\n" << agent->process().recent_lines(15);
    }
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult Cluster::mirrors_equal() {
  for (auto& [name, agent] : agents) {
    const RunResult compared =
        run({ZONESYNC_PYTHON, ZONESYNC_SOURCE_DIR "/tools/compare_mirror.py", "--api",
             hub.api_url(), "--ca", hub.ca_file(), "--token-file", hub.admin_token_file(),
             "--zone", name, "--mirror", agent->mirror().string()});
    if (compared.code != 0) {
      return ::testing::AssertionFailure() << "mirror of " << name << ":\n" << compared.output;
    }
  }
  return ::testing::AssertionSuccess();
}

std::uint64_t Cluster::put(const std::string& name, const std::string& value) {
  return acked_revision(
      hub.call("PUT", "/meshes/default/meshtimeouts/" + name, timeout_json(name, value)));
}

std::uint64_t Cluster::remove(const std::string& name) {
  const auto response = hub.call("DELETE", "/meshes/default/meshtimeouts/" + name);
  return response.status >= 200 && response.status < 300 ? 1 : 0;
}

std::uint64_t Cluster::put_many(const std::string& prefix, int from, int to,
                                const std::string& value) {
  std::string body = R"({"operations":[)";
  for (int i = from; i < to; ++i) {
    if (i > from) body += ',';
    body += R"({"op":"upsert","resource":)" + timeout_json(prefix + std::to_string(i), value) + '}';
  }
  return transaction_revision(hub.call("POST", "/transactions", body + "]}"));
}

}  // namespace zonesync::integration
