#include "conformance/suite/hub_peer.hpp"

#include <algorithm>

#include "conformance/suite/case.hpp"
#include "protocol/model/scope.hpp"

namespace zonesync::conform {
namespace {

std::shared_ptr<const TypeRegistry> shared_types() {
  return {std::shared_ptr<void>(), &types()};
}

}  // namespace

ViewId down_view_of(const wire::Hello& hello) {
  ViewSpec spec;
  spec.zone = hello.zone;
  spec.types.insert(hello.types.begin(), hello.types.end());
  spec.meshes.insert(hello.meshes.begin(), hello.meshes.end());
  return View(std::move(spec), shared_types()).id();
}

ViewId up_view_of(const std::string& zone) {
  ViewSpec spec;
  spec.down = false;
  spec.zone = zone;
  return View(std::move(spec), shared_types()).id();
}

HubPeer::HubPeer(std::unique_ptr<Link> link, Transcript& transcript, FlowIn flow_in,
                 FlowOut flow_out)
    : Peer(std::move(link), transcript, "hub", std::move(flow_in), std::move(flow_out)) {}

void HubPeer::await_hello() {
  wait("Hello", [&] { return hello_heard.has_value(); });
  out.view = down_view_of(*hello_heard);
  out.window_bytes = hello_heard->down_window_bytes;
}

wire::Welcome HubPeer::welcome_now() const {
  wire::Welcome message;
  message.session = session;
  message.hub_id = out.log.log_id;
  message.generation = generation;
  message.down_view = out.view;
  message.up_view = up_view_of(hello_heard->zone);
  for (const TypeInfo* type : types().all()) message.types.push_back(*type);
  message.message_max_bytes = limits::kMessageMaxBytes;
  message.up_window_bytes = up_window_bytes;
  message.up_cursor = in.cursor;
  message.features = wire::words_of(features());
  const auto& offered = hello_heard->features;
  if (grant_views && std::find(offered.begin(), offered.end(), "views") != offered.end()) {
    message.features.emplace_back("views");
  }
  return message;
}

wire::Features HubPeer::features() const {
  if (!hello_heard) return {};
  return wire::common(grant, wire::features_of(hello_heard->features));
}

void HubPeer::welcome_only() {
  await_hello();
  in.window_bytes = up_window_bytes;
  say(welcome_now());
}

void HubPeer::handshake() {
  welcome_only();
  answer();
}

void HubPeer::answer() {
  const bool forced = !out.wants.empty() && out.wants.back().force_full;
  const std::optional<Cursor> wanted =
      out.wants.empty() ? hello_heard->down_cursor : out.wants.back().cursor;
  std::string first = out.answer(wanted, forced);
  std::vector<std::string> packets{std::move(first)};
  for (std::string& packet : out.next_cut()) packets.push_back(std::move(packet));
  if (packets.size() == 1) {  // at the head: the first Mark of an answer carries the digest
    packets.push_back(out.mark_packet(out.next_from, out.log.head, 0));
  }
  send_packets(packets);
}

void HubPeer::write(const std::vector<Resource>& upserts, const std::vector<Resource>& removes) {
  out.log.write(upserts, removes);
  push();
}

void HubPeer::write_durably(const std::vector<Resource>& upserts,
                            const std::vector<Resource>& removes) {
  write(upserts, removes);
  await_durable();
}

void HubPeer::await_durable() {
  wait("the client's Ack of the head (FLOW-21)", [&] { return out.all_durable(); });
}

void HubPeer::react() {
  if (auto_answer && out.owes_answer) answer();
  while (auto_sync && syncs_answered_ < syncs.size()) {
    say(wire::Synced{syncs[syncs_answered_++].id, out.log.head});
  }
}

}  // namespace zonesync::conform
