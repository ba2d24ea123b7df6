// The thread that looks at the publish directory.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "client-sdk/agent/publisher.hpp"

namespace zonesync::client {
class Client;
}

namespace zonesync::agent {

/// Life cycle: the constructor starts the thread; stop() or the destructor ends it, before the
/// client is destroyed. Thread rule: any thread.
class PublishWorker {
 public:
  struct Options {
    Publisher::Options publisher;
    Duration interval{};
    std::filesystem::path store_dir;  // where orders of an operator are left
  };
  /// `changed` runs on the worker's thread when status() changed.
  PublishWorker(Options options, PublishMemory memory, client::Client& client,
                std::shared_ptr<Logger> logger, std::function<void()> changed);
  ~PublishWorker();

  /// The client's status changed: the hub may have acknowledged something.
  void notify();
  [[nodiscard]] PublisherStatus status() const;
  void stop();

 private:
  void run();
  void look();
  void update_status();

  const Options options_;
  client::Client& client_;
  std::shared_ptr<Logger> logger_;
  const std::function<void()> changed_callback_;
  std::unique_ptr<PublishPort> port_;
  Publisher publisher_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = false;
  bool stopping_ = false;
  PublisherStatus status_;
  std::thread thread_;
};

}  // namespace zonesync::agent
