// A zone's session with its Hello looked at on the way out: does it say what the disk holds? A zone
// of the future gets another version range written into it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/core/session_port.hpp"
#include "protocol/wire/message.hpp"

namespace zonesync::sim {

/// Life cycle: one per session, owned by its connection. Thread rule: one thread.
class HelloPort final : public SessionPort {
 public:
  using Visit = std::function<void(wire::Hello&)>;
  HelloPort(std::shared_ptr<SessionPort> session, Visit visit)
      : session_(std::move(session)), visit_(std::move(visit)) {}

  void on_open(TimePoint now) override { session_->on_open(now); }
  void on_message(std::string bytes, TimePoint now) override {
    session_->on_message(std::move(bytes), now);
  }
  void on_closed(const CloseInfo& info, TimePoint now) override { session_->on_closed(info, now); }
  void on_tick(TimePoint now) override { session_->on_tick(now); }
  [[nodiscard]] std::optional<std::string> next_message(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const override {
    return session_->next_deadline();
  }
  [[nodiscard]] std::optional<CloseInfo> wants_close() const override {
    return session_->wants_close();
  }
  [[nodiscard]] std::size_t message_max_bytes() const override {
    return session_->message_max_bytes();
  }

 private:
  std::shared_ptr<SessionPort> session_;
  Visit visit_;
};

}  // namespace zonesync::sim
