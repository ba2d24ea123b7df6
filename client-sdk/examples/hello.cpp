// A zone in forty lines: print what the hub sends, publish one resource, wait until it is there.
//
//   zonesync-hello wss://localhost:5685/sync east east.token ca.pem [store-directory]
#include <chrono>
#include <cstdio>

#include <zonesync/client.hpp>

namespace zs = zonesync;

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s HUB_URL ZONE TOKEN_FILE CA_FILE [STORE_DIR]\n", argv[0]);
    return 2;
  }
  zs::client::Config config;
  config.hub_url = argv[1];
  config.zone = argv[2];
  config.token_file = argv[3];
  config.ca_file = argv[4];
  if (argc > 5) config.store_dir = argv[5];

  auto created = zs::client::Client::create(config);
  if (!created) {
    std::fprintf(stderr, "error: %s\n", zs::describe(created.error()).c_str());
    return 1;
  }
  zs::client::Client& client = **created;
  client.set_validator("MeshTimeout",
                       [](const zs::Resource& resource) -> std::optional<zs::Reject> {
                         if (resource.spec.size() < 64'000) return std::nullopt;
                         return zs::Reject{"too_large", "/spec", "our proxy takes 64 kB"};
                       });
  client.on_cut([](const zs::client::Cut& cut) {
    for (const auto& change : cut.changes) {
      std::printf("%llu %s %s\n", static_cast<unsigned long long>(cut.revision.value),
                  change.resource ? "has" : "lost", zs::to_string(change.key).c_str());
    }
    return zs::client::CutAnswer::ok();
  });
  if (auto status = client.start(); !status) return 1;

  zs::Resource dataplane;
  dataplane.key = {"Dataplane", "default", config.zone, "hello"};
  dataplane.spec = R"({"networking":{"address":"192.0.2.1"}})";
  if (auto result = client.publish(dataplane); !result) {
    std::fprintf(stderr, "error: %s\n", zs::describe(result.error()).c_str());
    return 1;
  }
  const auto revision =
      client.sync_barrier(std::chrono::steady_clock::now() + std::chrono::seconds(30));
  if (!revision) {
    std::fprintf(stderr, "error: %s\n", zs::describe(revision.error()).c_str());
    return 1;
  }
  std::printf("in step with the hub at revision %llu\n",
              static_cast<unsigned long long>(revision->value));
  return 0;
}
