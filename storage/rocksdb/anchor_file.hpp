// Two files that guard a store: the lineage anchor beside its directory, the ballast inside it.
//
// Thread rule: one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "protocol/model/result.hpp"
#include "storage/lineage.hpp"

namespace rocksdb {
class Env;
class Status;
}

namespace zonesync::rocksdb_store {

/// New file, fsync, rename, fsync of the directory: readers find the old one or the new one.
[[nodiscard]] rocksdb::Status replace_file(rocksdb::Env& env, const std::string& path,
                                           const std::string& bytes);

/// "DIR.anchor", DIR as `store_path` spells it: outside the database, so that it does not share the
/// database's fate.
[[nodiscard]] std::string anchor_path(const std::string& store);
/// Nothing when there is none. Errors: storage_corrupt (damaged), storage_io.
[[nodiscard]] Result<std::optional<LineageAnchor>> read_anchor(const std::string& store,
                                                               rocksdb::Env* env);
/// Errors: resource_exhausted, storage_io; the old one stays then.
Status write_anchor(const std::string& store, const LineageAnchor& anchor, rocksdb::Env* env);

/// A store that was reached by another spelling before, through a link perhaps, has its anchor
/// beside that: it is as true here. Nothing happens when the store has one of its own.
void adopt_anchor(const std::string& spelling, const std::string& store, rocksdb::Env* env);
/// There is an anchor and no log.
[[nodiscard]] Error missing_log(const LineageAnchor& anchor, const std::string& store);

/// "DIR/ballast": space that can be given back, since a start on a full disk needs some.
[[nodiscard]] bool has_ballast(const std::string& store, rocksdb::Env* env);
/// False when there was none.
bool drop_ballast(const std::string& store, rocksdb::Env* env);
/// Reserves `bytes`, really allocated. Errors: resource_exhausted, storage_io; nothing stays then.
Status make_ballast(const std::string& store, std::uint64_t bytes, rocksdb::Env* env);

}  // namespace zonesync::rocksdb_store
