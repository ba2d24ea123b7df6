#include "server/admin/change_feed.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::admin {
namespace {

constexpr std::size_t kPageEntries = 256;
constexpr std::size_t kPageBytes = 256u << 10;
constexpr std::size_t kChunkBytes = 64u << 10;

TimePoint now_of(const AdminContext& context) { return context.options.clock->now(); }

}  // namespace

ChangeFeed::ChangeFeed(const Call& call, ChangeFeedRequest request, boost::asio::io_context& loop,
                       HttpResponderPtr responder, Ended ended)
    : context_(call.context),
      user_(call.user),
      writer_(call),
      request_(std::move(request)),
      format_(request_.events),
      loop_(loop),
      responder_(std::move(responder)),
      ended_(std::move(ended)),
      heartbeat_(loop),
      position_(Position::end_of(request_.since)),
      complete_(request_.since) {
  scan_.max_entries = kPageEntries;
  scan_.max_bytes = kPageBytes;
  scan_.admits = [type = request_.type, mesh = request_.mesh](const Class& cls) {
    if (cls.type.starts_with(kSystemTypePrefix)) return false;
    return (type.empty() || cls.type == type) && (!mesh || cls.mesh == *mesh);
  };
}

void ChangeFeed::start() {
  HttpHeaders headers;
  headers.set("Content-Type", std::string(format_.content_type()));
  headers.set("Cache-Control", "no-store");
  responder_->start_stream(200, std::move(headers));
  const std::weak_ptr<ChangeFeed> weak = weak_from_this();
  responder_->on_writable([weak] {
    if (const auto self = weak.lock()) self->post(&ChangeFeed::resume);
  });
  responder_->on_closed([weak] {
    if (const auto self = weak.lock()) self->post(&ChangeFeed::finish);
  });
  post(&ChangeFeed::pump);
}

void ChangeFeed::wake() { post(&ChangeFeed::pump); }

void ChangeFeed::post(void (ChangeFeed::*function)()) {
  const std::weak_ptr<ChangeFeed> weak = weak_from_this();
  boost::asio::post(loop_, [weak, function] {
    if (const auto self = weak.lock()) (self.get()->*function)();
  });
}

void ChangeFeed::pump() {
  if (!responder_ || paused_ || ending_) return;
  if (!may_go_on()) return;
  read_page();
}

bool ChangeFeed::may_go_on() {
  if (context_->wall_now() >= user_.expires_at) {
    end("token_expired", "the token of this stream expired; continue with a new one");
    return false;
  }
  if (context_->credentials()->api_token_revoked(user_.jti)) {
    end("token_revoked", "the token of this stream was revoked");
    return false;
  }
  return true;
}

void ChangeFeed::read_page() {
  const LogState state = context_->hub.log().state();
  if (complete_.value != 0 && complete_ < state.tombstone_floor && complete_ < state.head) {
    return end("gone", "leaves after this revision are gone; list again");
  }
  const Result<ScanPage> page = context_->hub.log().scan(position_, scan_);
  if (!page) {
    context_->logger->log({LogLevel::error, "api.changes_failed", describe(page.error()), {}});
    return end("storage", "the hub cannot read its log; its log file says why");
  }
  const bool whole = page->at_head || page->at_segment_end ||
                     page->next == Position::end_of(page->next.revision);
  const auto& entries = page->entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Revision revision = entries[i].position.revision;
    const Revision after =
        i + 1 < entries.size() ? entries[i + 1].position.revision : page->next.revision;
    append_line(entries[i], after > revision || (i + 1 == entries.size() && whole));
    if (ending_) return;
  }
  position_ = page->next;
  sent_ = complete_;
  complete_ = whole ? position_.revision : Revision{std::max(complete_.value,
                                                             position_.revision.value - 1)};
  if (page->at_head) return reach_head();
  if (flush()) post(&ChangeFeed::pump);  // others have their turn between two pages
}

void ChangeFeed::append_line(const LogEntry& entry, bool last_of_revision) {
  const Revision revision = entry.position.revision;
  const bool leave = entry.change.kind == ChangeKind::leave;
  std::string json = "{\"key\":" + text::write_canonical(key_json(entry.change.key));
  json += leave ? ",\"kind\":\"leave\"" : ",\"kind\":\"upsert\"";
  if (!leave) {
    const Result<std::string> resource = writer_.text(entry.change);
    if (!resource) {
      context_->logger->log({LogLevel::error, "api.changes_failed", describe(resource.error()),
                             {{"revision", std::to_string(revision.value)}}});
      return end("storage", "the hub cannot read a resource; its log file says which");
    }
    json += ",\"resource\":" + *resource;
  }
  json += ",\"revision\":" + std::to_string(revision.value) + '}';
  const Revision complete = last_of_revision ? revision : Revision{revision.value - 1};
  pending_ += format_.line(leave ? "leave" : "upsert", json, complete);
}

void ChangeFeed::reach_head() {
  if (!any_mark_ || marked_ != complete_) {
    pending_ += format_.line("mark", mark_json(complete_), complete_);
    marked_ = complete_;
    any_mark_ = true;
  }
  ending_ = !request_.watch;
  if (!flush() || ending_) return;
  heartbeat_.arm_after(context_->options.heartbeat, [this] { beat(); });
}

void ChangeFeed::beat() {
  any_mark_ = false;  // say it again: the reader learns that we live, we that it does
  pump();
}

bool ChangeFeed::flush() {
  while (responder_ && taken_ < pending_.size()) {
    const std::size_t bytes = std::min(kChunkBytes, pending_.size() - taken_);
    if (!responder_->write_chunk(pending_.substr(taken_, bytes))) {
      if (!paused_) paused_since_ = now_of(*context_);
      paused_ = true;
      return false;
    }
    taken_ += bytes;
  }
  if (!responder_) return false;
  pending_.clear();
  taken_ = 0;
  if (ending_) {
    responder_->close();
    finish();
    return false;
  }
  return true;
}

void ChangeFeed::resume() {
  if (!responder_ || !paused_) return;
  paused_ = false;
  const bool slow = now_of(*context_) - paused_since_ >= context_->options.slow_reader_max;
  if (slow && !ending_) {
    return end("slow_reader", "this reader took nothing for too long; continue from 'revision'");
  }
  if (flush()) pump();
}

void ChangeFeed::end(std::string_view reason, std::string_view detail) {
  // What was not begun is left out, so that the last line is the next one; a half line is finished.
  const bool drop = reason == "slow_reader";
  if (drop) pending_.resize(format_.line_end(pending_, taken_));
  const Revision from = drop ? sent_ : complete_;
  pending_ += format_.line("end", end_json(from, reason, detail), from);
  ending_ = true;
  flush();
}

void ChangeFeed::finish() {
  heartbeat_.cancel();
  responder_.reset();
  if (const Ended ended = std::exchange(ended_, nullptr)) ended();
}

void ChangeFeed::stop() {
  heartbeat_.cancel();
  responder_.reset();
  ended_ = nullptr;
}

Status ChangeFeeds::check_room() const {
  if (size() < max_) return {};
  return fail(ErrorCode::resource_exhausted, "too many readers of /changes; try again later");
}

void ChangeFeeds::open(const Call& call, ChangeFeedRequest request, HttpResponderPtr responder) {
  std::shared_ptr<ChangeFeed> feed;
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = next_id_++;
    const std::weak_ptr<ChangeFeeds> weak = weak_from_this();
    const auto ended = [weak, id] {
      if (const auto self = weak.lock()) self->close(id);
    };
    feed = std::make_shared<ChangeFeed>(call, std::move(request), pool_.next(),
                                        std::move(responder), ended);
    feeds_.emplace(id, feed);
  }
  feed->start();
}

void ChangeFeeds::close(std::uint64_t id) {
  std::shared_ptr<ChangeFeed> last;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = feeds_.find(id);
  if (found == feeds_.end()) return;
  last = std::move(found->second);
  feeds_.erase(found);
}

void ChangeFeeds::wake_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, feed] : feeds_) feed->wake();
}

void ChangeFeeds::stop_all() {
  std::unordered_map<std::uint64_t, std::shared_ptr<ChangeFeed>> feeds;
  {
    const std::lock_guard lock(mutex_);
    feeds.swap(feeds_);
  }
  for (const auto& [id, feed] : feeds) feed->stop();
}

std::size_t ChangeFeeds::size() const {
  const std::lock_guard lock(mutex_);
  return feeds_.size();
}

}  // namespace zonesync::admin
