#include "server/cmd/store_watch.hpp"

namespace zonesync {
namespace {

/// Back only when there is so much more than was lacking: a disk at its limit is said once.
constexpr std::uint64_t kBackBytes = 8u << 20;

std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20); }

}  // namespace

void StoreWatch::look(const StoreSpace& space) {
  free_bytes_ = space.free_bytes ? static_cast<std::int64_t>(*space.free_bytes) : -1;
  const std::uint64_t free = space.free_bytes.value_or(0);
  const std::vector<LogField> fields{{"free_bytes", std::to_string(free)},
                                     {"needed_bytes", std::to_string(space.needed_bytes)}};
  if (space.refusing && !refusing_) {
    refusing_ = true;
    logger_->log({LogLevel::error, "storage.space.low",
                  "the disk is almost full: writes are refused, zones and reads go on; free some "
                  "space, or give the disk more, and the hub takes writes again by itself",
                  fields});
  } else if (refusing_ && !space.refusing && free >= space.needed_bytes + kBackBytes) {
    refusing_ = false;
    trim_said_ = reseal_said_ = false;
    logger_->log({LogLevel::info, "storage.space.back",
                  "there is space on the disk again: writes are taken", fields});
  }
  if (space.resealing_waits && !reseal_said_) {
    reseal_said_ = true;
    logger_->log({LogLevel::warn, "storage.reseal.paused",
                  "re-encryption waits for space on the disk and goes on by itself", fields});
  }
  look_at_ballast(space);
}

void StoreWatch::look_at_ballast(const StoreSpace& space) {
  if (!space.ballast_waits) {
    ballast_said_ = false;
    return;
  }
  if (ballast_said_) return;
  ballast_said_ = true;
  const std::uint64_t free = space.free_bytes.value_or(0);
  logger_->log({LogLevel::warn, "storage.ballast.missing",
                "there is no room for the ballast of " + mib(space.ballast_bytes) + " MiB: it is "
                "set aside once " + mib(space.ballast_needs_bytes) + " MiB are free, " +
                mib(free) + " MiB are; until then the hub may not start on a completely full disk; "
                "free some space, or set a smaller storage.ballast",
                {{"free_bytes", std::to_string(free)},
                 {"needed_bytes", std::to_string(space.ballast_needs_bytes)},
                 {"ballast_bytes", std::to_string(space.ballast_bytes)}}});
}

void StoreWatch::trim_waits(const Error& error) {
  if (trim_said_) return;
  trim_said_ = true;
  logger_->log({LogLevel::warn, "storage.trim.paused",
                "trimming of old history waits for space on the disk and goes on by itself",
                {{"reason", describe(error)}}});
}

std::optional<std::uint64_t> StoreWatch::free_bytes() const {
  const std::int64_t free = free_bytes_;
  if (free < 0) return std::nullopt;
  return static_cast<std::uint64_t>(free);
}

}  // namespace zonesync
