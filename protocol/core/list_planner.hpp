// What a v1 sender sends next: the complete lists of the types that changed, all at one revision.
//
//   begin ─► find changed types (cursor, head] ─► List, its live resources, List, ... ─► Mark
//                     ▲                                  │
//                     └── the log forgot what the state at that revision needs: a newer one
//
// A planner inside FlowSender, which owns credit, parts and Marks. It holds no list: one page of
// one type at most. docs/protocol.md V1-*.
//
// Life cycle: one per sender, `begin` for every Intent. Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "protocol/core/ports.hpp"

namespace zonesync {

class ListPlanner {
 public:
  /// The next thing to send; pointers stay valid until pop().
  struct Step {
    enum class Kind : std::uint8_t { none, list, entry, mark };
    Kind kind = Kind::none;
    const wire::List* list = nullptr;
    const LogEntry* entry = nullptr;
    Revision to;                       // of mark, with the digest of the whole view there
    Digest digest;
  };

  /// Where an answer begins.
  struct Answer {
    std::optional<Revision> from;      // nothing = everything (full)
    std::optional<View> held;          // what the receiver has content of, when `from` is given
    Revision not_before;               // no cut ends earlier: where the view came from
    Revision tombstone_floor;          // as of the Intent
  };

  /// `source` outlives the planner. `page_bytes` = payload read at once.
  ListPlanner(const ChangeSource& source, std::size_t page_bytes);

  /// A new answer, to reach `view`.
  void begin(View view, Answer answer);
  /// Errors: storage_io, storage_corrupt, unavailable (the receiver must be repaired).
  [[nodiscard]] Result<Step> next();
  /// The step was sent.
  void pop();
  /// A cut was begun and its Mark not sent.
  [[nodiscard]] bool open() const { return open_; }

 private:
  struct Current {
    wire::List list;
    bool announced = false;
    std::optional<ResourceKey> after;
    bool last_page = false;
    StatePage page;
    std::size_t sent = 0;              // of the page
  };
  [[nodiscard]] Result<bool> open_cut();
  [[nodiscard]] Status find_changed();
  [[nodiscard]] Status restart();
  void begin_list(std::string type);
  [[nodiscard]] Result<bool> fill_page();
  [[nodiscard]] Step current_step() const;

  const ChangeSource& source_;
  std::optional<View> view_;
  std::optional<View> held_;           // until the first Mark, when it is another view
  const std::size_t page_bytes_;
  std::size_t read_bytes_;             // grows while reads come too late, see restart()
  Position scanned_;                   // changed types are known up to here
  Revision tombstone_floor_;           // as of the Intent
  Revision not_before_;
  bool full_ = false;
  bool confirm_ = false;               // a Mark is due even when nothing changed
  bool open_ = false;
  Revision at_;                        // the open cut shows the log here
  std::map<std::string, Digest> digests_;  // per type, at `at_`
  std::set<std::string> pending_;      // types still to list
  std::optional<Current> current_;
  std::uint64_t nonce_ = 0;
};

}  // namespace zonesync
