// A session of the product behind a Link, in virtual time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "conformance/suite/link.hpp"
#include "protocol/core/session.hpp"

namespace zonesync::conform {

/// The far end of a link: what a driver would be. Thread rule: one thread.
class MemoryEnd {
 public:
  explicit MemoryEnd(std::shared_ptr<Session> of) : session(std::move(of)) {}

  /// Takes everything the session has to say; true = something came or it ended.
  bool pull(TimePoint now);
  void deliver(std::string message, TimePoint now);
  void end(CloseInfo info, TimePoint now);

  std::shared_ptr<Session> session;
  std::deque<std::string> inbox;      // for the scripted peer
  std::optional<CloseInfo> closed;
};

/// What owns the ends moves time and lets them settle.
struct MemoryWorld {
  std::function<TimePoint()> now;
  std::function<void()> settle;            // every end is pulled until all are quiet
  std::function<void(Duration)> advance;
};

class MemoryLink final : public Link {
 public:
  MemoryLink(std::shared_ptr<MemoryEnd> end, MemoryWorld world)
      : end_(std::move(end)), world_(std::move(world)) {}
  ~MemoryLink() override;

  void send(std::string message) override;
  std::optional<std::string> receive() override;
  std::optional<std::string> poll() override { return receive(); }
  std::optional<CloseInfo> closed() const override;
  void cut() override { end_with({}); }
  void close(CloseInfo info) override { end_with(std::move(info)); }

 private:
  void end_with(CloseInfo info);
  std::shared_ptr<MemoryEnd> end_;
  MemoryWorld world_;
};

}  // namespace zonesync::conform
