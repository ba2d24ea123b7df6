// A hub process as a subject: real TLS websockets, and a control for what the protocol has no word
// for.
#pragma once

#include <memory>
#include <string>

#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

/// What a control does; HubSubject without the connection.
class HubControl {
 public:
  virtual ~HubControl() = default;
  [[nodiscard]] virtual Result<Capabilities> capabilities() = 0;
  virtual Result<Revision> write(const std::vector<ControlOp>& ops) = 0;
  virtual Result<std::vector<Resource>> state() = 0;
  virtual Result<ZoneFacts> zone(const std::string& name) = 0;
  virtual Status set_zone(const std::string& name, const std::string& command) = 0;
  virtual Status restart() = 0;
  virtual Status fault(const std::string& name, std::uint64_t argument) = 0;
  /// Errors: unsupported.
  virtual Result<std::string> mint_token(const std::string& zone) = 0;
  /// False = wait in real time.
  virtual bool advance(Duration by) = 0;
};

struct TargetOptions {
  std::string url;                  // wss://host:port/sync
  std::string ca_file;
  std::string token_file;           // one token, or "zone token" per line
  std::string mint_command;         // prints a token; {zone} is replaced
  std::string control;              // command, or rest:URL
  std::string admin_token_file;     // for rest:URL
  std::string restart_command;      // restarts the hub; returns when it is ready
};

/// Errors: invalid_argument (url, files), unavailable (control).
[[nodiscard]] Result<std::unique_ptr<SubjectFactory>> make_target_factory(TargetOptions options);

[[nodiscard]] Result<std::unique_ptr<HubControl>> make_rest_control(const TargetOptions& options);
[[nodiscard]] Result<std::unique_ptr<HubControl>> make_command_control(
    const TargetOptions& options);

}  // namespace zonesync::conform
