#include "server/hub/zone_table.hpp"

#include <algorithm>

#include "protocol/model/defect.hpp"

namespace zonesync::hub {
namespace {

constexpr std::size_t kTicksMax = 4'096;
constexpr std::int64_t kTickMs = 100;
constexpr std::size_t kDownRejectsMax = 10'000;

ZoneCounters add(const ZoneCounters& a, const ZoneCounters& b) {
  ZoneCounters sum = a;
  sum.changes_sent += b.changes_sent;
  sum.changes_received += b.changes_received;
  sum.bytes_rx += b.bytes_rx;
  sum.bytes_tx += b.bytes_tx;
  sum.intents_none += b.intents_none;
  sum.intents_changes += b.intents_changes;
  sum.intents_repair += b.intents_repair;
  sum.intents_full += b.intents_full;
  sum.cuts_resumed += b.cuts_resumed;
  sum.up_cuts += b.up_cuts;
  sum.digest_mismatches += b.digest_mismatches;
  sum.saved_bytes += b.saved_bytes;
  sum.patches_sent += b.patches_sent;
  sum.patch_failures += b.patch_failures;
  return sum;
}

}  // namespace

std::string_view to_string(Convergence value) {
  switch (value) {
    case Convergence::unknown: return "unknown";
    case Convergence::yes: return "yes";
    case Convergence::no: return "no";
  }
  return "unknown";
}

void ZoneTable::put_zone(const ZoneRecord& record) {
  const std::lock_guard lock(mutex_);
  ZoneStatus& status = rows_[record.name].status;
  status.name = record.name;
  status.enabled = record.enabled;
  status.paused = record.paused;
  status.scope = record.scope;
  status.registered_at_ms = record.registered_at_ms;
  status.first_seen_ms = record.first_seen_ms;
  status.generation = record.generation;
  status.instance = record.instance;
  status.forced_mode = record.forced_mode;
}

std::optional<SyncMode> ZoneTable::forced_mode(const std::string& zone) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  return found == rows_.end() ? std::nullopt : found->second.status.forced_mode;
}

void ZoneTable::remove_zone(const std::string& zone) {
  const std::lock_guard lock(mutex_);
  rows_.erase(zone);
}

void ZoneTable::connected(const std::string& zone, const SessionFacts& facts,
                          std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end()) return;
  Row& row = found->second;
  ZoneStatus& status = row.status;
  row.past = status.counters;
  ++row.past.sessions;
  status.counters = row.past;
  status.connected = true;
  status.session = facts.session;
  status.instance = facts.instance;
  status.generation = facts.generation;
  status.software = facts.software;
  status.peer = facts.peer;
  status.durable = facts.durable;
  status.mode = to_string(facts.mode.mode);
  status.mode_reason = facts.mode.reason;
  status.lists.clear();
  status.connected_since_ms = now_ms;
  status.last_seen_ms = now_ms;
  if (status.first_seen_ms == 0) status.first_seen_ms = now_ms;
  row.digest_failed = false;
  row.down_rejects_hello = facts.open_rejects;
  row.down_rejects.clear();  // the zone reports them anew
}

void ZoneTable::disconnected(const std::string& zone, SessionId session,
                             DisconnectReason reason) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end()) return;
  if (found->second.status.session != session && !ZONESYNC_DEFECT(62)) return;
  ZoneStatus& status = found->second.status;
  if (!status.connected) return;
  status.connected = false;
  status.connected_since_ms = 0;
  status.in_flight_bytes = 0;
  found->second.session_hold_reason.clear();
  found->second.session_hold_text.clear();
  status.last_seen_ms = reason.at_ms;
  status.last_disconnect = std::move(reason);
}

bool ZoneTable::sample(const std::string& zone, SessionId session, const SessionSample& sample,
                       std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end() || found->second.status.session != session) return false;
  Row& row = found->second;
  ZoneStatus& status = row.status;
  const auto before = status.acked;
  if (sample.acked) status.acked = sample.acked->revision;
  status.in_flight_bytes = sample.in_flight_bytes;
  status.up_offered = sample.up_offered;
  status.hold_reason = sample.hold_reason;
  status.hold_text = sample.hold_text;
  row.session_hold_reason = sample.up_hold_reason;
  row.session_hold_text = sample.up_hold_text;
  status.lists = sample.lists;
  status.last_seen_ms = now_ms;
  row.digest_failed = sample.digest_failed;
  const std::uint64_t v1_bytes = status.counters.v1_bytes_est;
  status.counters = add(row.past, sample.counters);
  status.counters.v1_bytes_est = v1_bytes;
  return status.acked != before;
}

void ZoneTable::verdicts(const std::string& zone, const std::vector<Verdict>& verdicts,
                         std::int64_t now_ms) {
  if (verdicts.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end()) return;
  auto& rejects = found->second.down_rejects;
  for (const auto& verdict : verdicts) {
    if (verdict.accepted) {
      if (!ZONESYNC_DEFECT(64)) rejects.erase(verdict.key);
    } else if (rejects.size() < kDownRejectsMax || rejects.contains(verdict.key)) {
      rejects[verdict.key] =
          RejectRecord{true, verdict.key, verdict.revision, {}, verdict.reject, now_ms};
    }
  }
  found->second.down_rejects_hello = 0;
}

void ZoneTable::set_up(const std::string& zone, const OriginState& state, bool with_offers) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end()) return;
  Row& row = found->second;
  row.status.up_resources = state.live;
  row.status.up_cursor =
      state.cursor ? std::optional<Cursor>(state.cursor->cursor) : std::nullopt;
  row.up_hold_reason = state.hold ? state.hold->hold_reason : std::string();
  row.up_hold_text = state.hold ? state.hold->error.message : std::string();
  if (!with_offers) return;
  row.up_rejects.clear();
  row.up_rejects_total = 0;
  for (const auto& [key, offer] : state.offers) {
    if (offer.unconfirmed) continue;
    ++row.up_rejects_total;
    if (row.up_rejects.size() >= kZoneRejectsShown) continue;
    row.up_rejects.push_back(
        RejectRecord{false, key, offer.revision, offer.hash, offer.reject, offer.at_ms});
  }
}

void ZoneTable::committed(const Segment& segment, std::int64_t now_ms,
                          const std::function<std::uint64_t(const std::string&)>& v1_cost) {
  const std::lock_guard lock(mutex_);
  const Revision first = segment.transactions.front().revision;
  if (ticks_.empty() || now_ms - ticks_.back().at_ms >= kTickMs) {
    ticks_.push_back({first, now_ms});
    if (ticks_.size() > kTicksMax) ticks_.pop_front();
  }
  for (auto& [zone, row] : rows_) {
    if (!row.down_rejects.empty() && !ZONESYNC_DEFECT(64)) {
      for (const auto& transaction : segment.transactions) {
        for (const auto& change : transaction.changes) row.down_rejects.erase(change.key);
      }
    }
    if (row.status.connected) row.status.counters.v1_bytes_est += v1_cost(zone);
  }
}

void ZoneTable::add_v1_bytes(const std::string& zone, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found != rows_.end()) found->second.status.counters.v1_bytes_est += bytes;
}

double ZoneTable::lag_seconds(Revision acked, std::int64_t now_ms) const {
  if (ticks_.empty()) return 0;
  auto tick = std::partition_point(ticks_.begin(), ticks_.end(), [&](const Tick& candidate) {
    return candidate.first <= acked.next();
  });
  if (tick != ticks_.begin()) --tick;
  return static_cast<double>(std::max<std::int64_t>(0, now_ms - tick->at_ms)) / 1000.0;
}

ZoneStatus ZoneTable::finish(const Row& row, Revision head, std::int64_t now_ms) const {
  ZoneStatus status = row.status;
  const Revision acked = status.acked.value_or(Revision{});
  const bool at_head = status.acked && acked >= head;
  status.lag_revisions = at_head ? 0 : head.value - acked.value;
  status.lag_seconds = at_head ? 0 : lag_seconds(acked, now_ms);
  if (row.digest_failed) {
    status.converged = Convergence::no;
  } else if (at_head) {
    status.converged = Convergence::yes;
  }
  status.hold_down = !status.hold_reason.empty();
  if (!status.hold_down) {
    status.hold_reason = row.up_hold_reason;
    status.hold_text = row.up_hold_text;
  }
  if (status.hold_reason.empty()) {
    status.hold_reason = row.session_hold_reason;
    status.hold_text = row.session_hold_text;
  }
  if (status.hold_reason.empty() && status.paused) {
    status.hold_reason = "paused";
    status.hold_text = "the hub sends nothing: paused by an operator";
  }
  for (const auto& [key, reject] : row.down_rejects) {
    if (status.rejects.size() < kZoneRejectsShown) status.rejects.push_back(reject);
  }
  for (const auto& reject : row.up_rejects) {
    if (status.rejects.size() < kZoneRejectsShown) status.rejects.push_back(reject);
  }
  status.rejects_total =
      std::max<std::uint64_t>(row.down_rejects.size(), row.down_rejects_hello) +
      row.up_rejects_total;
  return status;
}

std::vector<ZoneStatus> ZoneTable::snapshot(Revision head, std::int64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  std::vector<ZoneStatus> zones;
  zones.reserve(rows_.size());
  for (const auto& [zone, row] : rows_) zones.push_back(finish(row, head, now_ms));
  return zones;
}

std::optional<ZoneStatus> ZoneTable::snapshot_of(const std::string& zone, Revision head,
                                                 std::int64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  if (found == rows_.end()) return std::nullopt;
  return finish(found->second, head, now_ms);
}

std::optional<Revision> ZoneTable::acked(const std::string& zone) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(zone);
  return found == rows_.end() ? std::nullopt : found->second.status.acked;
}

std::vector<ZoneCursor> ZoneTable::cursors() const {
  const std::lock_guard lock(mutex_);
  std::vector<ZoneCursor> found;
  found.reserve(rows_.size());
  for (const auto& [zone, row] : rows_) {
    found.push_back(ZoneCursor{row.status.durable, row.status.acked});
  }
  return found;
}

std::vector<std::string> ZoneTable::connected_zones() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> zones;
  for (const auto& [zone, row] : rows_) {
    if (row.status.connected) zones.push_back(zone);
  }
  return zones;
}

}  // namespace zonesync::hub
