#include "client-sdk/agent/publish_worker.hpp"

#include <chrono>
#include <utility>

#include "client-sdk/agent/orders.hpp"
#include "client-sdk/include/zonesync/client.hpp"

namespace zonesync::agent {
namespace {

class ClientPort final : public PublishPort {
 public:
  explicit ClientPort(client::Client& client) : client_(client) {}
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const override {
    return client_.registry();
  }
  Result<Published> publish(const std::vector<PublishStep>& steps) override {
    std::vector<client::PublishOp> ops;
    ops.reserve(steps.size());
    for (const PublishStep& step : steps) {
      client::PublishOp& op = ops.emplace_back();
      op.key = step.key;
      if (step.resource) op.resource = *step.resource;
    }
    auto result = client_.publish_batch(std::move(ops));
    if (!result) return fail(result.error());
    return Published{result->revision, result->unchanged};
  }
  [[nodiscard]] Revision acked() const override { return client_.status().outbox_acked; }
  [[nodiscard]] std::vector<Verdict> rejects() const override { return client_.publish_rejects(); }

 private:
  client::Client& client_;
};

}  // namespace

PublishWorker::PublishWorker(Options options, PublishMemory memory, client::Client& client,
                             std::shared_ptr<Logger> logger, std::function<void()> changed)
    : options_(std::move(options)),
      client_(client),
      logger_(std::move(logger)),
      changed_callback_(std::move(changed)),
      port_(std::make_unique<ClientPort>(client)),
      publisher_(options_.publisher, std::move(memory), *port_, logger_),
      thread_([this] { run(); }) {}

PublishWorker::~PublishWorker() { stop(); }

void PublishWorker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PublishWorker::notify() {
  {
    const std::lock_guard lock(mutex_);
    notified_ = true;
  }
  changed_.notify_all();
}

PublisherStatus PublishWorker::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void PublishWorker::run() {
  auto next_look = std::chrono::steady_clock::now();
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_look) {
      look();
      next_look = now + options_.interval;
    }
    publisher_.work(now);
    update_status();
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, next_look, [this] {
      return stopping_ || (notified_ && publisher_.waiting());
    });
    if (stopping_) return;
    notified_ = false;
  }
}

void PublishWorker::look() {
  publisher_.scan(take_order(options_.store_dir, Order::release));
  if (!take_order(options_.store_dir, Order::complete)) return;
  const auto status = client_.publish_complete();
  logger_->log({status ? LogLevel::info : LogLevel::error, "agent.publish.complete",
                status ? "an operator declared this zone's log complete"
                       : describe(status.error())});
}

void PublishWorker::update_status() {
  PublisherStatus now = publisher_.status();
  {
    const std::lock_guard lock(mutex_);
    if (now == status_) return;
    status_ = std::move(now);
  }
  changed_callback_();
}

}  // namespace zonesync::agent
