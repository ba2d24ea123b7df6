// A hub in this process with its directory, and real clients against it over loopback TLS.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "client-sdk/include/zonesync/client.hpp"
#include "server/auth/init.hpp"
#include "server/cmd/hub_process.hpp"

namespace zonesync::testing {

inline constexpr auto kDeadline = std::chrono::seconds(30);

inline auth::UnixTime now_s() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Waits for a state that has no event of its own.
inline bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

inline Resource policy(const std::string& name, const std::string& text = "1s") {
  Resource resource;
  resource.key = {"MeshTimeout", "default", std::string(kGlobalOrigin), name};
  resource.spec = "{\"value\":\"" + text + "\"}";
  return resource;
}

inline Resource zone_ingress(const std::string& zone, const std::string& name) {
  Resource resource;
  resource.key = {"ZoneIngress", "", zone, name};
  resource.spec = "{\"port\":10001}";
  return resource;
}

class ProcessFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 ("hub-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    auth::InitOptions options;
    options.now = now_s();
    auto made = auth::init_directory(directory_, options);
    ASSERT_TRUE(made) << describe(made.error());
    init_ = *made;
    start_hub();
  }
  void TearDown() override {
    if (HasFailure()) {
      for (const auto& event : log->events()) {
        std::string line = event.event;
        for (const auto& field : event.fields) line += " " + field.name + "=" + field.value;
        std::cerr << line << std::endl;
      }
    }
    if (hub) hub->stop();
    hub.reset();
    std::filesystem::remove_all(directory_);
  }

  void start_hub() {
    HubConfigSources sources;
    sources.file = init_.config_file;
    sources.overrides = {{"listen.sync", "127.0.0.1:" + std::to_string(port_)},
                         {"io.threads", "2"}};
    auto config = load_hub_config(sources);
    ASSERT_TRUE(config);
    if (configure) configure(*config);
    HubProcess::Options options;
    options.config = std::move(*config);
    options.logger = log;
    auto started = HubProcess::start(std::move(options));
    ASSERT_TRUE(started) << describe(started.error());
    hub = std::move(*started);
    port_ = hub->sync_port();
  }
  void stop_hub() {
    hub->stop();
    hub.reset();
  }

  auth::IssuedToken token(const std::string& zone,
                          std::chrono::seconds valid_for = std::chrono::hours(1)) {
    auto keys = auth::SigningKeys::load(init_.zone_keys_dir, auth::KeyPurpose::zone);
    auth::ZoneTokenRequest request;
    request.zone = zone;
    request.audience = "zonesync-hub";
    request.valid_for = valid_for;
    return *auth::issue_zone_token(*keys, request, now_s());
  }

  client::Config client_config(const std::string& zone) {
    client::Config config;
    config.hub_url = "wss://127.0.0.1:" + std::to_string(port_) + "/sync";
    config.zone = zone;
    config.token = token(zone).token;
    config.ca_file = init_.ca_file.string();
    config.backoff.base = std::chrono::milliseconds(20);
    config.backoff.max = std::chrono::milliseconds(200);
    return config;
  }
  std::unique_ptr<client::Client> start_client(const client::Config& config) {
    auto made = client::Client::create(config);
    EXPECT_TRUE(made) << describe(made.error());
    EXPECT_TRUE((*made)->start());
    return std::move(*made);
  }
  std::unique_ptr<client::Client> start_client(const std::string& zone) {
    return start_client(client_config(zone));
  }

  Result<hub::WriteResult> write(const Resource& resource) {
    hub::WriteRequest request;
    hub::WriteOp op;
    op.resource = resource;
    request.ops = {op};
    return await<hub::WriteResult>([&](hub::WriteDone done) { hub->submit(request, done); });
  }
  template <class T>
  Result<T> await(const std::function<void(std::function<void(Result<T>)>)>& start) {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<T>> answer;
    start([&](Result<T> result) {
      const std::lock_guard lock(mutex);
      answer = std::move(result);
      wake.notify_all();
    });
    std::unique_lock lock(mutex);
    if (!wake.wait_for(lock, kDeadline, [&] { return answer.has_value(); })) {
      return fail(ErrorCode::timeout, "no answer");
    }
    return *answer;
  }
  client::Deadline deadline() const { return std::chrono::steady_clock::now() + kDeadline; }

  std::function<void(HubConfig&)> configure;  // at every start; set before it
  std::shared_ptr<CapturingLogger> log = std::make_shared<CapturingLogger>();
  std::unique_ptr<HubProcess> hub;
  auth::InitResult init_;
  std::uint16_t port_ = 0;

 private:
  std::filesystem::path directory_;
};

}  // namespace zonesync::testing
