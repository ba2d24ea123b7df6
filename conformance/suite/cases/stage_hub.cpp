// Interrupted cuts at a hub: it goes on behind the place that a zone names, or begins anew.
#include <algorithm>

#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;
using wire::IntentReason;
using wire::Staged;

constexpr std::size_t kBytes = 20'000;   // of a resource
constexpr int kCount = 8;

std::vector<Resource> big_ones(const std::string& prefix = "b") {
  std::vector<Resource> all;
  for (int at = 0; at < kCount; ++at) {
    all.push_back(big_policy(prefix + std::to_string(at), kBytes));
  }
  return all;
}

/// Takes in two packets or three of what is to come, and loses the connection.
void take_some(ZonePeer& zone) {
  zone.in.window_bytes = 2 * kBytes + kBytes / 2;
  zone.in.auto_ack = false;
  zone.handshake();
  zone.wait("a part of the cut",
            [&] { return zone.in.received_bytes > 0 && zone.in.staged().has_value(); });
  zone.cut();
}

/// A zone of which an early part of the first sync arrived.
std::unique_ptr<ZonePeer> interrupted(HubTest& t) {
  auto zone = t.connect();
  zone->hello.features = {"resume"};
  take_some(*zone);
  return zone;
}

/// Each resource in a transaction of its own.
std::vector<Resource> put_one_by_one(HubTest& t, const std::string& prefix = "b") {
  const auto all = big_ones(prefix);
  for (const Resource& each : all) t.put({each});
  return all;
}

const std::optional<Staged>& resumed(const ZonePeer& zone) {
  return zone.in.intents.front().resumed;
}

/// The next session goes on; what it brings is checked by the peer, change by change.
std::unique_ptr<ZonePeer> expect_resumed(HubTest& t, ZonePeer& old) {
  auto zone = t.reconnect(old);
  require(resumed(*zone).has_value(), "STG-02: the hub begins anew");
  zone->sync();
  return zone;
}

/// The next session, which names `old`'s place changed by `edit`, is answered anew.
void expect_anew(HubTest& t, ZonePeer& old, const std::function<void(Staged&)>& edit,
                 const std::string& why) {
  auto zone = t.redial(old);
  require(zone->in.kept.has_value(), "suite: no place is kept");
  edit(zone->in.kept->place);
  zone->handshake();
  require(!resumed(*zone), "STG-02: the hub goes on although " + why);
  zone->sync();
}

const Case kCases[] = {
    on_hub("stage.hub-goes-on", "An interrupted first sync goes on behind the place",
           {"STG-02", "STG-03", "STG-06"},
           [](HubTest& t) {
             auto expected = put_one_by_one(t);
             auto zone = interrupted(t);
             t.put({policy("later")});
             expected.push_back(policy("later"));
             auto second = expect_resumed(t, *zone);
             require(second->in.intents.front().reason == IntentReason::full, "STG-02: full");
             t.expect_replica(*second, expected);
           }),
    on_hub("stage.hub-inside-revision", "A place inside a transaction is gone on with",
           {"STG-02", "STG-03"},
           [](HubTest& t) {
             const auto expected = big_ones();
             t.put(expected);
             auto zone = interrupted(t);
             const auto place = zone->in.staged();
             auto second = expect_resumed(t, *zone);
             require(resumed(*second)->changes == place->changes,
                     "STG-03: nothing was trimmed, and the revision is sent again");
             t.expect_replica(*second, expected);
           }),
    on_hub("stage.hub-catch-up", "An interrupted catch-up goes on", {"STG-02", "STG-03"},
           [](HubTest& t) {
             auto first = t.connect();
             first->hello.features = {"resume"};
             first->handshake();
             first->sync();
             first->cut();
             const auto expected = put_one_by_one(t);
             auto zone = t.redial(*first);
             take_some(*zone);
             auto second = expect_resumed(t, *zone);
             require(second->in.intents.front().reason == IntentReason::changes,
                     "STG-02: changes");
             t.expect_replica(*second, expected);
           }),
    on_hub("stage.hub-again-and-again", "However often it breaks, nothing is sent twice",
           {"STG-02", "STG-03"},
           [](HubTest& t) {
             const auto expected = put_one_by_one(t);
             auto zone = interrupted(t);
             for (int at = 0; at < 2; ++at) {
               auto next = t.redial(*zone);
               take_some(*next);
               require(resumed(*next).has_value(), "STG-02: the hub begins anew");
               zone = std::move(next);
             }
             auto last = expect_resumed(t, *zone);
             t.expect_replica(*last, expected);
           }),
    on_hub("stage.hub-want", "A Want may name a place too", {"STG-02", "STG-09"},
           [](HubTest& t) {
             const auto expected = put_one_by_one(t);
             auto zone = t.connect();
             zone->hello.features = {"resume"};
             zone->in.window_bytes = 2 * kBytes + kBytes / 2;
             zone->in.auto_ack = false;
             zone->handshake();
             zone->wait("a part of the cut", [&] { return zone->in.staged().has_value(); });
             zone->in.keep_staged();
             zone->send(zone->in.want(true, "application", zone->in.cursor));
             zone->in.window_bytes = limits::kFlowWindowBytes;
             zone->in.auto_ack = true;
             zone->wait("a second Intent", [&] { return zone->in.intents.size() == 2; });
             require(zone->in.intents.back().resumed.has_value(), "STG-02: the hub begins anew");
             zone->say(FlowId::down, zone->in.ack());
             zone->sync();
             t.expect_replica(*zone, expected);
           }),
    on_hub("stage.hub-place-not-valid", "A place that the log does not know is no error",
           {"STG-02"},
           [](HubTest& t) {
             const auto expected = put_one_by_one(t);
             auto zone = interrupted(t);
             expect_anew(t, *zone, [](Staged& s) { s.at.era.id.bytes[3] ^= 0xff; },
                         "its era is unknown");
             expect_anew(t, *zone, [](Staged& s) { s.at.revision.value += 1'000'000; },
                         "it lies beyond the log");
             expect_anew(t, *zone, [](Staged& s) { s.at.view.id.bytes[3] ^= 0xff; },
                         "its view is another");
             expect_anew(t, *zone, [](Staged& s) { s.full = false; },
                         "it is of a cut from a cursor");
             auto last = expect_resumed(t, *zone);
             t.expect_replica(*last, expected);
           }),
    on_hub("stage.hub-cursor-beside-full-place", "A place of a full cut is none of a catch-up",
           {"STG-02"},
           [](HubTest& t) {
             const auto expected = put_one_by_one(t);
             auto zone = interrupted(t);
             auto synced = t.redial(*zone);
             synced->in.kept.reset();
             synced->handshake();
             synced->sync();
             synced->cut();
             t.put({policy("later")});
             auto last = t.redial(*synced);
             last->in.kept = zone->in.kept;
             last->handshake();
             require(last->in.intents.front().reason == IntentReason::changes, "FLOW-02: changes");
             require(!resumed(*last), "STG-02: the hub goes on with a cut of another kind");
             last->sync();
           }),
    on_hub("stage.hub-other-view", "A place in another view is not gone on with", {"STG-02"},
           [](HubTest& t) {
             put_one_by_one(t);
             auto zone = interrupted(t);
             zone->hello.meshes = {"other"};
             auto second = t.reconnect(*zone);
             require(!resumed(*second), "STG-02: the view of the place is not in force");
             second->sync();
             t.expect_replica(*second, {});
           }),
    on_hub("stage.hub-trimmed-versions", "A revision that lost entries is sent again as a whole",
           {"STG-02", "STG-03"},
           [](HubTest& t) {
             auto expected = big_ones();
             t.put(expected);
             auto zone = interrupted(t);
             const auto place = zone->in.staged();
             expected[0] = policy("b0", "small");   // it was staged
             t.put({expected[0]});
             t.fault("trim", 1);
             auto second = expect_resumed(t, *zone);
             require(resumed(*second)->changes == 0 && place->changes > 0,
                     "STG-03: counting in a revision that lost entries");
             t.expect_replica(*second, expected);
           }).needing({"trim"}),
    on_hub("stage.hub-trimmed-leaves", "Where leaves were trimmed since, the answer is anew",
           {"STG-01", "STG-02"},
           [](HubTest& t) {
             auto expected = put_one_by_one(t);
             t.put({policy("gone")});
             t.remove({policy("gone")});
             t.put({policy("last")});
             expected.push_back(policy("last"));
             t.fault("trim");
             auto zone = interrupted(t);   // leaves that were gone before do no harm
             require(zone->in.intents.front().floor > zone->in.staged()->at.revision,
                     "suite: the place lies below the floor");
             auto second = expect_resumed(t, *zone);
             t.expect_replica(*second, expected);
             t.remove({expected.front()});          // it was staged
             expected.erase(expected.begin());
             t.put({policy("later")});
             expected.push_back(policy("later"));
             t.fault("trim");
             auto third = t.reconnect(*zone);
             require(!resumed(*third), "STG-02: the leave of something staged is gone");
             third->sync();
             t.expect_replica(*third, expected);
           }).needing({"trim"}),
    on_hub("stage.hub-after-restart", "A restart of the hub keeps places valid", {"STG-02"},
           [](HubTest& t) {
             const auto expected = put_one_by_one(t);
             auto zone = interrupted(t);
             t.restart();
             auto second = expect_resumed(t, *zone);
             t.expect_replica(*second, expected);
           }).needing({"restart"}),
    on_hub("stage.hub-lost-tail", "A place in what the hub lost is not gone on with", {"STG-02"},
           [](HubTest& t) {
             const auto all = put_one_by_one(t);
             auto zone = interrupted(t);
             const Revision head = zone->in.intents.front().head;
             t.fault("lose-tail", head.value - zone->in.staged()->at.revision.value + 2);
             std::vector<Resource> expected;
             for (const std::string& name : t.names_of("global")) {
               const auto same = [&](const Resource& each) { return each.key.name == name; };
               expected.push_back(*std::find_if(all.begin(), all.end(), same));
             }
             require(expected.size() < all.size(), "suite: something is lost");
             for (const Resource& each : big_ones("other")) {
               t.put({each});
               expected.push_back(each);
             }
             auto second = t.reconnect(*zone);
             require(!resumed(*second), "STG-02: the revision is beyond the end of its era");
             second->sync();
             t.expect_replica(*second, expected);
           }).needing({"lose-tail"}),
    on_hub("stage.hub-zero-place", "A place without era or revision is 4400", {"STG-01", "WIRE-10"},
           [](HubTest& t) {
             put_one_by_one(t);
             auto zone = interrupted(t);
             for (const bool era : {true, false}) {
               auto second = t.redial(*zone);
               wire::Hello hello = second->hello_now();
               require(hello.staged.has_value(), "suite: no place is kept");
               if (era) hello.staged->at.era = {};
               else hello.staged->at.revision = {};
               second->say(hello);
               second->expect_close(4400, "STG-01");
             }
           }),
};

/// Named without the feature: ignored.
Case not_negotiated() {
  return on_hub("stage.hub-not-negotiated", "Without the feature a place is ignored", {"STG-06"},
                [](HubTest& t) {
                  const auto expected = put_one_by_one(t);
                  auto zone = interrupted(t);
                  auto second = t.redial(*zone);
                  second->hello.features.clear();
                  second->handshake();
                  require(!resumed(*second), "STG-06: it was not negotiated");
                  second->sync();
                  t.expect_replica(*second, expected);
                }).needing({"control"});
}

Case in_v1() {
  return on_hub("stage.hub-not-in-lists", "In v1 places are not used", {"STG-05", "STG-06"},
                [](HubTest& t) {
                  const auto expected = put_one_by_one(t);
                  auto zone = t.connect();
                  zone->hello.features = {"resume"};
                  wire::Hello hello = zone->hello_now();
                  hello.staged = Staged{{EraId{zone->out.log.log_id}, Revision{1}, ViewId{}}, 1,
                                        true, Revision{}};
                  zone->say(hello);
                  zone->await_welcome();
                  for (const std::string& word : zone->welcome_heard->features) {
                    require(word != "resume", "STG-05: granted, and lists are not gone on with");
                  }
                  zone->wait("the Intent", [&] { return !zone->in.intents.empty(); });
                  require(!resumed(*zone), "STG-05: a list that is gone on with");
                  zone->sync();
                  t.expect_replica(*zone, expected);
                }).in(Modes::v1).needing({"control"});
}

std::vector<Case> collect() {
  std::vector<Case> all = of_feature("resume", {std::begin(kCases), std::end(kCases)});
  all.push_back(not_negotiated());
  for (Case& each : all) {
    each.modes = Modes::delta;
    each.needs.push_back("control");
  }
  all.push_back(in_v1());
  return all;
}

}  // namespace

Group stage_hub() {
  static const std::vector<Case> cases = collect();
  return cases;
}

}  // namespace zonesync::conform::cases
