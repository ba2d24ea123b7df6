#include "protocol/http/server.hpp"

#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "protocol/http/server_connection.hpp"

namespace zonesync {

namespace asio = boost::asio;

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(const HttpServerOptions& given, HttpHandler its_handler)
      : options(std::make_shared<HttpServerOptions>(given)),
        handler(std::make_shared<HttpHandler>(std::move(its_handler))) {}

  void serve(ByteStreamPtr stream) {
    auto executor = stream->get_executor();
    const auto connection = ServerConnection::make(std::move(stream), options, handler);
    {
      const std::lock_guard lock(mutex);
      if (stopped) return;
      std::erase_if(connections, [](const auto& entry) { return entry.first.expired(); });
      connections.emplace_back(connection, std::move(executor));
    }
    connection->start();
  }

  void stop() {
    decltype(connections) open;
    {
      const std::lock_guard lock(mutex);
      stopped = true;
      open.swap(connections);
    }
    if (listener) listener->stop();
    for (const auto& [weak, executor] : open) {
      const auto connection = weak.lock();
      if (connection) asio::post(executor, [connection] { connection->abort(); });
    }
  }

  std::shared_ptr<const HttpServerOptions> options;
  std::shared_ptr<const HttpHandler> handler;
  std::shared_ptr<Listener> listener;
  std::mutex mutex;  // guards the two below
  bool stopped = false;
  std::vector<std::pair<std::weak_ptr<ServerConnection>, asio::any_io_executor>> connections;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(IoPool& pool,
                                                      const HttpServerOptions& options,
                                                      std::shared_ptr<Logger> logger,
                                                      HttpHandler handler) {
  auto impl = std::make_shared<Impl>(options, std::move(handler));
  auto listener = Listener::start(pool, options.listener, std::move(logger),
                                  [weak = std::weak_ptr(impl)](ByteStreamPtr stream) {
                                    if (const auto held = weak.lock()) {
                                      held->serve(std::move(stream));
                                    }
                                  });
  if (!listener) return fail(listener.error());
  impl->listener = std::move(*listener);
  return std::make_unique<HttpServer>(std::move(impl));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }
void HttpServer::stop() { impl_->stop(); }
std::uint16_t HttpServer::port() const { return impl_->listener->port(); }

}  // namespace zonesync
