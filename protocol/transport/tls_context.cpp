#include "protocol/transport/tls_context.hpp"

#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace zonesync {
namespace {

namespace ssl = boost::asio::ssl;
using Native = std::shared_ptr<ssl::context>;

constexpr const char* kTls13Suites =
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr int kChainDepth = 4;

// Every setting that matters is passed; nothing is left to the library's or distribution's default.
Status harden(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_clear_options(context, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify_depth(context, kChainDepth);
  const bool ok = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_ciphersuites(context, kTls13Suites) == 1 &&
                  SSL_CTX_set_cipher_list(context, kTls12Suites) == 1 &&
                  SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
  if (!ok) return fail(ErrorCode::internal, "OpenSSL refuses the TLS settings of this build");
  return {};
}

tl::unexpected<Error> file_fault(const char* what, const std::string& file,
                                 const std::string& reason) {
  ERR_clear_error();
  return fail(ErrorCode::invalid_argument,
              std::string("cannot use ") + what + " '" + file + "': " + reason, file);
}

Status use_certificate(ssl::context& context, const std::string& certificate_file,
                       const std::string& key_file) {
  boost::system::error_code error;
  context.use_certificate_chain_file(certificate_file, error);
  if (error) return file_fault("certificate file", certificate_file, error.message());
  context.use_private_key_file(key_file, ssl::context::pem, error);
  if (error) return file_fault("key file", key_file, error.message());
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return file_fault("key file", key_file,
                      "it does not belong to certificate '" + certificate_file + "'");
  }
  return {};
}

Status use_authority(ssl::context& context, const std::string& ca_file) {
  boost::system::error_code error;
  context.load_verify_file(ca_file, error);
  if (error) return file_fault("CA file", ca_file, error.message());
  return {};
}

}  // namespace

Result<Native> TlsContext::load(const TlsServerOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  if (auto status = harden(context->native_handle()); !status) return fail(status.error());
  auto status = use_certificate(*context, options.certificate_file, options.key_file);
  if (!status) return fail(status.error());
  boost::system::error_code error;
  if (options.client_ca_file.empty()) {
    if (options.require_client_certificate) {
      return fail(ErrorCode::invalid_argument,
                  "client certificates are required but no client CA file is given");
    }
    context->set_verify_mode(ssl::verify_none, error);
    return context;
  }
  status = use_authority(*context, options.client_ca_file);
  if (!status) return fail(status.error());
  SSL_CTX_set_client_CA_list(context->native_handle(),
                             SSL_load_client_CA_file(options.client_ca_file.c_str()));
  context->set_verify_mode(options.require_client_certificate
                               ? ssl::verify_peer | ssl::verify_fail_if_no_peer_cert
                               : ssl::verify_peer,
                           error);
  return context;
}

Result<Native> TlsContext::load(const TlsClientOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  if (auto status = harden(context->native_handle()); !status) return fail(status.error());
  boost::system::error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
    if (error) return fail(ErrorCode::unavailable, "cannot load the system's CA certificates");
  } else if (auto status = use_authority(*context, options.ca_file); !status) {
    return fail(status.error());
  }
  if (!options.certificate_file.empty()) {
    auto status = use_certificate(*context, options.certificate_file, options.key_file);
    if (!status) return fail(status.error());
  }
  return context;
}

Result<TlsContextPtr> TlsContext::server(const TlsServerOptions& options) {
  const TlsContextPtr result(new TlsContext);
  result->is_server_ = true;
  result->server_options_ = options;
  if (auto status = result->reload(); !status) return fail(status.error());
  return result;
}

Result<TlsContextPtr> TlsContext::client(const TlsClientOptions& options) {
  const TlsContextPtr result(new TlsContext);
  result->client_options_ = options;
  if (auto status = result->reload(); !status) return fail(status.error());
  return result;
}

Status TlsContext::reload() {
  auto loaded = is_server_ ? load(server_options_) : load(client_options_);
  if (!loaded) return fail(loaded.error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*loaded);
  return {};
}

Native TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace zonesync
