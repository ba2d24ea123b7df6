// How a zone's client is set up.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/core/time.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync {
class Clock;
class Logger;
}  // namespace zonesync

namespace zonesync::client {

/// Reconnect policy: full jitter, delay = random(0, min(max, base * 2^attempt)).
struct BackoffOptions {
  Duration base = limits::kBackoffBase;
  Duration max = limits::kBackoffMax;
  Duration auth = limits::kBackoffAuth;           // slow regime after 401, 403, certificate errors
  Duration healthy_after = std::chrono::seconds(60);  // a session this long resets the attempts
};

/// Plain values; check with `check_config` (Client::create does).
struct Config {
  std::string hub_url;                 // wss://host:port/sync; ws:// only to loopback addresses
  std::string zone;                    // our zone's name; the credential must be for it
  std::string token;                   // zone token; a secret. Either this ...
  std::string token_file;              // ... or a file, read again at every connect
  std::string ca_file;                 // PEM of the hub's CA; empty = the system's trust store
  std::string client_certificate_file; // where a TLS proxy asks for one
  std::string client_key_file;
  std::string connect_address;         // host:port to dial instead of the URL's (a proxy)
  std::string store_dir;               // empty = nothing survives a restart ("durable: false")
  std::vector<std::string> types;      // what we want to receive; empty = all
  std::vector<std::string> meshes;     // the same for meshes
  bool delta_enabled = true;           // false = complete lists (v1) only; else the hub may choose
  bool compression = true;             // offer zstd packets and patches
  std::string software = "zonesync-client/0.1";
  BackoffOptions backoff;
  std::size_t outbox_hot_bytes = 4u << 20;  // newest own changes kept in memory for sending
  /// Types that our publications may use before the hub told us its own table; none = the defaults.
  std::shared_ptr<const TypeRegistry> registry;
  const Clock* clock = nullptr;        // none = the real one; outlives the client
  std::shared_ptr<Logger> logger;      // none = silent
};

/// Errors: invalid_argument with the option's name as field.
[[nodiscard]] Status check_config(const Config& config);

}  // namespace zonesync::client
