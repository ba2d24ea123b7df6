#include "protocol/transport/byte_stream.hpp"

#include <utility>

#include "protocol/runtime/timer.hpp"

namespace zonesync {
namespace {

struct Ending {
  explicit Ending(ByteStreamPtr given) : stream(std::move(given)), timer(stream->get_executor()) {}
  ByteStreamPtr stream;
  Timer timer;
};

}  // namespace

void shutdown_then_close(ByteStreamPtr stream, std::chrono::milliseconds timeout) {
  const auto ending = std::make_shared<Ending>(std::move(stream));
  ending->timer.arm_after(timeout, [weak = std::weak_ptr(ending)] {
    if (const auto held = weak.lock()) held->stream->close();
  });
  ending->stream->shutdown([ending](boost::system::error_code) { ending->stream->close(); });
}

}  // namespace zonesync
