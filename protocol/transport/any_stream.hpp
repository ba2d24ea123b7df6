// ByteStream as Asio's AsyncStream, so that Beast and composed operations work on one type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>

#include "protocol/transport/byte_stream.hpp"

namespace zonesync {

/// Owns a ByteStream. A write of several buffers is copied into one (64 KiB at most), because a
/// frame header sent apart from its payload costs a TLS record and, with Nagle, 40 ms.
/// Movable until its first operation. Thread rule: as ByteStream.
class AnyStream {
 public:
  using executor_type = boost::asio::any_io_executor;

  explicit AnyStream(ByteStreamPtr stream) : stream_(std::move(stream)) {}

  [[nodiscard]] executor_type get_executor() { return stream_->get_executor(); }
  [[nodiscard]] ByteStream& stream() { return *stream_; }
  [[nodiscard]] const ByteStream& stream() const { return *stream_; }
  /// Takes the stream out; the object is done.
  [[nodiscard]] ByteStreamPtr release() { return std::move(stream_); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    boost::asio::mutable_buffer target;
    for (auto i = boost::asio::buffer_sequence_begin(buffers);
         i != boost::asio::buffer_sequence_end(buffers) && target.size() == 0; ++i) {
      target = boost::asio::mutable_buffer(*i);
    }
    const auto start = [](auto handler, ByteStream* stream, boost::asio::mutable_buffer into) {
      stream->read_some(into, std::move(handler));
    };
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        start, token, stream_.get(), target);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto start = [](auto handler, ByteStream* stream, boost::asio::const_buffer from) {
      stream->write_some(from, std::move(handler));
    };
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        start, token, stream_.get(), flatten(buffers));
  }

 private:
  static constexpr std::size_t kScratchBytes = 64u << 10;

  template <class Buffers>
  boost::asio::const_buffer flatten(const Buffers& buffers) {
    boost::asio::const_buffer first;
    std::size_t filled = 0;
    for (auto i = boost::asio::buffer_sequence_begin(buffers);
         i != boost::asio::buffer_sequence_end(buffers); ++i) {
      const boost::asio::const_buffer next(*i);
      if (next.size() == 0) continue;
      if (first.size() == 0) {
        first = next;
        continue;
      }
      if (filled == 0) {
        if (first.size() >= kScratchBytes) return first;
        if (!scratch_) scratch_ = std::make_unique<char[]>(kScratchBytes);
        std::memcpy(scratch_.get(), first.data(), first.size());
        filled = first.size();
      }
      const std::size_t take = std::min(next.size(), kScratchBytes - filled);
      std::memcpy(scratch_.get() + filled, next.data(), take);
      filled += take;
    }
    return filled == 0 ? first : boost::asio::const_buffer(scratch_.get(), filled);
  }

  ByteStreamPtr stream_;
  std::unique_ptr<char[]> scratch_;
};

}  // namespace zonesync
