#include "conformance/adapters/memory_link.hpp"

#include "conformance/suite/case.hpp"

namespace zonesync::conform {
namespace {

/// Virtual time that a quiet connection gets before "nothing more comes".
constexpr int kQuietSteps = 6;
constexpr int kMessagesMax = 20'000;   // at one moment

}  // namespace

bool MemoryEnd::pull(TimePoint now) {
  if (closed) return false;
  bool moved = false;
  for (int count = 0; auto message = session->next_message(now); ++count) {
    require(count < kMessagesMax, "the subject sends without end");
    inbox.push_back(std::move(*message));
    moved = true;
  }
  if (const auto wanted = session->wants_close()) {
    end(*wanted, now);
    moved = true;
  }
  return moved;
}

void MemoryEnd::deliver(std::string message, TimePoint now) {
  if (closed) return;
  if (message.size() > session->message_max_bytes()) {  // what a websocket does with it
    session->close(close_code::kTooBig, "message too large");
    return;
  }
  session->on_message(std::move(message), now);
}

void MemoryEnd::end(CloseInfo info, TimePoint now) {
  if (closed) return;
  closed = info;
  session->on_closed(info, now);
}

MemoryLink::~MemoryLink() {
  try {
    cut();
  } catch (...) {  // a subject that breaks down at the end of a case was judged before
  }
}

void MemoryLink::send(std::string message) {
  end_->deliver(std::move(message), world_.now());
  world_.settle();
}

std::optional<std::string> MemoryLink::receive() {
  for (int quiet = 0; quiet <= kQuietSteps; ++quiet) {
    world_.settle();
    if (!end_->inbox.empty()) {
      std::string message = std::move(end_->inbox.front());
      end_->inbox.pop_front();
      return message;
    }
    if (end_->closed) return std::nullopt;
    world_.advance(limits::kAckInterval);
  }
  return std::nullopt;
}

std::optional<CloseInfo> MemoryLink::closed() const {
  return end_->inbox.empty() ? end_->closed : std::nullopt;
}

void MemoryLink::end_with(CloseInfo info) {
  if (end_->closed) return;
  end_->end(std::move(info), world_.now());
  world_.settle();
}

}  // namespace zonesync::conform
