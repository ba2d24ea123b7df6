#include "server/cmd/writer_thread.hpp"

#include <utility>

namespace zonesync {

void WriterThread::start(Work after_batch) {
  after_batch_ = std::move(after_batch);
  thread_ = std::thread([this] { run(); });
}

bool WriterThread::post(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    mailbox_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void WriterThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void WriterThread::run() {
  for (;;) {
    std::deque<Work> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !mailbox_.empty(); });
      if (mailbox_.empty()) return;
      batch.swap(mailbox_);
    }
    for (auto& work : batch) work();
    after_batch_();
  }
}

}  // namespace zonesync
