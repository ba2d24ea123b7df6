#include "server/hub/up_sink.hpp"

#include "protocol/text/canonical_json.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::hub {
namespace {

std::string bounded(std::string text) {
  if (text.size() > limits::kRejectTextMaxBytes) text.resize(limits::kRejectTextMaxBytes);
  return text;
}

Reject reject_of(const Error& error) {
  return Reject{std::string(to_string(error.code)), bounded(error.field), bounded(error.message),
                error.code == ErrorCode::not_found};  // a type may be registered later
}

}  // namespace

UpSink::UpSink(Options options, UpPort& port, std::shared_ptr<const TypeRegistry> registry,
               View view, std::optional<Cursor> cursor, Events events)
    : options_(std::move(options)),
      port_(port),
      registry_(std::move(registry)),
      view_(std::move(view)),
      cursor_(std::move(cursor)),
      events_(std::move(events)),
      alive_(std::make_shared<bool>(true)),
      verdicts_(std::make_shared<std::vector<Verdict>>()) {}

UpSink::~UpSink() { *alive_ = false; }

void UpSink::begin(const wire::Intent& intent) {
  log_id_ = intent.log_id;
  reset_cut();
  replacing_ = !intent.from;
  if (intent.reason == wire::IntentReason::repair) {
    removed_ = std::make_shared<NamedKeys>();
  } else if (replacing_) {
    named_ = std::make_shared<NamedKeys>();
  }
}

bool UpSink::has_content() const {
  return cursor_.has_value() || (events_.has_content && events_.has_content());
}

std::optional<std::vector<Print>> UpSink::prints() const {
  return events_.prints ? events_.prints() : std::nullopt;
}

Status UpSink::stage_remove(const Id128& key_fingerprint) {
  if (!removed_ || removed_->size() >= options_.named_max) {
    return fail(ErrorCode::protocol, "more is removed than a zone may have published", "REP-05");
  }
  removed_->insert(key_fingerprint);
  return {};
}

void UpSink::reset_cut() {
  transaction_.clear();
  transaction_revision_ = Revision{};
  transaction_bytes_ = 0;
  leaves_.clear();
  staged_.clear();
  staged_bytes_ = 0;
  in_pieces_ = false;
  replacing_ = false;
  named_.reset();
  listed_.clear();
  removed_.reset();
  piece_failure_.reset();
  ++cut_;
  piece_ = 0;
}

/// Everything the hub may say against a version, found on the session's thread.
std::optional<Reject> UpSink::judge(const Change& change) const {
  auto resource = wire::resource_of(change.payload);
  if (!resource) return reject_of(resource.error());
  if (!is_canonical_object(resource->spec)) {
    return Reject{"invalid", "/spec", "the spec is not a canonical JSON object", false};
  }
  if (!resource->status.empty() && !is_canonical_object(resource->status)) {
    return Reject{"invalid", "/status", "the status is not a canonical JSON object", false};
  }
  const Writer writer{options_.zone};
  if (auto allowed = may_write(*registry_, writer, *resource); !allowed) {
    return reject_of(allowed.error());
  }
  auto cls = class_of(*registry_, *resource);
  if (!cls) return reject_of(cls.error());
  if (*cls != change.cls) {
    return Reject{"invalid", "", "the class sent with the resource is not the one it has here",
                  false};
  }
  return std::nullopt;
}

/// Remembers what a full answer or a list named.
Status UpSink::name(const ResourceKey& key, bool leave) {
  const auto list = listed_.find(key.type);
  if (!named_ && list == listed_.end()) return {};
  NamedKeys& named = list != listed_.end() ? list->second : *named_;
  if (leave) {
    named.erase(fingerprint(key));
  } else {
    named.insert(fingerprint(key));
  }
  if (named.size() <= options_.named_max) return {};
  return fail(ErrorCode::too_large, "a zone may publish " +
                                        std::to_string(limits::kResourcesPerZoneMax) +
                                        " resources");
}

Status UpSink::list(const std::string& type) {
  const TypeInfo* info = registry_->find(type);
  if (info == nullptr || !info->zone_to_global) {
    return fail(ErrorCode::protocol, "a list of " + type + ", which zones do not publish", "V1-04");
  }
  const auto of_type = [&](const auto& change) { return change.first.type == type; };
  std::erase_if(transaction_, of_type);
  for (const auto& [key, change] : staged_) {
    if (key.type == type) staged_bytes_ -= change.staged.change.payload.size();
  }
  std::erase_if(staged_, of_type);
  listed_[type].clear();
  return {};
}

Status UpSink::stage(StagedChange change) {
  const ResourceKey& key = change.change.key;
  const bool leave = change.change.kind == ChangeKind::leave;
  if (leave && key.origin != options_.zone) {
    return fail(ErrorCode::protocol, "a zone removed what it does not own", to_string(key));
  }
  if (removed_ && !leave) removed_->erase(fingerprint(key));  // came after the comparison
  if (auto status = name(key, leave); !status) return status;
  if (change.revision != transaction_revision_) fold_transaction();
  transaction_revision_ = change.revision;
  UpChange up{std::move(change), std::nullopt};
  if (!leave) up.reject = judge(up.staged.change);
  transaction_bytes_ += up.staged.change.payload.size();
  const ResourceKey name = up.staged.change.key;
  transaction_.insert_or_assign(name, std::move(up));
  if (transaction_.size() > options_.piece_max_changes ||
      transaction_bytes_ > options_.piece_max_bytes) {
    fold_transaction();
  }
  if (leaves_.size() > options_.named_max) {
    return fail(ErrorCode::too_large, "one cut removes more than a zone may ever have published");
  }
  return {};
}

/// Adds the zone's finished transaction to what is staged. A newer version of a staged resource
/// sends the older one ahead, as a transaction of its own: history keeps every version.
void UpSink::fold_transaction() {
  bool repeats = false;
  for (const auto& [key, change] : transaction_) {
    const auto older = staged_.find(key);
    repeats = repeats || (older != staged_.end() &&
                          older->second.staged.revision != change.staged.revision);
  }
  if (repeats && leaves_.empty()) flush_upserts();
  for (auto& [key, change] : transaction_) {
    if (const auto older = staged_.find(key); older != staged_.end()) {
      staged_bytes_ -= older->second.staged.change.payload.size();
      staged_.erase(older);
    }
    if (change.staged.change.kind == ChangeKind::leave) {
      leaves_.insert_or_assign(key, std::move(change));
      continue;
    }
    leaves_.erase(key);
    staged_bytes_ += change.staged.change.payload.size();
    staged_.emplace(key, std::move(change));
  }
  transaction_.clear();
  transaction_bytes_ = 0;
  const bool pieces = replacing_ || in_pieces_;
  const std::size_t max_changes =
      pieces ? options_.piece_max_changes : options_.atomic_max_changes;
  const std::size_t max_bytes = pieces ? options_.piece_max_bytes : options_.atomic_max_bytes;
  if (staged_.size() > max_changes || staged_bytes_ > max_bytes) {
    in_pieces_ = true;
    flush_upserts();
  }
}

UpCommit UpSink::make_commit() const {
  UpCommit commit;
  commit.zone = options_.zone;
  commit.generation = options_.generation;
  commit.session = options_.session;
  commit.log_id = log_id_;
  commit.now_ms = events_.now_ms ? events_.now_ms() : 0;
  return commit;
}

/// Sends staged upserts ahead in pieces; leaves stay until the last piece.
void UpSink::flush_upserts() {
  UpCommit piece = make_commit();
  std::size_t bytes = 0;
  const auto send = [&] {
    submit(std::move(piece), [this, cut = cut_, verdicts = verdicts_](
                                 tl::expected<UpResult, CutFailure> result) {
      if (!result) {
        if (cut == cut_ && !piece_failure_) piece_failure_ = std::move(result.error());
        return;
      }
      for (auto& verdict : result->verdicts) verdicts->push_back(std::move(verdict));
    });
    piece = make_commit();
    bytes = 0;
  };
  for (auto& [key, change] : staged_) {
    const std::size_t size = change.staged.change.payload.size();
    const bool full = piece.changes.size() >= options_.piece_max_changes ||
                      bytes + size > options_.piece_max_bytes;
    if (!piece.changes.empty() && full) send();
    bytes += size;
    piece.changes.push_back(std::move(change));
  }
  if (!piece.changes.empty()) send();
  staged_.clear();
  staged_bytes_ = 0;
}

void UpSink::commit(const CutEnd& end, CommitToken token, CommitDone done) {
  fold_transaction();
  UpCommit last = make_commit();
  last.end = end;
  last.view = view_;
  if (!listed_.empty() && !replacing_) named_ = std::make_shared<NamedKeys>();
  for (auto& [type, named] : listed_) {
    if (!replacing_) last.listed.insert(type);
    named_->merge(std::move(named));
  }
  last.named = named_;
  last.removed = removed_;
  last.changes.reserve(staged_.size() + leaves_.size());
  for (auto& [key, change] : staged_) last.changes.push_back(std::move(change));
  for (auto& [key, change] : leaves_) last.changes.push_back(std::move(change));
  submit(std::move(last), [this, end, token, done, verdicts = verdicts_](
                              tl::expected<UpResult, CutFailure> result) {
    if (!result) {
      done(token, tl::unexpected<CutFailure>(std::move(result.error())));
      return;
    }
    cursor_ = end.to;
    for (auto& verdict : result->verdicts) verdicts->push_back(std::move(verdict));
    done(token, CutResult{end.to, std::exchange(*verdicts, {})});
  });
  const auto failure = piece_failure_;
  reset_cut();
  if (failure) done(token, tl::unexpected<CutFailure>(*failure));
}

/// Hands a piece to the writer. After a failure of this cut, or over the backlog, nothing more is
/// sent: the cut will fail and be asked for again.
void UpSink::submit(UpCommit commit, UpDone done) {
  const std::size_t bytes = bytes_of(commit);
  if (piece_failure_) return;
  commit.cut = cut_;
  commit.piece = piece_;
  if (backlog_bytes_ + bytes > options_.backlog_max_bytes && outstanding_ > 0) {
    piece_failure_ = CutFailure{CutFailure::Kind::hold,
                                Error{ErrorCode::resource_exhausted,
                                      "the zone publishes faster than the hub can store", ""},
                                "queue_full"};
    return;
  }
  ++piece_;
  ++outstanding_;
  with_writer_.submitted(commit);
  backlog_bytes_ += bytes;
  if (events_.backlog) events_.backlog(backlog_bytes_);
  port_.submit(std::move(commit),
               [this, alive = std::weak_ptr<bool>(alive_), bytes,
                done = std::move(done)](tl::expected<UpResult, CutFailure> result) {
                 const auto guard = alive.lock();
                 if (!guard || !*guard) return;
                 done(std::move(result));
                 answered(bytes);
               });
}

SharedBytes UpSink::held(const ResourceKey& key, const Hash128& hash) const {
  for (const auto* changes : {&transaction_, &staged_}) {
    const auto found = changes->find(key);
    if (found == changes->end()) continue;
    if (found->second.staged.change.hash == hash) return found->second.staged.change.payload;
  }
  if (auto sent = with_writer_.find(key, hash); !sent.empty()) return sent;
  return events_.stored ? events_.stored(key, hash) : SharedBytes();
}

void UpSink::answered(std::size_t bytes) {
  --outstanding_;
  backlog_bytes_ -= bytes;
  if (events_.backlog) events_.backlog(backlog_bytes_);
  with_writer_.answered();
  if (outstanding_ == 0 && events_.idle) events_.idle();
}

}  // namespace zonesync::hub
