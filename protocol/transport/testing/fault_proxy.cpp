#include "protocol/transport/testing/fault_proxy.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "protocol/runtime/timer.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 16u << 10;
constexpr std::size_t kQueueMaxBytes = 64u << 10;      // per connection and direction
constexpr std::size_t kDelayQueueMaxBytes = 4u << 20;  // what is "on the wire" of a slow link
constexpr int kSocketBufferBytes = 128 << 10;          // so that back-pressure reaches the sender
constexpr std::uint64_t kSlicesPerSecond = 50;         // granularity of the bandwidth limit

// The faults of one direction and what they have done so far.
struct Lane {
  bool stalled = false;
  bool discarding = false;
  std::uint64_t bytes_per_second = 0;
  Duration latency{};
  std::optional<std::uint64_t> reset_after;
  TimePoint link_free_at{};  // when the limited link has sent what it was given
  std::uint64_t bytes = 0;

  void heal() {
    stalled = discarding = false;
    bytes_per_second = 0;
    latency = {};
    reset_after.reset();
    link_free_at = {};
  }
};

// One direction of one connection: read, hold as long as the lane says, write.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  Pipe(asio::io_context& context, tcp::socket& from, tcp::socket& to, Lane& lane,
       std::function<void()> reset, std::function<void()> on_end)
      : from_(from),
        to_(to),
        lane_(lane),
        reset_(std::move(reset)),
        on_end_(std::move(on_end)),
        timer_(context) {}

  /// Called at the start and whenever the lane's faults changed.
  void advance() {
    if (closed_) return;
    if (lane_.discarding) {
      held_.clear();
      held_bytes_ = 0;
    }
    read();
    write();
  }

  void close() {
    closed_ = true;
    timer_.cancel();
    reset_ = nullptr;
    on_end_ = nullptr;
  }

  /// The end of the stream was passed on.
  [[nodiscard]] bool finished() const { return end_passed_; }

 private:
  struct Piece {
    std::string bytes;
    TimePoint due;
  };

  [[nodiscard]] std::size_t queue_max() const {
    return lane_.latency > Duration::zero() ? kDelayQueueMaxBytes : kQueueMaxBytes;
  }

  void read() {
    if (reading_ || ended_ || held_bytes_ >= queue_max()) return;
    if (lane_.stalled && !lane_.discarding) return;
    reading_ = true;
    from_.async_read_some(asio::buffer(input_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->on_read(error, size);
                          });
  }

  void on_read(const error_code& error, std::size_t size) {
    reading_ = false;
    if (closed_) return;
    if (error == asio::error::eof) {
      ended_ = true;
    } else if (error) {
      return fault();
    } else if (!lane_.discarding) {
      held_.push_back({std::string(input_.data(), size), steady_clock::now() + lane_.latency});
      held_bytes_ += size;
    }
    advance();
  }

  void write() {
    if (writing_ || (lane_.stalled && !lane_.discarding)) return;
    if (held_.empty()) {
      if (ended_ && !lane_.discarding) end_of_stream();
      return;
    }
    const TimePoint now = steady_clock::now();
    const TimePoint due = lane_.bytes_per_second == 0
                              ? held_.front().due
                              : std::max(held_.front().due, lane_.link_free_at);
    if (due > now) {
      timer_.arm_at(due, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->advance();
      });
      return;
    }
    take_slice(now);
    writing_ = true;
    asio::async_write(to_, asio::buffer(output_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->on_written(error);
                      });
  }

  void take_slice(TimePoint now) {
    Piece& front = held_.front();
    std::size_t size = front.bytes.size();
    if (lane_.bytes_per_second != 0) {
      const std::uint64_t slice = std::max<std::uint64_t>(
          1, lane_.bytes_per_second / kSlicesPerSecond);
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, slice));
      const auto takes = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
          static_cast<double>(size) / static_cast<double>(lane_.bytes_per_second)));
      lane_.link_free_at = std::max(now, lane_.link_free_at) + takes;
    }
    if (lane_.reset_after && *lane_.reset_after < size) {
      size = static_cast<std::size_t>(*lane_.reset_after);
    }
    lane_.bytes += size;
    output_.assign(front.bytes, 0, size);
    front.bytes.erase(0, size);
    held_bytes_ -= size;
    if (front.bytes.empty()) held_.pop_front();
  }

  void on_written(const error_code& error) {
    writing_ = false;
    if (closed_) return;
    if (error) return fault();
    if (lane_.reset_after) {
      *lane_.reset_after -= std::min<std::uint64_t>(*lane_.reset_after, output_.size());
      if (*lane_.reset_after == 0) {
        lane_.reset_after.reset();
        return fault();
      }
    }
    advance();
  }

  void end_of_stream() {
    if (end_passed_) return;
    end_passed_ = true;
    error_code ignored;
    to_.shutdown(tcp::socket::shutdown_send, ignored);
    const auto on_end = on_end_;
    if (on_end) on_end();
  }

  void fault() {
    const auto reset = reset_;
    if (reset) reset();
  }

  tcp::socket& from_;
  tcp::socket& to_;
  Lane& lane_;
  std::function<void()> reset_;
  std::function<void()> on_end_;
  Timer timer_;
  std::array<char, kReadBytes> input_;
  std::string output_;
  std::deque<Piece> held_;
  std::size_t held_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;
  bool end_passed_ = false;
  bool closed_ = false;
};

void reset_socket(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::socket::linger(true, 0), ignored);  // close sends RST
  socket.close(ignored);
}

// A client, a server and the two pipes between them.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::io_context& context, tcp::socket client, Lane& up, Lane& down)
      : context_(context), client_(std::move(client)), server_(context), up_lane_(up),
        down_lane_(down) {}

  void start(const tcp::endpoint& target) {
    server_.async_connect(target, [self = shared_from_this()](error_code error) {
      if (self->closed_) return;
      if (error) return self->reset();
      self->connected();
    });
  }

  void advance() {
    if (up_) up_->advance();
    if (down_) down_->advance();
  }

  void reset() {
    const auto keep = shared_from_this();
    if (!end()) return;
    reset_socket(client_);
    reset_socket(server_);
  }

  [[nodiscard]] bool closed() const { return closed_; }

 private:
  // False: it ended before.
  bool end() {
    if (std::exchange(closed_, true)) return false;
    if (up_) up_->close();
    if (down_) down_->close();
    return true;
  }

  void end_if_both_finished() {
    if (!up_->finished() || !down_->finished() || !end()) return;
    error_code ignored;
    client_.close(ignored);
    server_.close(ignored);
  }

  void connected() {
    error_code ignored;
    for (tcp::socket* socket : {&client_, &server_}) {
      socket->set_option(tcp::no_delay(true), ignored);
      socket->set_option(tcp::socket::receive_buffer_size(kSocketBufferBytes), ignored);
      socket->set_option(tcp::socket::send_buffer_size(kSocketBufferBytes), ignored);
    }
    // The pipes keep the link, whose sockets they use; reset() breaks the circle.
    const auto reset_all = [self = shared_from_this()] { self->reset(); };
    const auto on_end = [self = shared_from_this()] { self->end_if_both_finished(); };
    up_ = std::make_shared<Pipe>(context_, client_, server_, up_lane_, reset_all, on_end);
    down_ = std::make_shared<Pipe>(context_, server_, client_, down_lane_, reset_all, on_end);
    advance();
  }

  asio::io_context& context_;
  tcp::socket client_;
  tcp::socket server_;
  Lane& up_lane_;
  Lane& down_lane_;
  std::shared_ptr<Pipe> up_;
  std::shared_ptr<Pipe> down_;
  bool closed_ = false;
};

Result<tcp::endpoint> parse_target(const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    return fail(ErrorCode::invalid_argument, "proxy target must be a numeric address: " + host);
  }
  return tcp::endpoint(address, port);
}

}  // namespace

struct FaultProxy::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  tcp::acceptor acceptor{context};
  tcp::endpoint target;
  Lane up;
  Lane down;
  bool is_cut = false;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::list<std::shared_ptr<Link>> links;
  std::uint16_t port = 0;
  std::thread thread;

  Status listen(std::uint16_t wanted) {
    error_code error;
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), wanted);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return fail(ErrorCode::unavailable, "proxy cannot listen: " + error.message());
    port = acceptor.local_endpoint(error).port();
    return {};
  }

  void accept() {
    acceptor.async_accept([this](error_code error, tcp::socket client) {
      if (error == asio::error::operation_aborted) return;
      links.remove_if([](const auto& link) { return link->closed(); });
      if (!error && is_cut) {
        ++refused;
        reset_socket(client);
      } else if (!error) {
        ++accepted;
        links.push_back(std::make_shared<Link>(context, std::move(client), up, down));
        links.back()->start(target);
      }
      accept();
    });
  }

  void reset_links() {
    for (const auto& link : links) link->reset();
    links.clear();
  }

  void each_lane(ProxyDirection direction, const std::function<void(Lane&)>& change) {
    run([&] {
      if (direction != ProxyDirection::to_client) change(up);
      if (direction != ProxyDirection::to_server) change(down);
      for (const auto& link : links) link->advance();
    });
  }

  // Runs on the proxy's thread and waits.
  void run(const std::function<void()>& work) {
    if (!thread.joinable()) return work();
    std::promise<void> done;
    asio::post(context, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
};

Result<std::unique_ptr<FaultProxy>> FaultProxy::start(const std::string& server_host,
                                                      std::uint16_t server_port,
                                                      std::uint16_t listen_port) {
  auto target = parse_target(server_host, server_port);
  if (!target) return fail(target.error());
  auto impl = std::make_unique<Impl>();
  impl->target = *target;
  if (auto status = impl->listen(listen_port); !status) return fail(status.error());
  impl->accept();
  impl->thread = std::thread([raw = impl.get()] { raw->context.run(); });
  return std::make_unique<FaultProxy>(std::move(impl));
}

FaultProxy::FaultProxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FaultProxy::~FaultProxy() { stop(); }

std::uint16_t FaultProxy::port() const { return impl_->port; }

void FaultProxy::cut() {
  impl_->run([this] {
    impl_->is_cut = true;
    impl_->reset_links();
  });
}

void FaultProxy::heal() {
  impl_->each_lane(ProxyDirection::both, [this](Lane& lane) {
    impl_->is_cut = false;
    lane.heal();
  });
}

void FaultProxy::reset_connections() {
  impl_->run([this] { impl_->reset_links(); });
}

void FaultProxy::stall(ProxyDirection direction) {
  impl_->each_lane(direction, [](Lane& lane) { lane.stalled = true; });
}

void FaultProxy::half_open(ProxyDirection direction) {
  impl_->each_lane(direction, [](Lane& lane) { lane.discarding = true; });
}

void FaultProxy::limit(ProxyDirection direction, std::uint64_t bytes_per_second) {
  impl_->each_lane(direction,
                   [&](Lane& lane) { lane.bytes_per_second = bytes_per_second; });
}

void FaultProxy::delay(ProxyDirection direction, Duration latency) {
  impl_->each_lane(direction, [&](Lane& lane) { lane.latency = latency; });
}

void FaultProxy::reset_after(ProxyDirection direction, std::uint64_t bytes) {
  const std::uint64_t count = std::max<std::uint64_t>(1, bytes);
  impl_->each_lane(direction, [&](Lane& lane) { lane.reset_after = count; });
}

void FaultProxy::set_server(const std::string& server_host, std::uint16_t server_port) {
  const auto target = parse_target(server_host, server_port);
  if (target) impl_->run([&] { impl_->target = *target; });
}

ProxyCounters FaultProxy::counters() const {
  ProxyCounters result;
  impl_->run([&] {
    impl_->links.remove_if([](const auto& link) { return link->closed(); });
    result = {impl_->up.bytes, impl_->down.bytes, impl_->accepted, impl_->refused,
              impl_->links.size()};
  });
  return result;
}

void FaultProxy::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->run([this] {
    error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->reset_links();
  });
  impl_->guard.reset();
  impl_->thread.join();
}

}  // namespace zonesync
