// What a script gets: the subject, and short ways to connect scripted peers to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conformance/suite/case.hpp"
#include "conformance/suite/hub_peer.hpp"
#include "conformance/suite/subject.hpp"
#include "conformance/suite/zone_peer.hpp"

namespace zonesync::conform {

/// One variant of a case against a hub. Life cycle: made by the runner, cleans up after itself.
class HubTest {
 public:
  HubTest(std::shared_ptr<HubSubject> subject, Mode mode, std::string suffix);
  ~HubTest();

  /// The zone's name in this variant: unique on a hub that lives longer than a case.
  [[nodiscard]] std::string name(const std::string& zone) const { return zone + suffix_; }
  /// A connection without a word on it.
  [[nodiscard]] std::unique_ptr<ZonePeer> connect(const std::string& zone = "east") {
    return connect_in(mode, zone);
  }
  /// The same in a mode of the script's choice.
  [[nodiscard]] std::unique_ptr<ZonePeer> connect_in(Mode which, const std::string& zone);
  /// Connected and welcomed. `logs` is the number of the zone's log: another one = a reinstall.
  [[nodiscard]] std::unique_ptr<ZonePeer> join(const std::string& zone = "east");
  /// A new connection of the same process: replica, cursor, log and instance go on.
  [[nodiscard]] std::unique_ptr<ZonePeer> reconnect(ZonePeer& old);
  /// The same without a word on it.
  [[nodiscard]] std::unique_ptr<ZonePeer> redial(ZonePeer& old) { return redial_in(mode, old); }
  [[nodiscard]] std::unique_ptr<ZonePeer> redial_in(Mode which, ZonePeer& old);
  [[nodiscard]] tl::expected<std::unique_ptr<Link>, DialRefusal> dial(const DialOptions& options);

  /// One transaction at the hub, by control.
  Revision put(const std::vector<Resource>& resources);
  Revision remove(const std::vector<Resource>& resources);
  /// Refused = the error's text.
  [[nodiscard]] Status try_put(const Resource& resource);
  /// Names of the hub's resources with that origin (a zone's name as the subject knows it).
  [[nodiscard]] std::vector<std::string> names_of(const std::string& origin);
  [[nodiscard]] ZoneFacts facts(const ZonePeer& peer);
  /// Waits until the hub says so of the zone.
  void wait_facts(const ZonePeer& peer, const std::string& what,
                  const std::function<bool(const ZoneFacts&)>& holds);
  void restart();
  void set_zone(const std::string& zone, const std::string& command);
  void fault(const std::string& what, std::uint64_t argument = 0);
  void advance(Duration by) { hub->advance(by); }
  /// The replica holds exactly these and nothing else of global (and of other zones).
  void expect_replica(const ZonePeer& peer, const std::vector<Resource>& resources);
  /// Ends a case early for a subject that lacks something.
  [[nodiscard]] bool can(std::string_view capability) const;

  std::shared_ptr<HubSubject> hub;
  Mode mode;
  Transcript transcript;

 private:
  std::unique_ptr<ZonePeer> peer_on(Mode which, const std::string& zone);
  std::string suffix_;
  std::set<std::string> zones_;
  std::map<ResourceKey, Resource> put_;
};

/// One variant of a case against a client.
class ZoneTest {
 public:
  ZoneTest(std::shared_ptr<ZoneSubject> subject, Mode mode);
  ~ZoneTest();

  /// Starts the client (zone east) and takes its connection; nothing said yet.
  [[nodiscard]] std::unique_ptr<HubPeer> meet(const ClientOptions& options = {});
  /// The same, welcomed and brought to the head of `log`.
  [[nodiscard]] std::unique_ptr<HubPeer> join(const std::vector<Resource>& resources = {});
  /// The client's next connection, to the same hub: log and up replica go on.
  [[nodiscard]] std::unique_ptr<HubPeer> next(HubPeer& old) { return next_in(mode, old); }
  /// The same in a mode of the script's choice.
  [[nodiscard]] std::unique_ptr<HubPeer> next_in(Mode which, HubPeer& old);
  /// The same, after this hub cut the old one.
  [[nodiscard]] std::unique_ptr<HubPeer> again(HubPeer& old);
  /// Another hub with a log of its own.
  [[nodiscard]] std::unique_ptr<HubPeer> next_of_other_hub(HubPeer& old, PeerLog log) {
    return other_hub_in(mode, old, std::move(log));
  }

  [[nodiscard]] ClientFacts status();
  void wait_status(HubPeer& hub, const std::string& what,
                   const std::function<bool(const ClientFacts&)>& holds);
  /// Waits for something that no message may announce.
  void wait_until(HubPeer& hub, const std::string& what, const std::function<bool()>& holds);
  [[nodiscard]] std::vector<std::string> stored();
  void expect_store(const std::vector<Resource>& resources);
  void publish(const std::vector<Resource>& resources, const std::vector<Resource>& removes = {});
  void call(const Status& status, const std::string& what);
  void advance(Duration by) { zone->advance(by); }

  std::shared_ptr<ZoneSubject> zone;
  Mode mode;
  ClientOptions options;
  Transcript transcript;

 private:
  std::unique_ptr<HubPeer> other_hub_in(Mode which, HubPeer& old, PeerLog log);
};

}  // namespace zonesync::conform
