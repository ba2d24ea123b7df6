// `store verify`: walks a whole store and compares everything that says the same thing twice.
//
// Memory: about 80 bytes for every (class, key). Life cycle: make, run once.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/rocksdb/database.hpp"
#include "storage/entry_codec.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/seals.hpp"

namespace zonesync::rocksdb_store {

class StoreVerifier {
 public:
  StoreVerifier(Database& database, const Seals& seals, const StoreInfo& info,
                VerifyReport& report)
      : database_(database), seals_(seals), info_(info), report_(report) {}
  /// Errors: only what prevents looking at the rest; a damaged table file is a problem.
  [[nodiscard]] Status run();

 private:
  struct Segment {
    Revision end;
    std::optional<Hash128> chain;
  };
  struct IdHash {
    std::size_t operator()(const Id128& id) const;
  };

  void problem(std::string text);
  void take_status(const Status& status);
  void load_segments();
  void walk_log();
  void check_entry(Position position, const std::optional<EntryView>& view);
  void check_previous(const LogEntry& entry, const Id128& slot);
  void walk_latest();
  void check_digests();
  void check_anchor();

  /// Newest of its (class, key) so far: as stored, and its true hash when that is known.
  struct Newest {
    Previous shown;
    std::optional<Hash128> hash;
  };

  Database& database_;
  const Seals& seals_;
  const StoreInfo& info_;
  VerifyReport& report_;
  std::vector<Segment> segments_;
  std::unordered_map<Id128, Newest, IdHash> newest_;  // by hash of the key in `latest`
  ClassDigests digests_;
  std::unordered_set<Class> unknown_;  // classes with a newest entry that could not be opened
};

}  // namespace zonesync::rocksdb_store
