// `store verify`: walks a whole store and compares everything that says the same thing twice.
//
// Memory: about 80 bytes for every (class, key). Life cycle: make, run once.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync::rocksdb_store {

class StoreVerifier {
 public:
  StoreVerifier(Database& database, const StoreInfo& info, VerifyReport& report)
      : database_(database), info_(info), report_(report) {}
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
  void check_entry(Position position, std::string_view stored);
  void check_previous(const LogEntry& entry, const Id128& slot);
  void walk_latest();
  void check_digests();
  void check_anchor();

  Database& database_;
  const StoreInfo& info_;
  VerifyReport& report_;
  std::vector<Segment> segments_;
  std::unordered_map<Id128, Previous, IdHash> newest_;  // by hash of the key in `latest`
  ClassDigests digests_;
};

}  // namespace zonesync::rocksdb_store
