#include "protocol/wire/compression.hpp"

#include <algorithm>
#include <bit>
#include <memory>

#include <zstd.h>

#include "protocol/model/assert.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::wire {
namespace {

constexpr int kLevel = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeContext>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, FreeContext>;

tl::unexpected<Error> refuse(std::string problem) {
  return fail(ErrorCode::protocol, std::move(problem), "zstd");
}

/// log2 of the frame's window, rounded up (RFC 8878, 3.1.1.1); nothing = unreadable. The stable
/// part of zstd's API does not tell it.
std::optional<unsigned> window_log(ByteView frame, std::uint64_t content_bytes) {
  constexpr std::size_t kDescriptorAt = 4;
  constexpr unsigned kSingleSegment = 1u << 5;
  if (frame.size() < kDescriptorAt + 2 || !frame.starts_with("\x28\xb5\x2f\xfd")) {
    return std::nullopt;
  }
  const unsigned descriptor = static_cast<unsigned char>(frame[kDescriptorAt]);
  if ((descriptor & kSingleSegment) != 0) {
    return static_cast<unsigned>(std::bit_width(content_bytes == 0 ? 0 : content_bytes - 1));
  }
  const unsigned window = static_cast<unsigned char>(frame[kDescriptorAt + 1]);
  return 10 + (window >> 3) + ((window & 7) != 0 ? 1 : 0);
}

/// The content size that the frame states, once everything that can be judged from outside holds.
Result<std::size_t> judge(ByteView frame, std::size_t max_bytes, unsigned max_window_log) {
  const unsigned long long content = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (content == ZSTD_CONTENTSIZE_ERROR) return refuse("not a zstd frame");
  if (content == ZSTD_CONTENTSIZE_UNKNOWN) return refuse("the frame does not state its size");
  if (content > max_bytes) {
    return fail(ErrorCode::too_large,
                "a frame inflates to " + std::to_string(content) + " bytes; at most " +
                    std::to_string(max_bytes) + " are allowed",
                "zstd");
  }
  const auto window = window_log(frame, content);
  if (!window || *window > max_window_log) return refuse("the frame's window is over the limit");
  const std::size_t end = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(end) != 0 || end != frame.size()) return refuse("not exactly one whole frame");
  return static_cast<std::size_t>(content);
}

/// Decompresses into exactly `size` bytes. The frame was judged.
Result<std::string> run(ZSTD_DCtx* context, ByteView frame, std::size_t size) {
  std::string content(size, '\0');
  const std::size_t got =
      ZSTD_decompressDCtx(context, content.data(), content.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != size) return refuse("a corrupt zstd frame");
  return content;
}

}  // namespace

std::optional<std::string> compress(ByteView payload) {
  if (payload.size() < limits::kCompressMinBytes) return std::nullopt;
  static thread_local const Compressor context(ZSTD_createCCtx());
  ZS_ASSERT(context != nullptr);
  std::string frame(ZSTD_compressBound(payload.size()), '\0');
  const std::size_t bytes = ZSTD_compressCCtx(context.get(), frame.data(), frame.size(),
                                              payload.data(), payload.size(), kLevel);
  if (ZSTD_isError(bytes) != 0) return std::nullopt;
  if (bytes > payload.size() - payload.size() / 8) return std::nullopt;
  if (payload.size() > bytes * limits::kCompressRatioMax) return std::nullopt;
  frame.resize(bytes);
  frame.shrink_to_fit();
  return frame;
}

Result<std::string> inflate(ByteView frame, std::size_t max_bytes) {
  auto size = judge(frame, max_bytes, limits::kCompressWindowLogMax);
  if (!size) return fail(std::move(size.error()));
  if (*size > frame.size() * limits::kCompressRatioMax) {
    return refuse("the frame inflates more than " + std::to_string(limits::kCompressRatioMax) +
                  " times");
  }
  static thread_local const Decompressor context(ZSTD_createDCtx());
  ZS_ASSERT(context != nullptr);
  return run(context.get(), frame, *size);
}

std::optional<std::string> make_patch(ByteView base, ByteView target) {
  // A context of its own: its tables grow with the base and are rarely needed.
  const Compressor context(ZSTD_createCCtx());
  if (context == nullptr) return std::nullopt;
  const int log = static_cast<int>(std::bit_width(base.size() + target.size()));
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    return ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), parameter, value)) == 0;
  };
  const bool ready =
      set(ZSTD_c_compressionLevel, kLevel) && set(ZSTD_c_windowLog, std::max(log, 10)) &&
      set(ZSTD_c_enableLongDistanceMatching, 1) &&  // else short accidental matches win
      ZSTD_isError(ZSTD_CCtx_refPrefix(context.get(), base.data(), base.size())) == 0;
  if (!ready) return std::nullopt;
  std::string frame(ZSTD_compressBound(target.size()), '\0');
  const std::size_t bytes = ZSTD_compress2(context.get(), frame.data(), frame.size(),
                                           target.data(), target.size());
  if (ZSTD_isError(bytes) != 0) return std::nullopt;
  frame.resize(bytes);
  return frame;
}

Result<std::string> apply_patch(ByteView base, ByteView frame, std::size_t size) {
  auto content = judge(frame, limits::kChangeMaxBytes, limits::kPatchWindowLogMax);
  if (!content) return fail(std::move(content.error()));
  if (*content != size) return refuse("the frame's size is not the one of the Patch");
  const Decompressor context(ZSTD_createDCtx());
  if (context == nullptr ||
      ZSTD_isError(ZSTD_DCtx_refPrefix(context.get(), base.data(), base.size())) != 0) {
    return fail(ErrorCode::resource_exhausted, "no memory to apply a patch", "zstd");
  }
  return run(context.get(), frame, *content);
}

}  // namespace zonesync::wire
