#include "storage/rocksdb/raw_bench.hpp"

#include <algorithm>
#include <chrono>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"

namespace zonesync::rocksdb_store {

Result<RawRates> raw_rates(const std::string& path, std::uint64_t count, std::uint64_t per_batch,
                           std::string (*value)(std::uint64_t index, std::size_t bytes),
                           std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  auto database = Database::open(path, true, nullptr);
  if (!database) return fail(std::move(database.error()));
  RawRates rates;
  Clock::duration writing{};
  for (std::uint64_t i = 0; i < count;) {
    rocksdb::WriteBatch batch;
    for (std::uint64_t end = std::min(count, i + per_batch); i < end; ++i) {
      (*database)->put(batch, Family::log, log_key(Position{Revision{i + 1}, 0}), value(i, bytes));
    }
    const auto start = Clock::now();
    if (Status status = (*database)->write(batch, true); !status) return fail(status.error());
    writing += Clock::now() - start;
  }
  const auto start = Clock::now();
  std::uint64_t seen = 0;
  const auto take = [&](std::string_view, std::string_view) {
    ++seen;
    return true;
  };
  if (Status status = (*database)->visit(Family::log, {}, {}, nullptr, take); !status) {
    return fail(status.error());
  }
  rates.write_seconds = std::chrono::duration<double>(writing).count();
  rates.scan_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (seen == count) return rates;
  return fail(ErrorCode::storage_corrupt, "the database does not hold what was written", path);
}

}  // namespace zonesync::rocksdb_store
