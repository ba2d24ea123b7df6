// A zone's session at the simulated hub: the same joints as the daemon's (admission, up cuts,
// barriers, windows), with mailboxes instead of threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "conformance/simulator/connection.hpp"
#include "conformance/simulator/sim_source.hpp"
#include "conformance/simulator/up_watch.hpp"
#include "protocol/core/session.hpp"
#include "server/hub/up_sink.hpp"
#include "server/hub/zone_registry.hpp"

namespace zonesync::sim {

/// What sessions need of the hub's process; outlives them.
struct HubServices {
  Environment& env;
  Mailbox& writer;
  hub::HubCore& core;
  hub::ZoneRegistry& zones;
  hub::ZoneTable& table;
  const LogSource& source;
  UpWatch& watch;
  Id128 hub_id;
  std::map<std::string, std::map<Generation, InstanceId>>& owners;  // of the hub's disk, by zone
  std::function<void()> pump;   // of the writer, after each piece of work
};

/// Life cycle: make, attach to a connection; the connection owns it. Thread rule: one thread.
class HubSession final : public SessionHost,
                         public hub::UpPort,
                         public std::enable_shared_from_this<HubSession> {
 public:
  HubSession(HubServices& services, SessionId id, std::string identity, SyncMode mode,
             std::weak_ptr<Connection> connection);
  ~HubSession() override;

  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] const std::string& zone() const { return identity_; }
  [[nodiscard]] std::shared_ptr<SessionPort> port();
  void close(std::uint16_t code, std::string reason);
  void retry_held();
  void wake();
  void sample();
  [[nodiscard]] std::string describe() const;

  // SessionHost
  void on_hello(Session& session, const wire::Hello& hello) override;
  void on_welcome(Session&, const wire::Welcome&) override {}
  void on_goodbye(Session&, const wire::Goodbye&) override {}
  void on_sync(Session& session, std::uint64_t id) override;
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session& session, const wire::Ack& ack) override;
  void on_peer_hold(Session&, const wire::Hold&) override { sample(); }
  void on_session_closed(Session& session, const CloseInfo& info) override;

  // UpPort
  void submit(hub::UpCommit commit, hub::UpDone done) override;

 private:
  void post(Work work);
  void to_writer(Work work);
  void decided(const tl::expected<hub::Admitted, hub::Refused>& decision);
  void welcome(const hub::Admitted& admitted);
  [[nodiscard]] hub::UpSink::Options sink_options(const hub::Admitted& admitted) const;
  void adapt_window();
  void check_instance(Generation generation);
  void check_resume(const ViewId& view, bool full, const std::string& why);
  void check_sender(const FlowSender& sender);

  HubServices& services_;
  const SessionId id_;
  const std::string identity_;
  std::weak_ptr<Connection> connection_;
  Mailbox mailbox_;
  SimSource source_;
  Session session_;
  wire::Hello hello_;
  bool hello_seen_ = false;
  bool admitted_ = false;
  TimePoint welcomed_at_{};
  std::unique_ptr<ViewFeed> feed_;
  std::unique_ptr<hub::UpSink> sink_;
  std::unique_ptr<CutSink> defect_sink_;
};

}  // namespace zonesync::sim
