// A receiver's way from the view it holds to the one in force, inside one cut.
//
//   (old view, c) ──► Drop{class}* for what left ──► content of what entered, read up to where the
//   cut stands ──► changes of the new view ──► Mark{to: (E, new view), digest}
//
// docs/protocol.md VIEW-*.
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "protocol/core/ports.hpp"

namespace zonesync {

/// Where a sender learns which view its receiver is to have. Implementation: server/hub.
/// Thread rule: any thread.
class ViewFeed {
 public:
  virtual ~ViewFeed() = default;
  struct InForce {
    std::uint64_t version = 0;
    View view;
    Revision since;   // of the log entry that brought it: no earlier cut may end in it
    bool paused = false;  // nothing is to be sent now
  };
  /// Differs whenever `current` may. It changes before the entry that decides it becomes readable,
  /// so whoever asks after a read never sends what that entry took out of the view.
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual InForce current() const = 0;
  /// A view that the receiver may still hold from before.
  [[nodiscard]] virtual std::optional<View> find(const ViewId& id) const = 0;
};

/// What one cut still has to do because the view changed, once or several times, since the cut
/// began. Life cycle: part of a FlowSender; `begin` at each change, `end` with the Mark.
/// Thread rule: the session's thread.
class ViewChange {
 public:
  /// `held` = a view under which the receiver got content, applied at `base` or staged since;
  /// `next` = the view to reach; `until` = how far the open cut has been read. Returns where the
  /// sender reads on: the start of the log when something there is needed, else `until`.
  Position begin(const ChangeSource& source, const View& held, View next, Revision base,
                 Position until);
  /// Leaves that the reading back has not reached may be gone, and what they removed was sent: what
  /// entered is dropped and read again. Some times; after that the digest judges.
  bool restart_for(Revision tombstone_floor, Position read);
  void end();

  [[nodiscard]] bool active() const { return !held_.empty(); }
  [[nodiscard]] std::size_t views() const { return held_.size(); }
  /// Content of this class is at the receiver and stays there.
  [[nodiscard]] bool kept(const Class& cls) const;
  [[nodiscard]] bool enters(const Class& cls) const;
  /// The receiver may hold content of this class that must go.
  [[nodiscard]] bool stale(const Class& cls) const;

  /// Reading behind the cut's position, up to `until`.
  [[nodiscard]] bool reading_back() const { return reading_back_; }
  [[nodiscard]] Position until() const { return until_; }
  [[nodiscard]] Result<ScanPage> read_back(const ChangeSource& source, Position after,
                                           std::size_t max_bytes);
  /// Everything up to `until` was read.
  void done_reading() { reading_back_ = false; }

  /// Classes to name in a Drop before anything else is sent.
  [[nodiscard]] const std::deque<Class>& drops() const { return drops_; }
  void drop(const Class& cls);
  void drop_sent() { drops_.pop_front(); }

 private:
  std::vector<View> held_;
  std::optional<View> next_;
  Position until_;
  bool reading_back_ = false;
  bool find_stale_ = false;         // the source cannot name them: found while reading back
  std::set<Class> dropped_;         // since the last change of the view
  std::set<Class> begun_;           // entering classes of which something was sent
  std::deque<Class> drops_;
  Revision tombstone_floor_;
  unsigned restarts_ = 0;
};

}  // namespace zonesync
