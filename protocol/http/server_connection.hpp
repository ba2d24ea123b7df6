// One connection of an HttpServer. Not for users: see server.hpp.
#pragma once

#include <functional>
#include <memory>

#include "protocol/http/server.hpp"

namespace zonesync {

/// Reads one request at a time, hands it to the handler, writes the answer, goes on. While an
/// answer is awaited or streamed, one read is outstanding to notice that the client went away.
/// Thread rule: on the stream's thread.
class ServerConnection {
 public:
  virtual ~ServerConnection() = default;
  virtual void start() = 0;
  virtual void abort() = 0;
  [[nodiscard]] virtual boost::asio::any_io_executor get_executor() = 0;

  [[nodiscard]] static std::shared_ptr<ServerConnection> make(
      ByteStreamPtr stream, std::shared_ptr<const HttpServerOptions> options,
      std::shared_ptr<const HttpHandler> handler);
};

}  // namespace zonesync
