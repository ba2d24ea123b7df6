// Decides what a publish directory means: which versions to publish, in which order, what left.
//
// Files are taken in path order, documents in file order. Several documents of one key are versions
// that follow each other; what stands last is what the zone wants. Absence is weak evidence
// (architecture.md idea 6): see `PublishHold`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client-sdk/agent/publish_memory.hpp"
#include "client-sdk/agent/publish_scan.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::agent {

inline constexpr std::size_t kRemovalsMin = 10;       // so many may always leave at once
inline constexpr std::size_t kRemovalsPercent = 20;   // of the set, when that is more

/// A document, or a whole file, that is not published.
struct PublishRefusal {
  std::string file;
  int line = 1;
  std::string key;     // empty = not known
  std::string reason;
  friend bool operator==(const PublishRefusal&, const PublishRefusal&) = default;
};

/// Absences that remove nothing for now.
struct PublishHold {
  std::size_t count = 0;
  std::string reason;       // stable word; empty = nothing is held: directory_missing,
                            // marker_missing, listing_failed, second_scan, mass_removal
  friend bool operator==(const PublishHold&, const PublishHold&) = default;
};

/// One version to publish, or one key to remove.
struct PublishStep {
  ResourceKey key;
  std::shared_ptr<const Resource> resource;  // none = leave
  Versions versions;                         // to remember once it is done
  Hash128 hash;
  std::string file;
  int line = 1;
};

/// Life cycle: observe() every scan; then next_round() until it is empty, reporting each step with
/// done() or refuse(). Pure but for `Reader`; all state is in memory, what must survive goes to
/// PublishMemory. Thread rule: one thread.
class PublishDirectory {
 public:
  using Reader = std::function<Result<std::string>(const std::string& relative_path)>;

  /// `memory` outlives the object.
  PublishDirectory(std::string zone, PublishMemory& memory);

  /// Takes a scan in. `release` lets a mass removal that is held now go ahead; true is returned
  /// when it was used.
  bool observe(const PublishScan& scan, const TypeRegistry& registry, const Reader& read,
               bool release);
  /// At most one step per key: what can be published in one transaction.
  [[nodiscard]] std::vector<PublishStep> next_round();
  /// A step is durable in the outbox; `unchanged` = it was live there already.
  void done(const PublishStep& step, bool unchanged);
  /// A version that the outbox does not take; it is not tried again until it changes.
  void refuse(const PublishStep& step, std::string reason);

  /// Judges everything refused again at the next observe(): the type registry changed.
  void reconsider();

  [[nodiscard]] const PublishHold& held() const { return held_; }
  [[nodiscard]] std::vector<PublishRefusal> refused() const;
  /// Documents in the directory, refused ones included.
  [[nodiscard]] std::size_t documents() const;
  /// Every file was understood in full, and the listing can be trusted.
  [[nodiscard]] bool complete() const;
  /// Where a key's last document stands.
  [[nodiscard]] std::optional<std::pair<std::string, int>> place_of(const ResourceKey& key) const;

 private:
  struct Document {
    int line = 1;
    ResourceKey key;
    Hash128 hash;
    std::shared_ptr<const Resource> resource;  // none = only remembered
  };
  struct File {
    std::optional<FileStamp> stamp;  // none = what memory says, not read yet
    std::vector<Document> documents;
    std::vector<PublishRefusal> refused;
  };
  struct Place {
    const Document* document;
    const std::string* file;
  };

  [[nodiscard]] File understand(const std::string& path, const FileStamp& stamp,
                                const TypeRegistry& registry, const Reader& read) const;
  [[nodiscard]] bool settled(const std::string& path, const FileStamp& stamp);
  void prune_refused_versions();
  void retain(File& file, const std::string& path, const std::set<ResourceKey>* only) const;
  void remember(const std::string& path, const File& file);
  [[nodiscard]] std::map<ResourceKey, std::vector<Place>> wanted() const;
  void forget_files(const PublishScan& scan, const std::set<ResourceKey>& absent);
  bool judge_absences(const PublishScan& scan, bool release);

  std::string zone_;
  PublishMemory& memory_;
  std::map<std::string, File> files_;
  PublishScan previous_;
  std::set<ResourceKey> absent_before_;   // in the last scan that could be trusted
  std::set<ResourceKey> leaves_;          // decided, not done yet
  PublishHold held_;
  std::map<std::pair<ResourceKey, Hash128>, std::string> refused_versions_;
  std::map<std::string, int> restless_;   // scans that found the file changed again
  bool unsettled_ = true;                 // some file still waits for its second scan
};

}  // namespace zonesync::agent
