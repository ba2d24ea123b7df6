// A server over a fake hub on loopback TLS; every answer is held to docs/openapi.yaml.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "protocol/http/client.hpp"
#include "protocol/runtime/logger.hpp"
#include "server/admin/admin_server.hpp"
#include "server/admin/router.hpp"
#include "server/admin/tests/fake_hub.hpp"

namespace zonesync::admin::testing {

inline constexpr auth::UnixTime kNow{std::chrono::seconds(1'790'000'000)};

/// Signed with the server's API key.
[[nodiscard]] std::string user_token(auth::Role role,
                                     std::chrono::seconds valid_for = std::chrono::hours(1));
[[nodiscard]] std::shared_ptr<const auth::Credentials> test_credentials();

class AdminFixture : public ::testing::Test {
 protected:
  AdminFixture();
  ~AdminFixture() override;

  /// Starts the server again with other options.
  void restart(AdminOptions options);
  [[nodiscard]] HttpClientOptions client_options(auth::Role role) const;
  [[nodiscard]] HttpClientOptions metrics_client() const;

  /// One call with a token of `role`; the answer is checked against the document.
  HttpResponse call(const std::string& method, const std::string& target,
                    const std::string& body = {}, HttpHeaders headers = {},
                    auth::Role role = auth::Role::editor);
  HttpResponse call_as(auth::Role role, const std::string& method, const std::string& target,
                       const std::string& body = {});
  HttpResponse send(const HttpClientOptions& client, HttpClientRequest request,
                    Port port = Port::api);
  HttpResponse get(const std::string& target) { return call("GET", target); }
  /// PUT of a MeshTimeout in mesh default.
  HttpResponse put(const std::string& name, const std::string& value, HttpHeaders headers = {});

  FakeHub hub_;
  std::shared_ptr<CapturingLogger> logger_ = std::make_shared<CapturingLogger>();
  std::unique_ptr<AdminServer> server_;
};

[[nodiscard]] boost::json::value parsed(const HttpResponse& response);
/// `{"spec":{"value":"<value>"}}`.
[[nodiscard]] std::string spec(const std::string& value);
[[nodiscard]] std::string timeout_path(const std::string& name);
/// Code and first field of a problem: "invalid_argument size".
[[nodiscard]] std::string problem(const HttpResponse& response);

}  // namespace zonesync::admin::testing
