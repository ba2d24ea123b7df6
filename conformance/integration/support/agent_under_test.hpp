// A real `zonesync-agent` process behind its own fault proxy.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "conformance/integration/support/hub_under_test.hpp"
#include "protocol/transport/testing/fault_proxy.hpp"

namespace zonesync::integration {

/// Life cycle: construct, start(), kill9()/stop(), start() again; its store, mirror and publish
/// directory stay. Thread rule: one thread.
class AgentUnderTest {
 public:
  AgentUnderTest(const Workspace& workspace, HubUnderTest& hub, std::string zone);

  void start();
  void kill9();
  int stop();
  /// After the hub was restarted: where the proxy sends new connections.
  void follow_hub();
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] FaultProxy& proxy() { return *proxy_; }
  [[nodiscard]] const std::string& zone() const { return zone_; }
  [[nodiscard]] std::filesystem::path mirror() const { return root_ / "mirror"; }
  [[nodiscard]] std::filesystem::path publish() const { return root_ / "publish"; }
  [[nodiscard]] std::filesystem::path store() const { return root_ / "store"; }

  /// The status file, parsed; null while there is none.
  [[nodiscard]] boost::json::value status() const;
  [[nodiscard]] std::int64_t status_number(const std::string& pointer) const;
  /// Until the mirror shows at least this revision.
  [[nodiscard]] bool wait_mirror(std::uint64_t revision) const;
  /// Files of the current cut: "<mesh>/<type>/<origin>/<name>.json" -> content.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> mirror_files() const;

  std::vector<std::string> extra_arguments;
  std::string token_file;

 private:
  HubUnderTest& hub_;
  std::string zone_;
  std::filesystem::path root_;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace zonesync::integration
