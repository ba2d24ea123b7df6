// The staged changes of one unfinished cut: the newest of every key, in memory up to a bound, the
// rest on disk.
//
//   begin ──► add* ──► load ──► (commit) ──► next
//               │                   └─ held: keep, the sender goes on behind it later
//               └─ over spill_bytes: payloads go to the stage store; keys and hashes stay here
//
// What is staged outlives the session, and the process where the stage store is durable: `staged`
// says how far it goes, so that the sender goes on from there (docs/protocol.md STG-*). It is a
// stretch of the sender's log from the start of the cut: whatever breaks that (a Drop, a list, a
// repair) makes it impossible to resume.
//
// Life cycle: as the sink that owns it. Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "protocol/core/ports.hpp"
#include "storage/stage_store.hpp"

namespace zonesync {

class CutStaging {
 public:
  struct Options {
    std::uint64_t max_bytes = limits::kCutMaxBytes;       // of one cut, wherever it lies
    std::uint64_t spill_bytes = limits::kStageMemoryBytes;  // of it in memory
    StageStore* store = nullptr;                          // outlives this; none = all in memory
  };
  struct Item : StagedChange {
    std::uint64_t bytes = 0;  // of the payload, here or there
    bool stored = false;      // in the stage store; an empty payload is only there
  };
  using Items = std::unordered_map<ResourceKey, Item>;
  /// What a staged change counts for beyond its payload: keys and hashes stay in memory.
  static constexpr std::uint64_t kItemBytes = 512;
  struct Counters {
    std::uint64_t spills = 0;
    std::uint64_t resumes = 0;
  };

  /// Takes over what the stage store holds of an earlier process, if that still continues `cursor`,
  /// the one of the replica. What cannot be read is dropped (STG-08).
  CutStaging(Options options, const std::optional<Cursor>& cursor);

  /// A new answer: what is staged stays only where the sender goes on behind it.
  void begin(const wire::Intent& intent);
  /// The later change of a key wins. Errors: too_large (over max_bytes), resource_exhausted (disk
  /// full), storage_io; then nothing of the change is taken, and what is staged stays as it was.
  Status add(StagedChange change);
  /// v1: an older list of the type is void.
  void erase_type(const std::string& type);
  /// VIEW-02: staged upserts of the class become leaves.
  void drop_class(const Class& cls);
  /// What the commit itself adds; not counted.
  void put(StagedChange change);

  /// Brings spilled payloads back, for the commit. Errors: storage_io, storage_corrupt.
  Status load();
  /// The cut was held: memory is given back, what is staged stays for a resume if it may.
  void keep();
  /// Before an orderly end of the process: everything that may be resumed goes to the stage store,
  /// if that outlives the process (STG-07). Errors: as add.
  Status flush();
  void drop();
  /// The cut is durable, the next one starts at `from`.
  void next(const Cursor& from);

  [[nodiscard]] const Items& items() const { return items_; }
  /// How far it goes, for Want and Hello; nothing = the next answer starts anew.
  [[nodiscard]] std::optional<wire::Staged> staged() const;
  [[nodiscard]] std::uint64_t bytes() const { return total_bytes_; }
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_bytes_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void recover(const std::optional<Cursor>& cursor);
  [[nodiscard]] Status check_limit(const Item& item) const;
  Status spill();
  void forget_payload(const Item& item);
  void clear_store();

  Options options_;
  Items items_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
  EraId era_;                       // of the sender's log, from its Intent
  Revision floor_;                  // the same
  StagePlace place_;
  bool store_is_stale_ = false;     // it could not be cleared: not one more item before that
  Counters counters_;
};

}  // namespace zonesync
