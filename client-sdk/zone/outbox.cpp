#include "client-sdk/zone/outbox.hpp"

#include <set>
#include <utility>

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kRejectsMax = 10'000;
constexpr std::size_t kListPage = 1'000;

}  // namespace

Outbox::Outbox(std::string zone, ChangeLog& log, std::size_t hot_tail_bytes,
               std::shared_ptr<const TypeRegistry> registry)
    : zone_(std::move(zone)),
      log_(log),
      source_(log, hot_tail_bytes),
      registry_(std::move(registry)) {}

void Outbox::set_registry(std::shared_ptr<const TypeRegistry> registry) {
  registry_ = std::move(registry);
}

void Outbox::publish(std::vector<OutboxOp> ops, OutboxDone done) {
  if (!appending_) return start(Waiting{std::move(ops), std::move(done)});
  if (waiting_.size() >= limits::kCommitQueueMaxRequests) {
    return done(fail(ErrorCode::resource_exhausted, "too many publications wait; try again"));
  }
  PROBE(publication_waited);
  waiting_.push_back(Waiting{std::move(ops), std::move(done)});
}

void Outbox::start(Waiting request) {
  OutboxResult result;
  auto changes = plan(std::move(request.ops), result);
  if (!changes) return request.done(fail(changes.error()));
  if (changes->empty()) {
    result.revision = head();
    return request.done(result);
  }
  append(std::move(*changes), result, std::move(request.done));
}

Result<std::vector<Change>> Outbox::plan(std::vector<OutboxOp> ops, OutboxResult& result) const {
  if (ops.size() > limits::kTransactionMaxChanges) {
    return fail(ErrorCode::too_large, "at most " + std::to_string(limits::kTransactionMaxChanges) +
                                          " changes fit into one publication");
  }
  std::vector<Change> changes;
  std::set<ResourceKey> seen;
  for (OutboxOp& op : ops) {
    if (op.resource) op.key = op.resource->key;
    if (op.key.origin.empty()) op.key.origin = zone_;
    if (op.resource) op.resource->key = op.key;
    if (!seen.insert(op.key).second) {
      return fail(ErrorCode::invalid_argument, "a key occurs twice in one publication",
                  to_string(op.key));
    }
    if (auto status = add_changes(std::move(op), changes, result); !status) {
      return fail(status.error());
    }
  }
  std::size_t bytes = 0;
  for (const Change& change : changes) bytes += change.payload.size();
  if (ops.size() > 1 && bytes > limits::kTransactionMaxBytes) {
    return fail(ErrorCode::too_large, "one publication holds at most " +
                                          std::to_string(limits::kTransactionMaxBytes) +
                                          " bytes; split it");
  }
  return changes;
}

Status Outbox::add_changes(OutboxOp op, std::vector<Change>& changes, OutboxResult& result) const {
  if (op.resource) return add_upsert(std::move(*op.resource), changes, result);
  return add_leave(std::move(op.key), changes, result);
}

Status Outbox::add_upsert(Resource resource, std::vector<Change>& changes,
                          OutboxResult& result) const {
  if (auto status = may_write(*registry_, Writer{zone_}, resource); !status) return status;
  auto cls = class_of(*registry_, resource);
  if (!cls) return fail(cls.error());
  auto latest = log_.latest(resource.key);
  if (!latest) return fail(latest.error());
  Change change = wire::make_upsert(*cls, resource);
  if (*latest && (*latest)->kind == ChangeKind::upsert) {
    if ((*latest)->cls == *cls && (*latest)->hash == change.hash) {
      ++result.unchanged;
      return {};
    }
    if ((*latest)->cls != *cls && !ZONESYNC_DEFECT(42)) {
      changes.push_back(wire::make_leave((*latest)->cls, resource.key));
    }
  }
  changes.push_back(std::move(change));
  ++result.written;
  return {};
}

Status Outbox::add_leave(ResourceKey key, std::vector<Change>& changes,
                         OutboxResult& result) const {
  if (auto status = may_remove(*registry_, Writer{zone_}, key); !status) return status;
  auto latest = log_.latest(key);
  if (!latest) return fail(latest.error());
  if (!*latest || (*latest)->kind == ChangeKind::leave) {
    ++result.unchanged;
    return {};
  }
  changes.push_back(wire::make_leave((*latest)->cls, key));
  ++result.written;
  return {};
}

void Outbox::append(std::vector<Change> changes, OutboxResult result, OutboxDone done) {
  ZS_ASSERT(!appending_);
  appending_ = true;
  result.revision = log_.state().head.next();
  Segment segment;
  segment.transactions.push_back(Transaction{result.revision, std::move(changes)});
  Segment copy = segment;  // payloads are shared
  log_.append(std::move(copy),
              [this, segment = std::move(segment), result, done = std::move(done)](Status status) {
                appending_ = ZONESYNC_DEFECT(43) && !status;
                if (status) {
                  source_.on_appended(segment);
                  for (const Change& change : segment.transactions.front().changes) {
                    rejects_.erase(change.key);
                  }
                  done(result);
                } else {
                  done(fail(status.error()));
                }
                while (!appending_ && !waiting_.empty()) {
                  Waiting next = std::move(waiting_.front());
                  waiting_.pop_front();
                  start(std::move(next));
                }
              });
}

Status Outbox::declare_complete() {
  if (auto status = log_.declare_complete(); !status) return status;
  source_.refresh();
  return {};
}

Result<std::vector<Resource>> Outbox::present() const {
  std::vector<Resource> resources;
  ListFilter filter;
  filter.all_types = true;
  std::optional<ResourceKey> after;
  do {
    auto page = log_.list(filter, after, kListPage);
    if (!page) return fail(page.error());
    for (const LogEntry& entry : page->entries) {
      auto resource = wire::resource_of(entry.change.payload);
      if (!resource) return fail(resource.error());
      resources.push_back(std::move(*resource));
    }
    after = page->next;
  } while (after);
  return resources;
}

wire::LogInfo Outbox::info() const {
  const LogState state = log_.state();
  return wire::LogInfo{state.log_id, state.current_era(), state.head, state.complete};
}

void Outbox::on_verdict(const Verdict& verdict) {
  if (verdict.accepted) {
    rejects_.erase(verdict.key);
    return;
  }
  const auto latest = log_.latest(verdict.key);
  const bool newest = latest && *latest && (*latest)->kind == ChangeKind::upsert &&
                      (*latest)->position.revision == verdict.revision;
  if (!newest) return;
  if (rejects_.size() < kRejectsMax || rejects_.contains(verdict.key)) {
    rejects_[verdict.key] = verdict;
  }
}

std::vector<Verdict> Outbox::rejects() const {
  std::vector<Verdict> all;
  all.reserve(rejects_.size());
  for (const auto& [key, verdict] : rejects_) all.push_back(verdict);
  return all;
}

}  // namespace zonesync
