// The client's io side: drives a zone machine on one io thread, answers calls from other threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "client-sdk/include/zonesync/client.hpp"
#include "client-sdk/src/application.hpp"
#include "client-sdk/src/hub_link.hpp"
#include "client-sdk/src/zone_store.hpp"
#include "client-sdk/zone/zone_machine.hpp"
#include "protocol/runtime/io_pool.hpp"
#include "protocol/runtime/timer.hpp"

namespace zonesync::client {

/// Order of the end: no new calls → machine stops and says Goodbye → session closed or grace over
/// → io thread joined → what is staged goes to the store → callback thread joined.
/// Thread rule: `on io` = io thread only; everything else from any thread.
struct Client::Impl final : public ZonePort {
  Impl(Config config, HubUrl url, std::unique_ptr<ZoneStore> store);
  ~Impl() override;

  void start();
  void stop();

  /// Runs `work(done)` on the io thread and waits for `done(result)`. Errors: canceled after stop,
  /// internal when called from a validator.
  template <class T>
  Result<T> call(std::function<void(std::function<void(Result<T>)>)> work);
  /// Runs later on the io thread; dropped after stop.
  void post(std::function<void()> work);

  [[nodiscard]] ClientStatus status() const;
  [[nodiscard]] Snapshot snapshot() const;

  // -- ZonePort (on io) ---------------------------------------------------------------------------
  [[nodiscard]] TimePoint now() const override { return clock_.now(); }
  [[nodiscard]] double random() override;
  void connect() override { link_->connect(); }
  void cancel_connect() override { link_->cancel(); }
  void wake() override { link_->wake(); }
  void schedule(std::optional<TimePoint> deadline) override;
  void cut_applied(AppliedCut cut) override;
  void status_changed() override;

  void refresh_status();   // on io
  void watch_counters();   // on io: bytes move without events
  void log_transition(const ClientStatus& before, const ClientStatus& after);
  bool begin_call();
  void end_call();

  Config config_;
  std::shared_ptr<Logger> logger_;
  const Clock& clock_;
  std::unique_ptr<ZoneStore> store_;
  ReplicaSink sink_;
  Outbox outbox_;
  std::mt19937_64 random_;
  Application application_;
  ZoneMachine machine_;
  std::unique_ptr<IoPool> pool_;  // gone before the machine is, after link and timers
  std::unique_ptr<HubLink> link_;
  std::unique_ptr<Timer> deadline_;
  std::unique_ptr<Timer> counters_;
  bool refresh_posted_ = false;   // on io
  std::thread::id io_thread_;

  mutable std::mutex mutex_;      // guards what follows
  std::condition_variable idle_;
  ClientStatus status_;
  bool accepting_ = true;
  bool started_ = false;
  bool session_open_ = false;
  std::size_t calls_ = 0;

  std::mutex stop_mutex_;         // one stopper at a time, except from the callback thread
  std::atomic<bool> stopping_{false};
};

template <class T>
Result<T> Client::Impl::call(std::function<void(std::function<void(Result<T>)>)> work) {
  if (std::this_thread::get_id() == io_thread_) {
    return fail(ErrorCode::internal, "a validator must not call the client");
  }
  if (!begin_call()) return fail(ErrorCode::canceled, "the client is stopped");
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  pool_->post(0, [this, work = std::move(work), promise] {
    work([this, promise](Result<T> result) {
      refresh_status();  // who waited finds a status that is not older than the answer
      promise->set_value(std::move(result));
    });
  });
  Result<T> result = future.get();
  end_call();
  return result;
}

}  // namespace zonesync::client
