#include "protocol/transport/memory_stream.hpp"

#include <algorithm>
#include <cstring>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace zonesync {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using IoHandler = ByteStream::IoHandler;

// One direction. At most one reader and one writer wait.
struct Pipe {
  asio::any_io_executor executor;
  MemoryStreamOptions options;
  std::string bytes;
  bool ended = false;   // the writer half-closed
  bool broken = false;  // one side closed
  IoHandler reader;
  asio::mutable_buffer into;
  IoHandler writer;
  asio::const_buffer from;

  void complete(IoHandler& handler, error_code error, std::size_t size) {
    asio::post(executor, [handler = std::move(handler), error, size]() mutable {
      std::move(handler)(error, size);
    });
    handler = nullptr;
  }

  void advance() {
    if (writer && broken) complete(writer, asio::error::broken_pipe, 0);
    if (writer && bytes.size() < options.buffer_max_bytes) {
      const std::size_t size = std::min(from.size(), options.buffer_max_bytes - bytes.size());
      bytes.append(static_cast<const char*>(from.data()), size);
      complete(writer, {}, size);
    }
    if (!reader) return;
    if (!bytes.empty()) {
      const std::size_t size = std::min({into.size(), bytes.size(), options.read_max_bytes});
      std::memcpy(into.data(), bytes.data(), size);
      bytes.erase(0, size);
      complete(reader, {}, size);
    } else if (ended || broken) {
      complete(reader, asio::error::eof, 0);
    }
  }
};

class MemoryStream final : public ByteStream {
 public:
  MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : in_(std::move(in)), out_(std::move(out)) {
    peer_.address = "memory";
  }
  ~MemoryStream() override { close(); }

  executor_type get_executor() override { return in_->executor; }

  void read_some(asio::mutable_buffer buffer, IoHandler handler) override {
    in_->reader.swap(handler);  // move assignment recurses for ever in Asio 1.26
    in_->into = buffer;
    if (closed_) return in_->complete(in_->reader, asio::error::operation_aborted, 0);
    if (buffer.size() == 0) return in_->complete(in_->reader, {}, 0);
    in_->advance();
  }

  void write_some(asio::const_buffer buffer, IoHandler handler) override {
    out_->writer.swap(handler);
    out_->from = buffer;
    if (closed_) return out_->complete(out_->writer, asio::error::operation_aborted, 0);
    if (buffer.size() == 0) return out_->complete(out_->writer, {}, 0);
    out_->advance();
    out_->advance();  // the reader may just have made room
  }

  void shutdown(DoneHandler handler) override {
    out_->ended = true;
    out_->advance();
    asio::post(in_->executor,
               [handler = std::move(handler)]() mutable { std::move(handler)(error_code()); });
  }

  void close() noexcept override {
    if (closed_) return;
    closed_ = true;
    if (in_->reader) in_->complete(in_->reader, asio::error::operation_aborted, 0);
    if (out_->writer) out_->complete(out_->writer, asio::error::operation_aborted, 0);
    in_->broken = out_->broken = true;
    in_->advance();
    out_->advance();
  }

  [[nodiscard]] const PeerInfo& peer() const override { return peer_; }

 private:
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  PeerInfo peer_;
  bool closed_ = false;
};

}  // namespace

std::pair<ByteStreamPtr, ByteStreamPtr> make_memory_pair(const asio::any_io_executor& executor,
                                                         const MemoryStreamOptions& options) {
  auto east = std::make_shared<Pipe>();
  auto west = std::make_shared<Pipe>();
  east->executor = west->executor = executor;
  east->options = west->options = options;
  return {std::make_unique<MemoryStream>(east, west), std::make_unique<MemoryStream>(west, east)};
}

}  // namespace zonesync
