#include "storage/lineage.hpp"

#include <algorithm>

#include "storage/byte_codec.hpp"
#include "storage/log_rules.hpp"

namespace zonesync {
namespace {
constexpr std::string_view kMagic = "ZSANCHOR1\n";
}

std::string encode_anchor(const LineageAnchor& anchor) {
  ByteWriter content;
  content.raw(kMagic);
  content.id(anchor.log_id);
  content.u64(anchor.head.value);
  content.id(anchor.era.id);
  content.id(anchor.chain.id);
  ByteWriter out;
  out.raw(content.bytes());
  out.id(hash_bytes(content.bytes()).id);
  return out.take();
}

std::optional<LineageAnchor> decode_anchor(std::string_view bytes) {
  constexpr std::size_t kContent = kMagic.size() + 16 + 8 + 16 + 16;
  if (bytes.size() != kContent + 16 || !bytes.starts_with(kMagic)) return std::nullopt;
  ByteReader in(bytes.substr(kMagic.size()));
  LineageAnchor anchor;
  anchor.log_id = in.id();
  anchor.head.value = in.u64();
  anchor.era.id = in.id();
  anchor.chain.id = in.id();
  const Hash128 checksum{in.id()};
  if (!in.done() || checksum != hash_bytes(bytes.substr(0, kContent))) return std::nullopt;
  return anchor;
}

std::string_view to_string(Lineage lineage) {
  switch (lineage) {
    case Lineage::follows: return "follows";
    case Lineage::rewound: return "rewound";
    case Lineage::diverged: return "diverged";
    case Lineage::other_log: return "other_log";
  }
  return "unknown";
}

std::string to_text(const LossRecord& loss) {
  const std::string found = std::to_string(loss.found.value);
  const std::string known = std::to_string(loss.known.value);
  if (loss.lineage == Lineage::rewound) {
    return "the log ended at revision " + found + ", but revision " + known +
           " was durable: at least " + std::to_string(loss.known.value - loss.found.value) +
           " revisions are lost, or it is an older copy";
  }
  return "the log is not the one that was here before: its history differs from what was durable "
         "at revision " + known + " (it ended at " + found +
         "): an older copy that was written to since";
}

Lineage judge_lineage(const LineageAnchor& anchor, const LogState& log,
                      const std::optional<Hash128>& chain_at_anchor) {
  if (anchor.log_id != log.log_id) return Lineage::other_log;
  if (log.head < anchor.head) return Lineage::rewound;
  const bool knows_era = std::any_of(log.eras.begin(), log.eras.end(),
                                     [&](const EraRecord& era) { return era.id == anchor.era; });
  if (!knows_era && log.eras.size() < log_rules::kErasMax) return Lineage::diverged;
  const bool comparable = chain_at_anchor && !anchor.chain.id.is_zero();
  if (comparable && *chain_at_anchor != anchor.chain) return Lineage::diverged;
  return Lineage::follows;
}

}  // namespace zonesync
