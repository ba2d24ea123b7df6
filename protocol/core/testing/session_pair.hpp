// Two sessions joined by a pipe in virtual time: the smallest whole conversation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/core/session.hpp"
#include "protocol/core/testing/map_sink.hpp"
#include "protocol/flowlog/log_source.hpp"
#include "storage/memory/memory_change_log.hpp"

namespace zonesync::testing {

/// One side: a log to send from, a sink to receive into, a host that records what happens.
class Peer final : public SessionHost {
 public:
  Peer(SessionRole role, std::size_t hot_tail_bytes);

  /// Commits one transaction to this side's log. A resource whose class changes leaves the old one
  /// first, as FLOW-06 asks.
  Revision write(const std::vector<Resource>& resources,
                 const std::vector<ResourceKey>& leaves = {});
  void open_session(const View& down_view, const View& up_view);

  void on_hello(Session& session, const wire::Hello& hello) override;
  void on_welcome(Session& session, const wire::Welcome& welcome) override;
  void on_goodbye(Session&, const wire::Goodbye& goodbye) override { goodbyes.push_back(goodbye); }
  void on_sync(Session& session, std::uint64_t id) override;
  void on_synced(Session&, const wire::Synced& message) override { synced.push_back(message); }
  void on_peer_ack(Session&, const wire::Ack& ack) override { acks.push_back(ack); }
  void on_peer_hold(Session&, const wire::Hold& hold) override { holds.push_back(hold); }
  void on_session_closed(Session&, const CloseInfo& info) override { closed = info; }

  SessionRole role;
  MemoryChangeLog log;
  LogSource source;
  MapSink sink;
  CutSink* other_sink = nullptr;             // instead of `sink`
  std::unique_ptr<Session> session;
  std::optional<View> down_view;
  std::optional<View> up_view;
  const ViewFeed* views = nullptr;           // of the hub: the down view follows it
  bool views_feature = true;                 // of the zone: it says that it takes Drop
  std::uint64_t window_bytes = limits::kFlowWindowBytes;
  SyncMode mode = SyncMode::delta;   // of the next session
  bool admit_hello = true;
  wire::Features features = wire::kAllFeatures;
  std::size_t message_target_bytes = limits::kMessageTargetBytes;
  std::size_t cut_target_bytes = limits::kMessageTargetBytes;
  std::vector<wire::Goodbye> goodbyes;
  std::vector<wire::Synced> synced;
  std::vector<wire::Ack> acks;
  std::vector<wire::Hold> holds;
  std::vector<std::uint64_t> sync_requests;
  std::optional<CloseInfo> closed;
};

/// A hub and the zone `east`, with a connection that the test opens, pumps and cuts.
class SessionPair {
 public:
  explicit SessionPair(std::size_t hot_tail_bytes = limits::kHotTailBytes);

  /// In the mode of the hub and the zone, which a test sets alike.
  void connect();
  /// Drops the connection: messages in the pipe are lost, both sessions end.
  void cut();
  /// Moves messages until nothing more leaves. Stops early after `max_messages` deliveries.
  std::size_t pump(std::size_t max_messages = 1'000'000);
  /// Moves time and ticks both sides, then pumps.
  void advance(Duration by);
  [[nodiscard]] bool converged() const;
  /// What the down view holds at the hub now.
  [[nodiscard]] std::optional<Digest> hub_digest() const;
  [[nodiscard]] std::uint64_t bytes_on_wire() const { return bytes_; }

  std::shared_ptr<const TypeRegistry> registry;
  Peer hub;
  Peer zone;
  TimePoint now{};
  /// Sees every message before delivery; returning false loses the connection there.
  std::function<bool(SessionRole from, std::string& message)> tap;

 private:
  [[nodiscard]] View hub_view() const;
  bool deliver_from(Peer& from, Peer& to);
  std::uint64_t bytes_ = 0;
};

/// MeshTimeout `name` in mesh default, origin global; `text` goes into the spec.
[[nodiscard]] Resource timeout(const std::string& name, const std::string& text = "1s");
/// Dataplane `name` in mesh default, origin east.
[[nodiscard]] Resource dataplane(const std::string& name, const std::string& text = "1.2.3.4");

}  // namespace zonesync::testing
