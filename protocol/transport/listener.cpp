#include "protocol/transport/listener.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "protocol/runtime/timer.hpp"
#include "protocol/transport/asio_error.hpp"
#include "protocol/transport/streams.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto kAcceptRetryDelay = 100ms;
constexpr auto kFullLogInterval = 1s;

// Counts a connection for as long as its stream lives.
struct Slot {
  explicit Slot(std::shared_ptr<std::atomic<std::size_t>> count) : count_(std::move(count)) {
    ++*count_;
  }
  ~Slot() { --*count_; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  std::shared_ptr<std::atomic<std::size_t>> count_;
};

// A server handshake in progress, on its connection's thread.
struct Handshake {
  explicit Handshake(asio::io_context& its_context) : context(its_context), timer(its_context) {}
  asio::io_context& context;
  std::unique_ptr<TlsHandshaker> stream;
  Timer timer;
  bool expired = false;
};

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  Impl(IoPool& io_pool, const ListenerOptions& given, std::shared_ptr<Logger> log,
       StreamHandler handler)
      : pool(io_pool),
        options(given),
        logger(log ? std::move(log) : null_logger()),
        on_stream(std::move(handler)),
        home(io_pool.next()),
        acceptor(home),
        retry(home) {}

  Status bind() {
    const std::string where = options.address + ":" + std::to_string(options.port);
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) {
      return fail(ErrorCode::invalid_argument,
                  "cannot listen on " + where + ": not a numeric address", "address");
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return fail(to_error(error, "cannot listen on " + where));
    port = acceptor.local_endpoint(error).port();
    return {};
  }

  void accept() {
    if (stopped) return;
    auto& context = pool.next();
    acceptor.async_accept(context, [self = shared_from_this(), &context](error_code error,
                                                                         tcp::socket socket) {
      if (self->stopped) return;
      if (error) return self->accept_failed(error);
      self->admit(context, std::move(socket));
      self->accept();
    });
  }

  // Out of descriptors, mostly: accepting at once again would only spin.
  void accept_failed(const error_code& error) {
    logger->log({LogLevel::error, "listener.accept_failed", "cannot accept a connection",
                 {{"reason", error.message()}, {"port", std::to_string(port)}}});
    retry.arm_after(kAcceptRetryDelay, [self = weak_from_this()] {
      if (const auto impl = self.lock()) impl->accept();
    });
  }

  void admit(asio::io_context& context, tcp::socket socket) {
    if (*count >= options.connections_max) {
      const auto now = std::chrono::steady_clock::now();
      if (now - full_logged >= kFullLogInterval) {
        full_logged = now;
        logger->log({LogLevel::warn, "listener.full", "connection refused: too many are open",
                     {{"limit", std::to_string(options.connections_max)},
                      {"port", std::to_string(port)}}});
      }
      return;  // the socket closes
    }
    auto slot = std::make_shared<Slot>(count);
    auto begin = [self = shared_from_this(), &context, slot,
                  held = std::make_shared<tcp::socket>(std::move(socket))] {
      if (self->stopped) return;
      if (!self->options.tls) return self->on_stream(make_tcp_stream(std::move(*held), slot));
      self->handshake(context, std::move(*held), slot);
    };
    asio::post(context, std::move(begin));
  }

  void handshake(asio::io_context& context, tcp::socket socket, std::shared_ptr<void> slot) {
    const auto shake = std::make_shared<Handshake>(context);
    shake->stream =
        make_tls_stream(std::move(socket), options.tls->current(), {}, std::move(slot));
    const std::uint64_t id = remember(shake);
    shake->timer.arm_after(options.handshake_timeout, [weak = std::weak_ptr(shake)] {
      const auto late = weak.lock();
      if (!late || !late->stream) return;
      late->expired = true;
      late->stream->close();
    });
    shake->stream->handshake([self = shared_from_this(), shake, id](error_code error) {
      self->forget(id);
      shake->timer.cancel();
      auto stream = std::move(shake->stream);
      if (self->stopped) return;
      if (!error && !shake->expired) return self->on_stream(std::move(stream));
      ++self->handshakes_failed;
      self->logger->log({LogLevel::warn, "tls.handshake_failed", "TLS handshake failed",
                         {{"peer", stream->peer().address},
                          {"reason", shake->expired ? "no handshake in time" : describe_tls(error)},
                          {"port", std::to_string(self->port)}}});
    });
  }

  std::uint64_t remember(const std::shared_ptr<Handshake>& shake) {
    const std::lock_guard lock(mutex);
    handshakes.emplace(++last_id, shake);
    return last_id;
  }

  void forget(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    handshakes.erase(id);
  }

  void stop() {
    if (stopped.exchange(true)) return;
    asio::post(home, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor.close(ignored);
      self->retry.cancel();
    });
    const std::lock_guard lock(mutex);
    for (const auto& [id, weak] : handshakes) {
      const auto shake = weak.lock();
      if (!shake) continue;
      asio::post(shake->context, [shake] {
        if (shake->stream) shake->stream->close();
      });
    }
  }

  IoPool& pool;
  ListenerOptions options;
  std::shared_ptr<Logger> logger;
  StreamHandler on_stream;
  asio::io_context& home;
  tcp::acceptor acceptor;
  Timer retry;
  std::uint16_t port = 0;
  TimePoint full_logged{};
  std::atomic<bool> stopped{false};
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::shared_ptr<std::atomic<std::size_t>> count = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex;  // guards the two below
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::weak_ptr<Handshake>> handshakes;
};

Result<std::shared_ptr<Listener>> Listener::start(IoPool& pool, const ListenerOptions& options,
                                                  std::shared_ptr<Logger> logger,
                                                  StreamHandler on_stream) {
  auto impl = std::make_shared<Impl>(pool, options, std::move(logger), std::move(on_stream));
  if (auto status = impl->bind(); !status) return fail(status.error());
  asio::post(impl->home, [impl] { impl->accept(); });
  return std::make_shared<Listener>(std::move(impl));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() { stop(); }
void Listener::stop() { impl_->stop(); }
std::uint16_t Listener::port() const { return impl_->port; }
std::size_t Listener::connections() const { return *impl_->count; }
std::uint64_t Listener::handshakes_failed() const { return impl_->handshakes_failed; }

}  // namespace zonesync
