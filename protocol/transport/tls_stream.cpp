#include <array>
#include <memory>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "protocol/transport/streams.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;

std::vector<std::string> uris_of(X509* certificate) {
  std::vector<std::string> uris;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  return uris;
}

// The ssl::stream is built in place and never moved (Asio 1.26 leaks or breaks when it is).
class TlsStream final : public TlsHandshaker {
 public:
  TlsStream(tcp::socket socket, std::shared_ptr<ssl::context> context,
            const std::string& server_name, std::shared_ptr<void> keep)
      : keep_(std::move(keep)),
        context_(std::move(context)),
        stream_(std::move(socket), *context_),
        role_(server_name.empty() ? ssl::stream_base::server : ssl::stream_base::client) {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(tcp::no_delay(true), ignored);
    peer_.address = to_text(stream_.next_layer().remote_endpoint(ignored));
    if (!server_name.empty()) expect_server(server_name);
  }

  executor_type get_executor() override { return stream_.get_executor(); }

  void handshake(DoneHandler handler) override {
    stream_.async_handshake(
        role_, [this, handler = std::move(handler)](boost::system::error_code error) mutable {
          if (!error) note_peer();
          std::move(handler)(error);
        });
  }

  [[nodiscard]] std::string verify_failure() const override {
    const long result = SSL_get_verify_result(native());
    return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
  }

  void read_some(asio::mutable_buffer buffer, IoHandler handler) override {
    stream_.async_read_some(buffer, std::move(handler));
  }

  void write_some(asio::const_buffer buffer, IoHandler handler) override {
    stream_.async_write_some(buffer, std::move(handler));
  }

  void shutdown(DoneHandler handler) override {
    stream_.async_shutdown(
        [this, handler = std::move(handler)](boost::system::error_code error) mutable {
          if (!error || error.category() != asio::error::get_ssl_category()) {
            std::move(handler)(error);
          } else {
            drain(std::move(handler), 0);  // the peer was still sending
          }
        });
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  [[nodiscard]] const PeerInfo& peer() const override { return peer_; }

 private:
  [[nodiscard]] SSL* native() const {
    return const_cast<ssl::stream<tcp::socket>&>(stream_).native_handle();
  }

  // Reads and discards what the peer still sends, so that closing with unread data does not reset
  // the connection under our last words. Ends with the peer's end, a bound, or close().
  void drain(DoneHandler handler, std::size_t drained) {
    if (!drain_buffer_) drain_buffer_ = std::make_unique<std::array<char, 16384>>();
    stream_.next_layer().async_read_some(
        asio::buffer(*drain_buffer_),
        [this, drained, handler = std::move(handler)](boost::system::error_code error,
                                                      std::size_t bytes) mutable {
          if (error || drained + bytes > kDrainMaxBytes) {
            std::move(handler)(error);
          } else {
            drain(std::move(handler), drained + bytes);
          }
        });
  }

  // Server name indication is for names only; the certificate is checked for either kind.
  void expect_server(const std::string& name) {
    bool name_set = false;
    boost::system::error_code not_an_address;
    (void)asio::ip::make_address(name, not_an_address);
    if (not_an_address) {
      SSL_set_tlsext_host_name(native(), name.c_str());
      SSL_set_hostflags(native(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      name_set = SSL_set1_host(native(), name.c_str()) == 1;
    } else {
      name_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native()), name.c_str()) == 1;
    }
    // Without an expected name nothing may verify.
    if (!name_set) SSL_set1_host(native(), "invalid.");
  }

  void note_peer() {
    peer_.tls_version = SSL_get_version(native());
    if (role_ != ssl::stream_base::server) return;
    X509* certificate = SSL_get1_peer_certificate(native());
    if (certificate == nullptr) return;
    peer_.certificate_verified = SSL_get_verify_result(native()) == X509_V_OK;
    if (peer_.certificate_verified) peer_.certificate_uris = uris_of(certificate);
    X509_free(certificate);
  }

  static constexpr std::size_t kDrainMaxBytes = 8u << 20;
  std::unique_ptr<std::array<char, 16384>> drain_buffer_;
  std::shared_ptr<void> keep_;
  std::shared_ptr<ssl::context> context_;
  ssl::stream<tcp::socket> stream_;
  ssl::stream_base::handshake_type role_;
  PeerInfo peer_;
};

}  // namespace

std::unique_ptr<TlsHandshaker> make_tls_stream(tcp::socket socket,
                                               std::shared_ptr<ssl::context> context,
                                               const std::string& server_name,
                                               std::shared_ptr<void> keep) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context), server_name,
                                     std::move(keep));
}

}  // namespace zonesync
