// A client against a scripted hub over loopback TLS.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client-sdk/include/zonesync/client.hpp"
#include "client-sdk/src/tests/hub_server.hpp"

namespace zonesync::client {

using namespace std::chrono_literals;
using testing::HubServer;
using testing::make_change;
using testing::make_resource;

inline Deadline soon() { return std::chrono::steady_clock::now() + 20s; }

inline Resource mesh(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Mesh", "", "global", name, spec);
}
inline Resource dataplane(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Dataplane", "default", "", name, spec);
}

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    char name[] = "/tmp/zonesync-client-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ClientTest() override { std::filesystem::remove_all(directory_); }

  Config config() {
    Config config;
    config.hub_url = hub_.url();
    config.ca_file = hub_.ca_file();
    config.zone = "east";
    config.token = "secret";
    config.backoff.base = 5ms;
    config.backoff.max = 50ms;
    return config;
  }
  std::unique_ptr<Client> make(Config config) {
    auto client = Client::create(std::move(config));
    EXPECT_TRUE(client.has_value()) << (client ? "" : describe(client.error()));
    return client ? std::move(*client) : nullptr;
  }
  void wait_status(Client& client, const std::function<bool(const ClientStatus&)>& wanted) {
    const Deadline deadline = soon();
    std::unique_lock lock(mutex_);
    while (!wanted(client.status())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline)
          << "state " << to_string(client.status().state);
      changed_.wait_for(lock, 100ms);
    }
  }
  void watch(Client& client) {
    client.on_status([this](const ClientStatus&) { changed_.notify_all(); });
  }

  HubServer hub_{"east"};
  std::string directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace zonesync::client
