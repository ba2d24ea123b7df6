#include "conformance/adapters/frame_stream.hpp"

#include <utility>

namespace zonesync::conform {
namespace {

constexpr std::size_t kTextMaxBytes = 125;   // one length byte
constexpr char kFinalText = '\x81';
constexpr unsigned char kMasked = 0x80;

std::string text_frame(const std::string& text, FrameEnd end) {
  static constexpr char kMask[4] = {'\x11', '\x22', '\x33', '\x44'};
  const bool masks = end == FrameEnd::client;
  std::string frame(1, kFinalText);
  frame += static_cast<char>(text.size() | (masks ? kMasked : 0u));
  if (!masks) return frame + text;
  frame.append(kMask, sizeof kMask);
  for (std::size_t at = 0; at < text.size(); ++at) {
    frame += static_cast<char>(text[at] ^ kMask[at % sizeof kMask]);
  }
  return frame;
}

class Injector final : public FrameInjector, public std::enable_shared_from_this<Injector> {
 public:
  explicit Injector(FrameEnd end) : end_(end) {}

  bool send_text(const std::string& text, std::function<void()> done) override {
    if (stream == nullptr || text.size() > kTextMaxBytes) return false;
    frame_ = text_frame(text, end_);
    write(0, std::move(done));
    return true;
  }
  ByteStream* stream = nullptr;   // null once it is gone

 private:
  void write(std::size_t from, std::function<void()> done) {
    if (stream == nullptr || from == frame_.size()) return done();
    const boost::asio::const_buffer rest(frame_.data() + from, frame_.size() - from);
    stream->write_some(rest, [self = shared_from_this(), from, done = std::move(done)](
                                 boost::system::error_code failed, std::size_t written) mutable {
      self->write(failed ? self->frame_.size() : from + written, std::move(done));
    });
  }
  FrameEnd end_;
  std::string frame_;
};

class Wrapped final : public ByteStream {
 public:
  Wrapped(ByteStreamPtr inner, std::shared_ptr<Injector> injector)
      : inner_(std::move(inner)), injector_(std::move(injector)) {
    injector_->stream = inner_.get();
  }
  ~Wrapped() override { injector_->stream = nullptr; }

  [[nodiscard]] executor_type get_executor() override { return inner_->get_executor(); }
  void read_some(boost::asio::mutable_buffer buffer, IoHandler handler) override {
    inner_->read_some(buffer, std::move(handler));
  }
  void write_some(boost::asio::const_buffer buffer, IoHandler handler) override {
    inner_->write_some(buffer, std::move(handler));
  }
  void shutdown(DoneHandler handler) override { inner_->shutdown(std::move(handler)); }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] const PeerInfo& peer() const override { return inner_->peer(); }

 private:
  ByteStreamPtr inner_;
  std::shared_ptr<Injector> injector_;
};

}  // namespace

InjectableStream injectable(ByteStreamPtr stream, FrameEnd end) {
  auto injector = std::make_shared<Injector>(end);
  auto wrapped = std::make_unique<Wrapped>(std::move(stream), injector);
  return {std::move(wrapped), std::move(injector)};
}

}  // namespace zonesync::conform
