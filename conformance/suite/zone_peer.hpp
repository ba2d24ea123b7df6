// A zone as the suite plays it against a hub.
#pragma once

#include <memory>

#include "conformance/suite/peer.hpp"

namespace zonesync::conform {

/// Life cycle: connected, nothing said yet. Thread rule: one thread.
class ZonePeer final : public Peer {
 public:
  ZonePeer(std::unique_ptr<Link> link, Transcript& transcript, const std::string& zone,
           FlowIn in, FlowOut out);

  /// Hello as the peer would send it: from `hello` with cursor and log of now.
  [[nodiscard]] wire::Hello hello_now() const;
  /// Hello, then Welcome and the Intent of the down flow.
  void handshake();
  void await_welcome();

  /// Sync and its answer; whatever the hub sent before is taken in.
  Revision barrier();
  /// The same, and everything the hub had is applied here.
  Revision sync();
  /// One transaction of the zone's log, sent as one cut (the Intent first, where it is owed).
  void publish(const std::vector<Resource>& upserts, const std::vector<Resource>& removes = {});
  /// The Intent that Welcome asked for, with what it entails.
  void start_up();
  /// The same, and waits until the hub acked it durably.
  void publish_durably(const std::vector<Resource>& upserts,
                       const std::vector<Resource>& removes = {});

  [[nodiscard]] wire::Features features() const override;

  wire::Hello hello;   // its features are none unless the script offers some
  std::string zone;
  bool auto_up = true;   // answers the up flow's Want that Welcome implies

 private:
  void react() override;
  bool adopted_ = false;
  std::uint64_t next_sync_ = 1;
};

}  // namespace zonesync::conform
