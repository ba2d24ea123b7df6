// The sender's side of views that change while a receiver follows (docs/protocol.md VIEW-*).
#include <algorithm>
#include <utility>

#include "protocol/core/flow_sender.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kViewsPerCutMax = 64;
constexpr std::size_t kViewsInAcksMax = 64;

/// As VIEW-06 for a cursor: a log that is trimmed does not show every class that was at the
/// receiver then, unless its newest part, with its counts, reaches so far.
bool can_name_classes(const ChangeSource& source, Revision base, Position until) {
  if (base >= source.state().trim_floor) return true;
  const auto none = [](const Class&) { return false; };
  return source.classes_between(base, until, none).has_value();
}

}  // namespace

void FlowSender::follow(const ViewFeed& feed) { feed_ = &feed; }

/// A new answer begins with the view in force.
void FlowSender::take_view_in_force() {
  change_ = ViewChange();
  if (feed_ == nullptr) return;
  ViewFeed::InForce now = feed_->current();
  view_version_ = now.version;
  view_since_ = now.since;
  view_ = std::move(now.view);
}

/// The view of a wanted cursor, when the way from it to ours is known. A class that left is named
/// only if the log still shows that it was there (VIEW-05), so the cursor must not lie below the
/// trim floor.
std::optional<View> FlowSender::view_held(const Cursor& cursor) const {
  if (cursor.view == view_.id()) return view_;
  const bool can = options_.drops || planner_;
  if (feed_ == nullptr || !can || cursor.revision < log_.trim_floor) return std::nullopt;
  return feed_->find(cursor.view);
}

void FlowSender::start_from_view(const Cursor& cursor) {
  remember_view(cursor.view);
  remember_view(view_.id());
  if (cursor.view == view_.id() || planner_) return;
  const auto held = view_held(cursor);
  ZS_ASSERT(held);
  full_until_ = std::max(log_.head, view_since_);
  position_ = change_.begin(source_, *held, view_, cursor.revision, position_);
}

bool FlowSender::view_moved() const {
  if (feed_ == nullptr || feed_->version() == view_version_) return false;
  // A change in parts that stays in the view is sent to its end first.
  if (!part_) return true;
  return !feed_->current().view.admits(part_->entry.change.cls) && !ZONESYNC_DEFECT(306);
}

/// The view changed while the receiver follows: nothing that left it is sent from here on.
Status FlowSender::change_view() {
  ViewFeed::InForce now = feed_->current();
  view_version_ = now.version;
  view_since_ = now.since;
  if (now.view.id() == view_.id()) return {};
  // What was compared is of the old view; lists have no Drop (V1-09): the next session begins anew.
  if (!options_.drops || planner_ || repair_) {
    outdated_ = true;
    return {};
  }
  if (change_.views() >= kViewsPerCutMax) {
    return fail(ErrorCode::unavailable, "the view changes faster than the zone can follow");
  }
  const Position until = change_.reading_back() ? change_.until() : position_;
  const Revision base = cut_from_ && !full_ ? cut_from_->revision : Revision{};
  if (!full_ && !can_name_classes(source_, base, until)) {
    outdated_ = true;
    return {};
  }
  page_ = ScanPage{};
  page_next_ = 0;
  page_done_ = true;
  full_until_ = std::max({full_until_, now.since, source_.head()});
  position_ = change_.begin(source_, view_, now.view, base, until);
  if (part_) {
    change_.drop(part_->entry.change.cls);
    part_.reset();
  }
  view_ = std::move(now.view);
  ++counters_.view_changes;
  return {};
}

/// False = no credit now.
bool FlowSender::send_drop(std::string& out) {
  std::string packet;
  wire::append(packet, options_.flow, wire::Drop{change_.drops().front()});
  if (!may_send(packet.size())) return false;
  out += packet;
  count_data(packet.size());
  ++cut_changes_;
  change_.drop_sent();
  return true;
}

/// One page of what entered, from before the cut's position.
Status FlowSender::read_back() {
  auto page = change_.read_back(source_, position_, options_.message_target_bytes);
  if (!page) return fail(page.error());
  if (change_.restart_for(page->tombstone_floor, position_)) {
    position_ = Position::start();
    return {};
  }
  load_page(std::move(*page));
  return {};
}

void FlowSender::read_back_page_done() {
  if (position_ < change_.until()) return;
  position_ = change_.until();
  change_.done_reading();
}

bool FlowSender::ask_resync() {
  resync_due_ = options_.drops;
  return resync_due_;
}

/// FLOW-33, FLOW-34: what the sender says about itself.
void FlowSender::say_holds(std::string& out) {
  if (feed_ != nullptr && feed_->version() != pause_version_) {
    const ViewFeed::InForce now = feed_->current();
    pause_version_ = now.version;
    paused_ = now.paused;
  }
  if (!options_.drops) return;
  if (paused_ != said_paused_) {
    wire::append(out, options_.flow,
                 wire::Hold{"paused", "the hub sends nothing: paused by an operator", !paused_});
    said_paused_ = paused_;
  }
  if (std::exchange(resync_due_, false)) {
    wire::append(out, options_.flow, wire::Hold{"resync", "asked for by an operator", false});
  }
}

void FlowSender::remember_view(const ViewId& id) {
  if (std::find(ackable_.begin(), ackable_.end(), id) != ackable_.end()) return;
  if (ackable_.size() == kViewsInAcksMax) ackable_.pop_front();
  ackable_.push_back(id);
}

bool FlowSender::may_ack(const ViewId& id) const {
  return id == view_.id() || std::find(ackable_.begin(), ackable_.end(), id) != ackable_.end();
}

}  // namespace zonesync
