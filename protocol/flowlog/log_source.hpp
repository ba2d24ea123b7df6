// ChangeLog -> ChangeSource, used by hub (its log) and SDK (its outbox) alike.
//
// Keeps the hot tail: the newest segments in memory, so that caught-up readers never touch the
// disk, with their digest deltas, so that the digest of a view is known at every recent boundary.
// Thread rule: `on_appended` on the log's writer thread; everything else from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "protocol/core/ports.hpp"
#include "storage/change_log.hpp"

namespace zonesync {

class LogSource final : public ChangeSource {
 public:
  /// `log` outlives the source. `hot_tail_bytes` bounds the payload kept in memory.
  explicit LogSource(const ChangeLog& log, std::size_t hot_tail_bytes);

  /// A segment became durable (call after the log's `done`, before anyone is woken).
  void on_appended(const Segment& segment);
  /// The log changed in another way (declare_complete, trim): reread its state.
  void refresh();

  [[nodiscard]] LogState state() const override;
  [[nodiscard]] Revision head() const override;
  [[nodiscard]] Result<ScanPage> scan(Position after, const View& view,
                                      std::size_t max_bytes) const override;
  [[nodiscard]] std::optional<Digest> digest_at(Revision revision,
                                                const View& view) const override;

 private:
  struct Chunk;
  struct Tail;
  [[nodiscard]] std::shared_ptr<const Tail> tail() const;

  const ChangeLog& log_;
  std::size_t hot_tail_bytes_;
  mutable std::mutex mutex_;             // guards tail_ (the pointer, not what it points to)
  std::shared_ptr<const Tail> tail_;
};

}  // namespace zonesync
