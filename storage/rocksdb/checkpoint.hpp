// A consistent copy of an open store in a directory of its own, with its lineage anchor.
//
// The copy grows in "DIR~making", readable by its owner alone, and gets its name when it is whole:
// a failure or a crash leaves no half checkpoint under a checkpoint's name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/lineage.hpp"
#include "storage/rocksdb/database.hpp"

namespace zonesync::rocksdb_store {

/// Space is asked for before anything is done: on the store's file system for what memory holds
/// and, there or where `directory` lies, for what is copied. `reserve` stays free beside the store.
/// Errors: conflict (`directory` exists), invalid_argument (it lies inside the store), not_found
/// (its folder does not exist), resource_exhausted (too little space; nothing was changed, the text
/// says how much is needed), storage_io. Nothing is left of a copy that failed.
[[nodiscard]] Status make_checkpoint(Database& database, const std::string& directory,
                                     std::uint64_t reserve, const LineageAnchor& anchor);

/// "the disk is too full for WHAT: it needs about 70 MiB free in PLACE, there are 12 MiB; ..."
[[nodiscard]] Error too_full(std::string_view what, std::uint64_t needed, std::uint64_t free,
                             const std::string& place);

}  // namespace zonesync::rocksdb_store
