// The zone's session machine against any peer.
#include "conformance/fuzz/session_play.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zonesync::fuzz::play(zonesync::SessionRole::zone, data, size);
  return 0;
}
