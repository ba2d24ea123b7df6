// A real `zonesync-hub serve` process with its directory, credentials and REST API.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/json/value.hpp>

#include "conformance/integration/support/workspace.hpp"
#include "protocol/http/client.hpp"
#include "protocol/runtime/child_process.hpp"

namespace zonesync::integration {

/// Life cycle: construct (runs `init`), start(), then kill9()/stop() and start() again as often as
/// wanted. Failures are reported through gtest. Thread rule: one thread.
class HubUnderTest {
 public:
  explicit HubUnderTest(const Workspace& workspace, std::string name = "hub");

  /// Starts on free ports and waits until it is ready.
  void start();
  void kill9();
  /// SIGTERM; the exit code.
  int stop();
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] bool logged(const std::string& event_code);

  [[nodiscard]] std::uint16_t sync_port() const { return sync_port_; }
  [[nodiscard]] const std::string& api_url() const { return api_url_; }
  [[nodiscard]] const std::string& metrics_url() const { return metrics_url_; }
  [[nodiscard]] const std::string& ca_file() const { return ca_file_; }
  [[nodiscard]] const std::string& admin_token_file() const { return admin_token_file_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// Writes a zone token into a file and returns its path. `valid_for` as the CLI takes it.
  [[nodiscard]] std::string zone_token_file(const std::string& zone,
                                            const std::string& valid_for = "24h");

  /// One REST call with the admin token; status 0 = no answer.
  HttpResponse call(const std::string& method, const std::string& target,
                    const std::string& body = {});
  /// The same, with the body parsed; null when it is not JSON.
  boost::json::value get(const std::string& target);
  [[nodiscard]] std::uint64_t head();
  /// Status object of one zone from /zones/_overview; null when unknown.
  boost::json::value zone(const std::string& name);
  /// Until every named zone is connected and acked the head.
  [[nodiscard]] bool wait_converged(const std::vector<std::string>& zones);
  /// Resident memory of the hub process in KiB.
  [[nodiscard]] std::size_t resident_kib() const;

 private:
  void connect_api();
  const Workspace& workspace_;
  std::string directory_;
  std::string config_file_;
  std::string ca_file_;
  std::string admin_token_file_;
  std::string ready_file_;
  std::string api_url_;
  std::string metrics_url_;
  std::uint16_t sync_port_ = 0;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<BlockingHttpClient> api_;
};

/// Number at `pointer` ("/zones/0/lag") or -1.
[[nodiscard]] std::int64_t number_at(const boost::json::value& value, const std::string& pointer);

}  // namespace zonesync::integration
