// How one upsert travels: whole, compressed, or as a patch (docs/protocol.md ZIP-*).
//
// Every entry after an answer's `from` is sent in order, so outside a full cut the receiver holds
// the direct predecessor of each entry: it was covered by the cursor or sent before. What was
// trimmed meanwhile cannot be read, and the entry goes whole.
//
// Life cycle: one per FlowSender. Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/core/ports.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {

class PatchSender {
 public:
  /// `source` and `view` outlive it.
  PatchSender(wire::Features features, const ChangeSource& source, const View& view)
      : features_(features), source_(source), view_(view) {}

  /// A new answer starts; the receiver takes patches in it or wants whole versions.
  void on_answer(bool patches) { patches_ = patches; }

  /// Payload of the Patch packet for this entry; nothing = send it another way.
  [[nodiscard]] std::shared_ptr<const std::string> patch(const LogEntry& entry) const;
  /// Its Change or Part payloads compressed; nothing = as they are.
  [[nodiscard]] std::shared_ptr<const Frames> compressed(const LogEntry& entry) const;

 private:
  /// Large enough, an upsert, of a type without secrets (ZIP-06).
  [[nodiscard]] bool may_shrink(const LogEntry& entry, std::size_t min_bytes) const;

  wire::Features features_;
  const ChangeSource& source_;
  const View& view_;
  bool patches_ = false;
};

/// How many Parts a payload larger than kPartBytes travels in, and each of them (FLOW-07).
[[nodiscard]] std::uint32_t parts_of(ByteView payload);
[[nodiscard]] wire::Part part_of(ByteView payload, std::uint32_t index);

/// Compresses what `compressed` of a ChangeSource answers with; nothing when no packet gets
/// smaller. Pure; costs a few microseconds per KiB.
[[nodiscard]] std::shared_ptr<const Frames> make_frames(const Change& change);

/// The Patch payload from `base` to `target`; nothing when it is not much smaller than the target
/// (ZIP-12). Both are upserts of one (class, key).
[[nodiscard]] std::shared_ptr<const std::string> make_patch_payload(const Change& base,
                                                                    const Change& target);

}  // namespace zonesync
