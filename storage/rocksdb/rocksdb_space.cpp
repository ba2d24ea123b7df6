// The room of RocksDbChangeLog on its disk: who may still write, checkpoints, and what a full disk
// left behind.
#include "storage/rocksdb/checkpoint.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

/// The hub's own records (an admission, a job's progress), trimming and re-encryption may use all
/// but this part of the reserve: a zone that restarts must get in while users' writes are refused,
/// and trimming is what gives space back.
constexpr std::uint64_t kOwnReservePart = 16;
/// A flush gives the space of the write-ahead log back: for less it is not worth a table file.
constexpr std::uint64_t kWorthAFlush = 4u << 20;
constexpr std::uint64_t kSmallWrite = 256u << 10;  // for those who ask before they write

}  // namespace

Error RocksDbChangeLog::full_error(std::uint64_t free) const {
  return Error{ErrorCode::resource_exhausted,
               "the disk is almost full (" + std::to_string(free >> 20) +
                   " MiB free); nothing was written, free some space",
               database_->path()};
}

// What memory holds needs its place on the disk too, or a flush fails and with it the database:
// users' writes leave room for it. `bytes` count twice, for the write-ahead log and the table file.
Status RocksDbChangeLog::check_space(std::size_t bytes, Writer writer) {
  const auto free = database_->free_bytes();
  if (database_->blocked()) return fail(full_error(free.value_or(0)));
  const bool starved = database_->starved();
  if (!free && !starved) return {};
  const std::uint64_t own_reserve = options_.reserve_bytes / kOwnReservePart;
  const std::uint64_t reserve = writer == Writer::hub ? own_reserve : options_.reserve_bytes;
  const std::uint64_t unflushed = database_->unflushed_bytes();
  const std::uint64_t needed =
      reserve + 2 * bytes + (writer == Writer::hub && !starved ? 0 : unflushed);
  if (!starved && *free >= needed) return {};
  const std::uint64_t available = free.value_or(needed);
  const bool flush_fits = available >= own_reserve + unflushed + unflushed / 16;  // its indexes
  if (!flush_fits || (!starved && unflushed < kWorthAFlush)) return fail(full_error(available));
  const Status flushed = starved ? database_->resume() : database_->flush();
  if (!flushed && !database_->starved()) return flushed;
  const std::uint64_t now = database_->free_bytes().value_or(needed);
  if (flushed && now >= reserve + 2 * bytes + database_->unflushed_bytes()) return {};
  return fail(full_error(now));
}

Status RocksDbChangeLog::write_batch(rocksdb::WriteBatch& batch, bool sync) {
  Status status = database_->write(batch, sync);
  if (status) return status;
  // A flush found no space before this write began: it was refused whole.
  if (database_->starved()) return fail(full_error(database_->free_bytes().value_or(0)));
  // Part of it may be in the WAL: only a restart can tell, also when the disk was full.
  status.error().code = ErrorCode::storage_io;
  stopped_ = true;
  return status;
}

Status RocksDbChangeLog::checkpoint(const std::string& directory) {
  if (stopped_) return fail(stopped_error());
  return make_checkpoint(*database_, directory, options_.reserve_bytes,
                         {state_.log_id, state_.head, state_.current_era(), chain_});
}

StoreSpace RocksDbChangeLog::space() const {
  StoreSpace space;
  space.free_bytes = database_->free_bytes();
  const bool starved = database_->starved();
  const std::uint64_t unflushed = database_->unflushed_bytes();
  space.needed_bytes = options_.reserve_bytes + kSmallWrite;
  if (starved || unflushed < kWorthAFlush) space.needed_bytes += unflushed;
  space.refusing = starved || database_->blocked() ||
                   (space.free_bytes && *space.free_bytes < space.needed_bytes);
  space.ballast_bytes = options_.ballast_bytes;
  space.ballast_needs_bytes = ballast_needs();
  space.ballast_waits = ballast_waits_;
  space.resealing_waits = resealing_waits_;
  return space;
}

}  // namespace zonesync
