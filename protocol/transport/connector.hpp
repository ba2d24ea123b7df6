// Opens outgoing connections: resolve, TCP connect, TLS with verification.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/transport/byte_stream.hpp"
#include "protocol/transport/tls_context.hpp"

namespace boost::asio {
class io_context;
}

namespace zonesync {

struct ConnectTarget {
  std::string host;             // name or address; the certificate must be valid for it
  std::uint16_t port = 0;
  TlsContextPtr tls;            // none = plain TCP
  std::string connect_address;  // where to connect instead of `host` (a proxy); empty = host
};

using ConnectHandler = std::function<void(Result<ByteStreamPtr>)>;

/// Calls `done` once on the context's thread. Errors: unavailable (cannot resolve or connect),
/// unauthenticated (TLS: the server's certificate or ours was refused), timeout.
/// Call on the context's thread or before it runs.
void connect_stream(boost::asio::io_context& context, const ConnectTarget& target,
                    Duration timeout, ConnectHandler done);

}  // namespace zonesync
