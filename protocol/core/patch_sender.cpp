#include "protocol/core/patch_sender.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/defect.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kPatchShare = 2;  // a patch has at most this part of the whole

}  // namespace

bool PatchSender::may_shrink(const LogEntry& entry, std::size_t min_bytes) const {
  return entry.change.kind == ChangeKind::upsert && entry.change.payload.size() >= min_bytes &&
         (!view_.sensitive(entry.change.key.type) || ZONESYNC_DEFECT(308));
}

std::shared_ptr<const std::string> PatchSender::patch(const LogEntry& entry) const {
  const bool asked = features_.patch && patches_;
  return asked && may_shrink(entry, limits::kPatchMinBytes) ? source_.patch(entry) : nullptr;
}

std::shared_ptr<const Frames> PatchSender::compressed(const LogEntry& entry) const {
  const bool may = features_.zstd && may_shrink(entry, limits::kCompressMinBytes);
  return may ? source_.compressed(entry) : nullptr;
}

std::uint32_t parts_of(ByteView payload) {
  return static_cast<std::uint32_t>((payload.size() + limits::kPartBytes - 1) /
                                    limits::kPartBytes);
}

wire::Part part_of(ByteView payload, std::uint32_t index) {
  wire::Part part;
  part.index = index;
  part.count = parts_of(payload);
  part.total_bytes = payload.size();
  part.bytes = std::string(payload.substr(index * limits::kPartBytes, limits::kPartBytes));
  return part;
}

std::shared_ptr<const Frames> make_frames(const Change& change) {
  const ByteView payload = change.payload.view();
  auto frames = std::make_shared<Frames>();
  if (payload.size() <= limits::kPartBytes) {
    frames->push_back(wire::compress(payload).value_or(std::string()));
  } else {
    for (std::uint32_t index = 0; index < parts_of(payload); ++index) {
      const std::string part = wire::encode_part(part_of(payload, index));
      frames->push_back(wire::compress(part).value_or(std::string()));
    }
  }
  const bool any = std::any_of(frames->begin(), frames->end(),
                               [](const std::string& frame) { return !frame.empty(); });
  return any ? frames : nullptr;
}

std::shared_ptr<const std::string> make_patch_payload(const Change& base, const Change& target) {
  const std::size_t whole = target.payload.size();
  if (base.kind != ChangeKind::upsert || base.payload.size() < limits::kPatchMinBytes) {
    return nullptr;
  }
  auto frame = wire::make_patch(base.payload.view(), target.payload.view());
  if (!frame || frame->size() > whole / kPatchShare) return nullptr;
  wire::Patch patch;
  patch.key = target.key;
  patch.base = base.hash;
  patch.hash = target.hash;
  patch.size = whole;
  patch.frame = std::move(*frame);
  auto payload = std::make_shared<std::string>(wire::encode_patch(patch));
  const bool pays = payload->size() <= whole / kPatchShare && payload->size() <= limits::kPartBytes;
  return pays ? payload : nullptr;
}

}  // namespace zonesync
