// A hub as the suite plays it against a client of a zone.
#pragma once

#include <memory>

#include "conformance/suite/peer.hpp"

namespace zonesync::conform {

/// Life cycle: connected, nothing heard yet. Thread rule: one thread.
class HubPeer final : public Peer {
 public:
  HubPeer(std::unique_ptr<Link> link, Transcript& transcript, FlowIn in, FlowOut out);

  void await_hello();
  /// Welcome as the peer would send it now.
  [[nodiscard]] wire::Welcome welcome_now() const;
  /// Awaits Hello, welcomes, and answers the implied Want with everything the log has.
  void handshake();
  /// Hello and Welcome; the down flow's Intent is left to the script.
  void welcome_only();
  /// The honest answer to the newest Want (or to Hello's cursor), and the cut behind it.
  void answer();
  /// One transaction of the hub's log, sent as one cut.
  void write(const std::vector<Resource>& upserts, const std::vector<Resource>& removes = {});
  /// The same, and waits until the client acked it durably.
  void write_durably(const std::vector<Resource>& upserts,
                     const std::vector<Resource>& removes = {});
  void await_durable();
  [[nodiscard]] std::optional<Cursor> acked() const { return out.acked; }

  /// What is granted of what the client offers.
  [[nodiscard]] wire::Features features() const override;

  wire::Features grant;        // of the features that change packets
  bool grant_views = false;    // the word `views`
  std::uint64_t up_window_bytes = limits::kUpFirstGrantBytes;
  std::uint64_t session = 1;
  std::uint64_t generation = 1;
  bool auto_answer = true;     // answers later Wants
  bool auto_sync = true;       // answers Syncs

 private:
  void react() override;
  std::size_t syncs_answered_ = 0;
};

/// The view ids that a hub with the default types grants that zone.
[[nodiscard]] ViewId down_view_of(const wire::Hello& hello);
[[nodiscard]] ViewId up_view_of(const std::string& zone);

}  // namespace zonesync::conform
