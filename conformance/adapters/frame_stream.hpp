// A byte stream under a websocket into which a text frame can be put: the product's websocket
// sends none, and a suite must be able to break CON-04.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "protocol/transport/byte_stream.hpp"

namespace zonesync::conform {

/// Which end writes: clients mask their frames (RFC 6455 §5.3).
enum class FrameEnd : std::uint8_t { client, server };

/// Puts frames into one stream. Thread rule: the stream's thread.
class FrameInjector {
 public:
  virtual ~FrameInjector() = default;
  /// One whole text frame of at most 125 bytes, when no write of the websocket is outstanding.
  /// `done` runs at the end; false = the stream is gone, or the text is too long.
  virtual bool send_text(const std::string& text, std::function<void()> done) = 0;
};

struct InjectableStream {
  ByteStreamPtr stream;                     // for the websocket
  std::shared_ptr<FrameInjector> injector;  // may outlive it
};
[[nodiscard]] InjectableStream injectable(ByteStreamPtr stream, FrameEnd end);

}  // namespace zonesync::conform
