// Two connected streams inside one process, for tests.
#pragma once

#include <utility>

#include "protocol/transport/byte_stream.hpp"

namespace zonesync {

struct MemoryStreamOptions {
  std::size_t buffer_max_bytes = 256u << 10;     // per direction; a full buffer stops the writer
  std::size_t read_max_bytes = std::size_t(-1);  // hands out at most this much per read
};

/// Both ends must be used on the thread of `executor`.
[[nodiscard]] std::pair<ByteStreamPtr, ByteStreamPtr> make_memory_pair(
    const boost::asio::any_io_executor& executor, const MemoryStreamOptions& options = {});

}  // namespace zonesync
