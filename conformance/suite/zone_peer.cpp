#include "conformance/suite/zone_peer.hpp"

#include <algorithm>

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

ZonePeer::ZonePeer(std::unique_ptr<Link> link, Transcript& transcript, const std::string& name,
                   FlowIn flow_in, FlowOut flow_out)
    : Peer(std::move(link), transcript, "zone " + name, std::move(flow_in), std::move(flow_out)),
      zone(name) {
  hello.zone = name;
  hello.instance.id.bytes[0] = 1;
  hello.software = "conform/1";
}

wire::Hello ZonePeer::hello_now() const {
  wire::Hello message = hello;
  message.down_cursor = in.cursor;
  message.down_window_bytes = in.window_bytes;
  if (in.kept) message.staged = in.kept->place;
  message.up_log = {out.log.log_id, out.log.era, out.log.head, out.log.complete};
  return message;
}

wire::Features ZonePeer::features() const {
  if (welcome_heard) return wire::features_of(welcome_heard->features);
  // Before Welcome, only the Welcome itself may be compressed (ZIP-05).
  return {.zstd = wire::features_of(hello.features).zstd};
}

void ZonePeer::handshake() {
  say(hello_now());
  await_welcome();
  wait("the Intent of the down flow (FLOW-01)", [&] { return !in.intents.empty(); });
}

void ZonePeer::await_welcome() {
  wait("Welcome", [&] { return welcome_heard.has_value(); });
  for (const std::string& word : welcome_heard->features) {
    require(std::find(hello.features.begin(), hello.features.end(), word) != hello.features.end(),
            "SES-04: Welcome grants " + word + ", which was not offered");
  }
}

void ZonePeer::react() {
  if (!welcome_heard || adopted_) return;
  adopted_ = true;
  out.view = welcome_heard->up_view;
  out.window_bytes = welcome_heard->up_window_bytes;
  out.acked = welcome_heard->up_cursor;
  if (!auto_up) return;
  start_up();
  push();
}

Revision ZonePeer::barrier() {
  const std::uint64_t id = next_sync_++;
  const std::size_t before = synced.size();
  say(wire::Sync{id});
  wait("Synced (SES-09)", [&] { return synced.size() > before; });
  require(synced.back().id == id, "SES-09: Synced answers another Sync");
  return synced.back().revision;
}

Revision ZonePeer::sync() {
  const Revision revision = barrier();
  wait("revision " + std::to_string(revision.value) + " of the down flow",
       [&] { return in.at_least(revision); });
  return revision;
}

void ZonePeer::start_up() {
  if (out.answered && !out.owes_answer) return;
  const bool forced = !out.wants.empty() && out.wants.back().force_full;
  const std::optional<Cursor> wanted =
      out.wants.empty() ? welcome_heard->up_cursor : out.wants.back().cursor;
  send(out.answer(wanted, forced));
}

void ZonePeer::publish(const std::vector<Resource>& upserts,
                       const std::vector<Resource>& removes) {
  if (!upserts.empty() || !removes.empty()) out.log.write(upserts, removes);
  start_up();
  push();
}

void ZonePeer::publish_durably(const std::vector<Resource>& upserts,
                               const std::vector<Resource>& removes) {
  publish(upserts, removes);
  wait("the hub's Ack of everything published (FLOW-21)", [&] { return out.all_durable(); });
}

}  // namespace zonesync::conform
