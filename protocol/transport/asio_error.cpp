#include "protocol/transport/asio_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace zonesync {
namespace {

namespace asio = boost::asio;

bool is_certificate_fault(int reason) {
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

int reason_of(const boost::system::error_code& code) {
  return ERR_GET_REASON(static_cast<unsigned long>(code.value()));
}

ErrorCode code_of(const boost::system::error_code& code) {
  if (code == asio::error::operation_aborted) return ErrorCode::canceled;
  if (code == asio::error::timed_out) return ErrorCode::timeout;
  if (code.category() == asio::error::get_ssl_category()) {
    return is_certificate_fault(reason_of(code)) ? ErrorCode::unauthenticated
                                                 : ErrorCode::protocol;
  }
  return ErrorCode::unavailable;
}

}  // namespace

std::string describe_tls(const boost::system::error_code& code) {
  if (code.category() == asio::error::get_ssl_category()) {
    switch (reason_of(code)) {
      case SSL_R_HTTP_REQUEST: return "plain HTTP on a TLS port";
      case SSL_R_WRONG_VERSION_NUMBER: return "the peer does not speak TLS on this port";
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return "the peer does not trust our CA (alert unknown ca)";
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the peer sent no client certificate";
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return "no common TLS version (1.2 or 1.3 needed)";
      default: break;
    }
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    return "the peer closed the connection";
  }
  return code.message();
}

Error to_error(const boost::system::error_code& code, std::string_view what) {
  return Error{code_of(code), std::string(what) + ": " + describe_tls(code), {}};
}

}  // namespace zonesync
