// What the async and the blocking client share.
#pragma once

#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "protocol/http/client.hpp"
#include "protocol/transport/connector.hpp"

namespace zonesync {

[[nodiscard]] ConnectTarget connect_target(const HttpClientOptions& options);

/// The whole request as bytes. `close` asks for one answer only.
[[nodiscard]] std::string render_request(const HttpClientOptions& options,
                                         const HttpClientRequest& request, bool close);

/// "GET https://host:port/path", for errors; without the query, which may hold anything.
[[nodiscard]] std::string describe_request(const HttpClientOptions& options,
                                           const HttpClientRequest& request);

/// Beast's HTTP errors besides those of asio_error.hpp.
[[nodiscard]] Error to_http_error(const boost::system::error_code& code, std::string_view what);

}  // namespace zonesync
