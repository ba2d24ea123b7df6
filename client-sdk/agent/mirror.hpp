// The replica as files: `current` -> `.cuts/<revision>`, one consistent cut for whoever opens it
// once.
//
//   DIR/current                                -> .cuts/17
//   DIR/.cuts/17/.cut.json                     {digest, era, revision, zone}
//   DIR/.cuts/17/<mesh>/<type>/<origin>        -> ../../../../.dirs/2a
//   DIR/.dirs/2a/<name>.json                   canonical JSON, immutable once referenced
//
// A cut makes new directories only for the leaves that changed, and in those hard links for the
// files that did not. Nothing is synced: after a power loss reconcile() rebuilds from the store.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/runtime/clock.hpp"

namespace zonesync::agent {

/// Where in the hub's log a content stands.
struct MirrorPoint {
  Revision revision;
  EraId era;
  Digest digest;
};

/// An immutable content at one point; the client's snapshot, or a map in tests.
class MirrorContent {
 public:
  virtual ~MirrorContent() = default;
  [[nodiscard]] virtual MirrorPoint point() const = 0;
  [[nodiscard]] virtual std::optional<Resource> get(const ResourceKey& key) const = 0;
  virtual void for_each(const std::function<void(const Resource&)>& visit) const = 0;
};

struct MirrorOptions {
  std::filesystem::path dir;
  std::string zone;
  Duration keep = std::chrono::seconds(60);  // a replaced cut stays at least that long ...
  std::size_t max_cuts = 64;                 // ... which pacing reconciles with this bound
  std::size_t fast_cuts = 32;                // so many kept ones slow nothing down
};

struct MirrorResult {
  bool switched = false;  // false: `current` was right already
  std::string cut;        // name under .cuts
  std::size_t files_written = 0;
  std::size_t files_linked = 0;
  std::size_t dirs_built = 0;
};

/// Files of one directory, as they are or should be. Names -> (resource name, hash of content).
struct MirrorFile {
  std::string name;
  Hash128 content;
  friend bool operator==(const MirrorFile&, const MirrorFile&) = default;
};
struct MirrorLeaf {
  std::string id;   // directory under .dirs; empty = not made yet
  ResourceKey key;  // type, mesh, origin; no name
  std::map<std::string, MirrorFile> files;
};
using MirrorTree = std::map<std::string, std::shared_ptr<const MirrorLeaf>>;  // by leaf_path

/// Life cycle: construct, reconcile() once before the first apply(); after an error the old cut
/// stands and the same call may be repeated. Thread rule: one thread.
class Mirror {
 public:
  Mirror(MirrorOptions options, const Clock& clock);

  /// Makes the files equal `content` whatever is there now; reads every file. Errors: storage_io.
  [[nodiscard]] Result<MirrorResult> reconcile(const MirrorContent& content);
  /// The same when nothing but `changed` differs from what the mirror shows. Errors: storage_io.
  [[nodiscard]] Result<MirrorResult> apply(const MirrorContent& content,
                                           const std::set<ResourceKey>& changed);
  /// Removes cuts that are old enough and the directories only they used. Errors are left for the
  /// next time.
  void collect();
  /// The next cut should wait until then, so that `keep` and `max_cuts` both hold. Cuts merge.
  [[nodiscard]] TimePoint next_switch() const;
  /// What `current` shows; nothing before the first cut.
  [[nodiscard]] std::optional<Revision> shown() const;

 private:
  struct Kept {
    std::string name;
    std::set<std::string> ids;
    TimePoint replaced;
  };

  [[nodiscard]] Status open();
  void forget_if_gone();
  [[nodiscard]] Result<std::shared_ptr<const MirrorLeaf>> build_leaf(const MirrorContent& content,
                                                                     const MirrorLeaf* old,
                                                                     MirrorLeaf wanted,
                                                                     MirrorResult& result);
  [[nodiscard]] Status build_cut(const std::filesystem::path& cut, const MirrorTree& tree,
                                 const std::string& about) const;
  [[nodiscard]] Result<MirrorResult> show(const MirrorContent& content, MirrorTree wanted);
  [[nodiscard]] std::string about(const MirrorPoint& point) const;
  [[nodiscard]] std::string free_cut_name(Revision revision) const;
  void drop_unreferenced();

  MirrorOptions options_;
  const Clock& clock_;
  bool opened_ = false;
  std::uint64_t next_id_ = 1;
  MirrorTree tree_;           // what `current` shows
  std::string current_;       // its name under .cuts; empty = none
  std::string about_;         // content of its .cut.json
  std::optional<Revision> revision_;
  TimePoint switched_{};
  std::deque<Kept> kept_;     // replaced cuts, oldest first
  std::set<std::string> ids_; // directories under .dirs
};

}  // namespace zonesync::agent
