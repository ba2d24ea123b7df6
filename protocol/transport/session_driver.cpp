#include "protocol/transport/session_driver.hpp"

#include <atomic>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "protocol/runtime/timer.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;

// How long what is left may take to be written once the session wants to close.
constexpr auto kFlushTimeout = std::chrono::seconds(5);

class Driver final : public SessionDriver {
 public:
  Driver(WebSocketPtr socket, std::shared_ptr<SessionPort> session, const Clock& clock)
      : socket_(std::move(socket)),
        session_(std::move(session)),
        clock_(clock),
        executor_(socket_->get_executor()),
        tick_timer_(executor_),
        flush_timer_(executor_) {}

  void start() override {
    asio::dispatch(executor_, [self = self_()] {
      self->session_->on_open(self->clock_.now());
      self->read();
      self->pump();
    });
  }

  void wake() override {
    if (wake_posted_.exchange(true)) return;
    asio::post(executor_, [self = self_()] {
      self->wake_posted_ = false;
      self->pump();
    });
  }

  void request_close(CloseInfo info) override {
    asio::post(executor_, [self = self_(), info = std::move(info)] {
      if (self->ended_ || self->closing_) return;
      self->begin_close(info);
    });
  }

  void post(std::function<void()> work) override {
    asio::post(executor_, [self = self_(), work = std::move(work)] {
      if (self->ended_) return;
      work();
      self->pump();
    });
  }

  [[nodiscard]] TrafficCounters traffic() const override {
    return {bytes_rx_, bytes_tx_, messages_rx_, messages_tx_};
  }

 private:
  [[nodiscard]] std::shared_ptr<Driver> self_() {
    return std::static_pointer_cast<Driver>(shared_from_this());
  }

  void read() {
    socket_->set_message_max(session_->message_max_bytes());
    socket_->async_read([self = self_()](Result<std::string> message) {
      self->on_read(std::move(message));
    });
  }

  void on_read(Result<std::string> message) {
    if (ended_ || (!message && closing_)) return;  // the close handshake reports the end
    if (!message) return finish(socket_->close_info());
    bytes_rx_ += message->size();
    ++messages_rx_;
    // While closing, reading goes on for the peer's close frame; the session hears no more.
    if (!closing_) session_->on_message(std::move(*message), clock_.now());
    read();
    pump();
  }

  // Everything that may be due after an event: send, close, or wait for the next deadline.
  void pump() {
    if (ended_ || closing_) return;
    if (!writing_) write_next();
    if (ended_ || closing_) return;
    const auto wish = session_->wants_close();
    if (wish && !writing_) return begin_close(*wish);
    if (wish || (writing_ && is_closing())) limit_flush();
    arm_tick();
  }

  /// A closing session has no deadlines any more. It wants the close only once its Goodbye is out,
  /// which may wait behind a write that the peer does not take.
  [[nodiscard]] bool is_closing() const { return !session_->next_deadline(); }

  void write_next() {
    auto message = session_->next_message(clock_.now());
    if (!message) return;
    writing_ = true;
    const std::size_t size = message->size();
    socket_->async_write(std::move(*message), [self = self_(), size](const Status& status) {
      self->writing_ = false;
      if (self->ended_) return;
      if (!status) return self->limit_flush();  // the outstanding read reports the end
      self->flush_timer_.cancel();
      self->bytes_tx_ += size;
      ++self->messages_tx_;
      self->pump();
    });
  }

  // A peer that reads nothing must not keep a closing session alive.
  void limit_flush() {
    if (ended_ || flush_timer_.armed()) return;
    flush_timer_.arm_after(kFlushTimeout, [self = self_()] {
      if (!self->ended_) self->give_up_flush();
    });
  }

  void give_up_flush() {
    if (!is_closing()) return socket_->abort();  // the outstanding read reports the end
    while (session_->next_message(clock_.now())) {
    }
    finish(session_->wants_close().value_or(CloseInfo{1006, "what was left could not be written"}));
  }

  void begin_close(const CloseInfo& info) {
    closing_ = true;
    tick_timer_.cancel();
    flush_timer_.cancel();
    socket_->async_close(info, [self = self_(), info](const Status&) { self->finish(info); });
  }

  void arm_tick() {
    const auto deadline = session_->next_deadline();
    if (!deadline) return tick_timer_.cancel();
    if (tick_timer_.armed() && armed_for_ == *deadline) return;
    armed_for_ = *deadline;
    tick_timer_.arm_at(*deadline, [weak = std::weak_ptr(self_())] {
      const auto self = weak.lock();
      if (!self || self->ended_ || self->closing_) return;
      self->session_->on_tick(self->clock_.now());
      self->pump();
    });
  }

  void finish(const CloseInfo& info) {
    if (std::exchange(ended_, true)) return;
    const auto keep = self_();
    tick_timer_.cancel();
    flush_timer_.cancel();
    socket_->abort();
    session_->on_closed(info, clock_.now());
    session_.reset();
    socket_.reset();
  }

  WebSocketPtr socket_;
  std::shared_ptr<SessionPort> session_;
  const Clock& clock_;
  asio::any_io_executor executor_;
  Timer tick_timer_;
  Timer flush_timer_;
  TimePoint armed_for_{};
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
  std::atomic<bool> wake_posted_{false};
  std::atomic<std::uint64_t> bytes_rx_{0}, bytes_tx_{0}, messages_rx_{0}, messages_tx_{0};
};

}  // namespace

std::shared_ptr<SessionDriver> SessionDriver::make(WebSocketPtr socket,
                                                   std::shared_ptr<SessionPort> session,
                                                   const Clock& clock) {
  return std::make_shared<Driver>(std::move(socket), std::move(session), clock);
}

}  // namespace zonesync
