// TLS settings of one side, loaded from files, reloadable without dropping connections.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "protocol/model/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace zonesync {

struct TlsServerOptions {
  std::string certificate_file;  // PEM, leaf first, then intermediates
  std::string key_file;          // PEM
  std::string client_ca_file;    // PEM; empty = client certificates are not asked for
  bool require_client_certificate = false;
};

struct TlsClientOptions {
  std::string ca_file;           // PEM; empty = the system's trust store
  std::string certificate_file;  // optional client certificate and key (mTLS)
  std::string key_file;
};

/// TLS 1.2 and 1.3 with AEAD suites, no renegotiation, no compression, no early data, no session
/// resumption. Clients verify chain (depth 4) and host name; nothing switches that off.
///
/// Life cycle: made by server() or client(); reload() reads the files again, and connections made
/// after that use the new ones; a failed reload keeps the old ones.
/// Thread rule: any thread.
class TlsContext {
 public:
  /// Errors name the file and what is wrong with it.
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> server(const TlsServerOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> client(const TlsClientOptions& options);

  [[nodiscard]] Status reload();
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;

 private:
  using Native = std::shared_ptr<boost::asio::ssl::context>;
  TlsContext() = default;
  [[nodiscard]] static Result<Native> load(const TlsServerOptions& options);
  [[nodiscard]] static Result<Native> load(const TlsClientOptions& options);

  bool is_server_ = false;
  TlsServerOptions server_options_;
  TlsClientOptions client_options_;
  mutable std::mutex mutex_;
  Native current_;
};

using TlsContextPtr = std::shared_ptr<TlsContext>;

}  // namespace zonesync
