// Compressed forms of log entries, made once for all sessions.
//
// Bounded by bytes; the oldest goes first. Sessions that read the same stretch of the log at about
// the same time share the work; what was forgotten is made again. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "protocol/core/ports.hpp"

namespace zonesync {

class PackCache {
 public:
  using SharedFrames = std::shared_ptr<const Frames>;
  using SharedPatch = std::shared_ptr<const std::string>;

  explicit PackCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// What is known for the entry at `position`, else what `make` gives, which is then known. Also
  /// that there is none. `make` runs without the lock: two threads may both do it once.
  SharedFrames frames(Position position, const std::function<SharedFrames()>& make);
  SharedPatch patch(Position position, const std::function<SharedPatch()>& make);
  /// The log forgot its end: positions may come to mean other entries.
  void clear();

 private:
  struct Packed {
    std::optional<SharedFrames> frames;
    std::optional<SharedPatch> patch;
    std::size_t bytes = 0;
  };
  template <class Value>
  Value get(Position position, std::optional<Value> Packed::*form,
            const std::function<Value()>& make);

  const std::size_t max_bytes_;
  std::mutex mutex_;                 // guards everything below
  std::map<Position, Packed> packed_;
  std::deque<Position> order_;       // oldest first
  std::size_t bytes_ = 0;
  std::size_t epoch_ = 0;            // of clear(): what was made before it is not kept
};

}  // namespace zonesync
