// Asio, TLS and system errors as ours.
#pragma once

#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "protocol/model/result.hpp"

namespace zonesync {

/// `what` says what was tried: "connect to hub:5685". Codes: unavailable, timeout, canceled,
/// unauthenticated (TLS: a certificate was refused by either side), protocol (other TLS faults).
[[nodiscard]] Error to_error(const boost::system::error_code& code, std::string_view what);

/// One sentence for a TLS failure, with the likely cause where it is typical.
[[nodiscard]] std::string describe_tls(const boost::system::error_code& code);

}  // namespace zonesync
