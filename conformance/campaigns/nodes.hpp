// Real hub and agent processes as campaigns drive them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "protocol/http/client.hpp"
#include "protocol/runtime/child_process.hpp"
#include "protocol/transport/testing/fault_proxy.hpp"

namespace zonesync::campaigns {

/// Everything a real process could be slow at on a busy machine; only failures ever wait this long.
inline constexpr std::chrono::milliseconds kDeadline = std::chrono::minutes(1);

/// A directory of its own, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] bool eventually(const std::function<bool()>& ready,
                              std::chrono::milliseconds deadline = kDeadline);
[[nodiscard]] std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);
/// Null when it is not JSON.
[[nodiscard]] boost::json::value parse_or_null(const std::string& text);
/// At a JSON pointer; -1 and "" when there is none.
[[nodiscard]] std::int64_t number_at(const boost::json::value& value, const std::string& pointer);
[[nodiscard]] std::string text_at(const boost::json::value& value, const std::string& pointer);

/// A program run to its end; stdout and stderr together.
struct Ran {
  int code = -1;
  std::string output;
};
[[nodiscard]] Ran run(std::vector<std::string> argv);

/// "origin/name" -> canonical text.
using Resources = std::map<std::string, std::string>;

/// Life cycle: init once, then start and kill9/stop as often as wanted. Thread rule: one thread.
class HubNode {
 public:
  /// `store` = directory of the log; empty = beside the configuration.
  HubNode(std::string bin_dir, std::string directory, std::string store = {});
  Status init();

  /// Starts on free ports and waits until it is ready. Errors: unavailable (it ended: `exit_code`
  /// and `said` tell why).
  Status start();
  void kill9();
  /// Stops every thread and waits until each stands still. Errors: timeout.
  [[nodiscard]] Status freeze();
  void thaw();
  /// SIGTERM; the exit code, -1 = none in time.
  int stop();
  /// The exit code of a hub that must end by itself; nothing when it does not.
  [[nodiscard]] std::optional<int> wait_exit(std::chrono::milliseconds deadline = kDeadline);
  [[nodiscard]] bool running() { return process_ && process_->running(); }
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] std::string said() { return process_ ? process_->recent_lines(400) : ""; }
  [[nodiscard]] int exit_code() const { return exit_code_; }

  /// One call; status 0 = no answer.
  HttpResponse call(const std::string& method, const std::string& target,
                    const std::string& body = {}, const std::string& idempotency_key = {});
  /// A client of its own, for another thread.
  [[nodiscard]] std::unique_ptr<BlockingHttpClient> new_client() const;
  /// The acked revision, 0 = not acked.
  std::uint64_t put(const std::string& name, const std::string& value,
                    const std::string& idempotency_key = {});
  [[nodiscard]] std::uint64_t head();
  [[nodiscard]] std::string era() { return text_at(parse_or_null(call("GET", "/").body), "/era"); }
  /// What /readyz says; nothing = no answer within a second.
  [[nodiscard]] std::optional<unsigned> readyz();
  /// What the hub says of a zone; null when it does not know it.
  [[nodiscard]] boost::json::value zone(const std::string& name);
  /// A zone has what the log had at `head`: by revision, and by digest, which the hub checks.
  [[nodiscard]] bool converged(const std::string& zone, std::uint64_t head);
  /// Every MeshTimeout; nothing when a page cannot be read.
  [[nodiscard]] std::optional<Resources> resources();
  [[nodiscard]] std::string zone_token(const std::string& zone);

  [[nodiscard]] std::uint16_t sync_port() const { return sync_port_; }
  [[nodiscard]] const std::string& store() const { return store_; }
  [[nodiscard]] std::string ca_file() const { return directory_ + "/tls/ca.pem"; }
  [[nodiscard]] std::string key_file() const { return directory_ + "/keys/storage.key"; }
  [[nodiscard]] std::string program() const { return bin_dir_ + "/zonesync-hub"; }
  [[nodiscard]] const std::string& bin_dir() const { return bin_dir_; }

  std::vector<std::string> environment;  // NAME=value, for the next start

 private:
  std::string bin_dir_;
  std::string directory_;
  std::string store_;
  std::string api_url_;
  std::string metrics_url_;
  std::uint16_t sync_port_ = 0;
  int exit_code_ = -1;
  unsigned tokens_ = 0;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<BlockingHttpClient> api_;
  std::unique_ptr<BlockingHttpClient> metrics_;
};

/// An agent behind a proxy of its own, so that it finds a hub that was restarted on another port.
class AgentNode {
 public:
  AgentNode(HubNode& hub, std::string directory, std::string zone);
  Status start();
  void kill9();
  int stop();
  void follow_hub();
  void publish(const std::string& name, const std::string& value);
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] bool running() { return process_ && process_->running(); }
  [[nodiscard]] const std::string& zone() const { return zone_; }
  [[nodiscard]] std::string store() const { return directory_ + "/store"; }
  [[nodiscard]] FaultProxy& proxy() { return *proxy_; }
  /// Before the first start: a store and nothing else, no mirror and nothing published.
  void set_bare() { bare_ = true; }
  [[nodiscard]] boost::json::value status() const;
  [[nodiscard]] std::int64_t status_number(const std::string& pointer) const {
    return number_at(status(), pointer);
  }
  /// What the mirror shows now.
  [[nodiscard]] Resources mirror() const;
  /// What the mirror must show: everything but what the zone itself owns.
  [[nodiscard]] std::optional<Resources> expected();
  /// Until the mirror is what the hub's API says.
  [[nodiscard]] bool wait_equal(std::chrono::milliseconds deadline = kDeadline);

 private:
  HubNode& hub_;
  std::string directory_;
  std::string zone_;
  std::string token_file_;
  bool bare_ = false;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<ChildProcess> process_;
};

[[nodiscard]] std::string timeout_json(const std::string& name, const std::string& value);

}  // namespace zonesync::campaigns
