// What a hub asks of a client beside data: another mode for a while, a pause, a resync.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

std::unique_ptr<HubPeer> hub_with_views(ZoneTest& t, const std::vector<Resource>& resources) {
  auto hub = t.meet();
  hub->grant_views = true;
  hub->out.log.write(resources);
  hub->handshake();
  hub->await_durable();
  return hub;
}

wire::Hold hold(const char* reason, bool released = false) { return {reason, "", released}; }

const Case kZone[] = {
    on_zone("switch.fallback", "Goodbye with a fallback time: v1 alone, then delta again",
            {"V1-10", "SES-10"},
            [](ZoneTest& t) {
              constexpr std::uint64_t kFallbackMs = 3'000;
              auto hub = t.join({policy("a")});
              wire::Goodbye goodbye;
              goodbye.code = 1001;
              goodbye.reason = "use v1 for a while";
              goodbye.fallback_ttl_ms = kFallbackMs;
              hub->say(goodbye);
              hub->link().close({1001, "use v1 for a while"});
              require(t.zone->accept(Mode::delta) == nullptr, "V1-10: delta is still offered");
              auto second = t.next_in(Mode::v1, *hub);
              second->handshake();
              second->write_durably({policy("b")});
              t.expect_store({policy("a"), policy("b")});
              t.advance(std::chrono::milliseconds(kFallbackMs) + 500ms);
              second->expect_close(1000, "V1-10");
              auto third = t.next(*second);
              third->handshake();
              third->write_durably({policy("c")});
              t.expect_store({policy("a"), policy("b"), policy("c")});
            }).needing({"clock", "fallback"}).in(Modes::delta),
    on_zone("switch.paused-sender", "A sender's Hold is for status; data goes on after it",
            {"FLOW-33"},
            [](ZoneTest& t) {
              auto hub = hub_with_views(t, {policy("a")});
              hub->say(FlowId::down, hold("paused"));
              hub->say(FlowId::down, hold("a_word_of_the_future"));
              hub->drain();
              require(hub->open(), "FLOW-33: the client ends the session");
              t.expect_store({policy("a")});
              hub->say(FlowId::down, hold("paused", true));
              hub->write_durably({policy("b")});
              t.expect_store({policy("a"), policy("b")});
            }).needing({"views"}),
    on_zone("switch.resync", "Hold `resync` of a sender brings a Want for everything", {"FLOW-34"},
            [](ZoneTest& t) {
              auto hub = hub_with_views(t, {policy("a"), policy("b")});
              hub->say(FlowId::down, hold("resync"));
              hub->wait("Want (FLOW-34)", [&] { return !hub->out.wants.empty(); });
              require(hub->out.wants.back().force_full, "FLOW-34: force_full");
              require(hub->out.wants.back().why == "resync", "FLOW-34: why = resync");
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
            }).needing({"views"}),
};

}  // namespace

Group switching_zone() { return kZone; }

}  // namespace zonesync::conform::cases
