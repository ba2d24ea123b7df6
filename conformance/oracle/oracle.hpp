// The simulator's judge: what every log said, and what every receiver must therefore hold.
//
// Told at the durable point of every log (committed, opened, rewound, completed); asked after every
// durable step of every receiver. An answer is nothing, or one sentence that names the promise.
// Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/model/ids.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::oracle {

/// Which flow of which zone looks at a log.
struct Sight {
  bool down = true;
  std::string zone;
};

/// What an operator decided of a zone. Empty sets narrow nothing.
struct Rule {
  bool enabled = true;
  std::set<std::string> types;
  std::set<std::string> tags;   // of types that declare a scope label
  friend bool operator==(const Rule&, const Rule&) = default;
};
using Rules = std::map<std::string, Rule>;  // by zone; none = the default

struct Item {
  Class cls;
  SharedBytes payload;
  SharedBytes seen;   // a receiver's own copy that was found equal: not compared again
};
struct KeyHash {
  std::size_t operator()(const ResourceKey& key) const {
    const std::hash<std::string> hash;
    return hash(key.name) * 31 + hash(key.type) * 7 + hash(key.origin) * 3 + hash(key.mesh);
  }
};
using Content = std::unordered_map<ResourceKey, Item, KeyHash>;
[[nodiscard]] bool same(const Content& a, const Content& b);
using Broken = std::optional<std::string>;

/// One durable step of a receiver, as the receiver stored it.
struct Step {
  Id128 log;
  Cursor cursor;
  bool full = false;             // replaced instead of continued
  bool removes_unnamed = false;  // only with full: what the answer did not name was removed
  std::set<ResourceKey> unfinished;  // arrived in pieces of cuts that did not end: may be newer
};

/// One resource a receiver holds after the step; looked at during the call only.
struct Held {
  const ResourceKey* key = nullptr;
  const SharedBytes* payload = nullptr;
  bool unconfirmed = false;
};

class Oracle {
 public:
  explicit Oracle(const TypeRegistry& types) : types_(types) {}

  // -- what logs did -----------------------------------------------------------------------------
  /// A log was opened for writing: `era` follows `start`.
  void opened(Id128 log, EraId era, Revision start, bool complete);
  [[nodiscard]] Broken committed(Id128 log, Revision revision,
                                 const std::vector<Change>& changes);
  /// The log's transaction `revision`, committed before, decided this of a zone.
  void decided(Id128 log, Revision revision, const std::string& zone, Rule rule);
  void completed(Id128 log) { logs_[log].complete = true; }
  /// A disk that went back on purpose: what came after `revision` is no promise any more.
  void rewound(Id128 log, Revision revision);
  /// A writer was told that `revision` is durable (P2).
  [[nodiscard]] Broken acked(Id128 log, Revision revision) const;
  /// What a log holds after it was opened again, or at the end (P2).
  [[nodiscard]] Broken holds(Id128 log, Revision head, const Content& live) const;

  // -- what receivers did ------------------------------------------------------------------------
  /// P1, P2, P5, P7 for one durable step of `receiver`. `held`: everything it holds afterwards.
  /// `try_only`: the caller has other explanations, so a broken promise leaves no trace.
  [[nodiscard]] Broken applied(const std::string& receiver, const Sight& sight, const Step& step,
                               const std::vector<Held>& held, bool try_only = false);
  /// Whether what `cursor` ends is still part of the log.
  [[nodiscard]] bool continues(Id128 log, const Cursor& cursor) const;
  /// The receiver lives in a log that was rewound to `revision` (the hub's side of up flows).
  void note_place(const std::string& receiver, Revision revision);
  void receiver_rewound(const std::string& receiver, Revision revision);

  /// The receiver rightly lost what it never showed: a resource of which it kept a verdict only.
  void forget(const std::string& receiver, const ResourceKey& key);

  /// Everything `sight` admits of the log as it is now.
  [[nodiscard]] Content visible_now(Id128 log, const Sight& sight) const;
  [[nodiscard]] bool visible_now(Id128 log, const Sight& sight, const Class& cls) const;
  /// A payload that must not leave its side, whatever class it was given (P7).
  void keep_home(const SharedBytes& payload) { home_.insert(std::string(payload.view())); }

 private:
  struct Era {
    Revision start;
    std::optional<EraId> parent;
    std::map<Revision, std::vector<Change>> transactions;
    std::map<Revision, Rules> decisions;  // of that revision alone
  };
  struct Log {
    std::map<EraId, Era> eras;
    std::vector<EraId> line;  // oldest first: the eras that are not rewound away
    Revision head;
    Content now;
    bool complete = false;
  };
  struct Receiver {
    std::optional<Step> last;
    Content expected;
    Rules rules;                     // in force at `last`: a down flow's sight changes with them
    std::set<ResourceKey> unconfirmed;
    std::set<ResourceKey> doubtful;  // left in the log, which repairs and lists do not tell
  };
  /// The transactions of (after, cursor.revision] on the line that leads to `cursor`; nothing when
  /// the cursor was never durable.
  using Line = std::vector<const std::vector<Change>*>;
  [[nodiscard]] std::optional<Line> line_to(const Log& log, const Cursor& cursor,
                                            Revision after) const;
  [[nodiscard]] static Rules rules_at(const Log& log, const Cursor& cursor);
  [[nodiscard]] static Rules seen_by(const std::string& zone, Rules rules);
  [[nodiscard]] static bool in_force(const Log& log, const Step& step, const std::string& zone,
                                     const Rules& rules);
  [[nodiscard]] bool visible(const Rules& rules, const Sight& sight, const Class& cls) const;
  [[nodiscard]] bool is_prefix(const Log& log, const Cursor& older, const Cursor& newer) const;
  [[nodiscard]] bool on_line(const Log& log, const Cursor& cursor) const;
  Broken advance(Receiver& receiver, const Sight& sight, const Step& step) const;
  void replay(Receiver& receiver, const Sight& sight, const Line& line,
              std::set<ResourceKey> kept) const;
  [[nodiscard]] static Broken compare(Receiver& receiver, const std::vector<Held>& held);
  static void apply(Content& content, const Change& change);

  const TypeRegistry& types_;
  std::map<Id128, Log> logs_;
  std::map<std::string, Receiver> receivers_;
  std::map<std::string, std::map<Revision, Receiver>> places_;
  std::set<std::string, std::less<>> home_;
};

}  // namespace zonesync::oracle
