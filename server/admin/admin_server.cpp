#include "server/admin/admin_server.hpp"

#include <atomic>

#include "protocol/http/server.hpp"
#include "server/admin/change_feed.hpp"
#include "server/admin/gate.hpp"

namespace zonesync::admin {
namespace {

constexpr std::chrono::milliseconds kDrain{500};  // for connections to close

auth::UnixTime system_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

HttpServerOptions api_options(const AdminOptions& options, std::shared_ptr<const Gate> gate) {
  HttpServerOptions http;
  http.listener.address = options.api_address;
  http.listener.port = options.api_port;
  http.listener.tls = options.api_tls;
  http.stream_buffer_max_bytes = options.stream_buffer_max_bytes;
  http.precheck = [gate = std::move(gate)](const HttpRequest& head) {
    return gate->precheck(head);
  };
  return http;
}

HttpServerOptions metrics_options(const AdminOptions& options) {
  HttpServerOptions http;
  http.listener.address = options.metrics_address;
  http.listener.port = options.metrics_port;
  http.body_max_bytes = 0;  // nobody has to say who he is here
  return http;
}

HttpHandler handler_of(std::shared_ptr<const Gate> gate) {
  return [gate = std::move(gate)](HttpRequest request, HttpResponderPtr responder) {
    gate->handle(std::move(request), std::move(responder));
  };
}

}  // namespace

struct AdminServer::Impl {
  Impl(AdminOptions options, hub::HubApi& hub)
      : pool(std::make_unique<IoPool>(options.threads)),
        context(std::make_shared<AdminContext>(std::move(options), hub, *pool)) {}

  Status serve();
  void listen();
  void stop();

  std::unique_ptr<IoPool> pool;      // first: everything below holds its sockets and timers
  ContextPtr context;
  std::shared_ptr<OwedReplies> owed = std::make_shared<OwedReplies>();
  std::unique_ptr<HttpServer> api;
  std::unique_ptr<HttpServer> metrics;
  hub::ListenerId listener = 0;
  bool listening = false;
  bool stopped = false;
  std::uint16_t api_port = 0;
  std::uint16_t metrics_port = 0;
};

Status AdminServer::Impl::serve() {
  const AdminOptions& options = context->options;
  const auto gate = std::make_shared<const Gate>(context, owed, Port::api);
  auto api_server = HttpServer::start(*pool, api_options(options, gate), context->logger,
                                      handler_of(gate));
  if (!api_server) return fail(std::move(api_server.error()));
  api = std::move(*api_server);
  api_port = api->port();
  if (!options.metrics_enabled) return {};
  auto metrics_server =
      HttpServer::start(*pool, metrics_options(options), context->logger,
                        handler_of(std::make_shared<Gate>(context, owed, Port::metrics)));
  if (!metrics_server) return fail(std::move(metrics_server.error()));
  metrics = std::move(*metrics_server);
  metrics_port = metrics->port();
  return {};
}

void AdminServer::Impl::listen() {
  // Many commits between two turns of our threads wake the readers once.
  const auto pending = std::make_shared<std::atomic<bool>>(false);
  listener = context->hub.listen([context = context, pending](const hub::HubEvent& event) {
    if (event.kind != hub::HubEvent::Kind::committed || pending->exchange(true)) return;
    context->executor.post([context, pending] {
      pending->store(false);
      context->feeds->wake_all();
    });
  });
  listening = true;
}

void AdminServer::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  if (listening) context->hub.unlisten(listener);
  if (api) api->stop();
  if (metrics) metrics->stop();
  context->executor.stop();
  pool->drain(kDrain);
  // Nothing runs any more: let go of every socket and timer before their event loops end.
  owed->drop_all();
  if (context->feeds) context->feeds->stop_all();
  api.reset();
  metrics.reset();
  pool.reset();
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() { stop(); }

Result<std::unique_ptr<AdminServer>> AdminServer::start(AdminOptions options, hub::HubApi& hub,
                                                        CredentialsSource credentials,
                                                        std::shared_ptr<Logger> logger) {
  if (!options.api_tls) {
    return fail(ErrorCode::invalid_argument, "the API needs a TLS context", "api_tls");
  }
  if (!credentials || !credentials()) {
    return fail(ErrorCode::invalid_argument, "the API needs credentials", "credentials");
  }
  if (!options.now) options.now = system_now;
  if (options.clock == nullptr) options.clock = &steady_clock();
  if (options.threads == 0) options.threads = 1;
  auto impl = std::make_unique<Impl>(std::move(options), hub);
  AdminContext& context = *impl->context;
  context.credentials = std::move(credentials);
  context.logger = logger ? std::move(logger) : null_logger();
  context.feeds = std::make_shared<ChangeFeeds>(*impl->pool, context.options.watchers_max);
  std::unique_ptr<AdminServer> server(new AdminServer(std::move(impl)));
  if (Status serving = server->impl_->serve(); !serving) return fail(std::move(serving.error()));
  server->impl_->listen();
  return server;
}

void AdminServer::stop() { impl_->stop(); }
std::uint16_t AdminServer::api_port() const { return impl_->api_port; }
std::uint16_t AdminServer::metrics_port() const { return impl_->metrics_port; }

}  // namespace zonesync::admin
