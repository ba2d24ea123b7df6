#include "conformance/fuzz/packets.hpp"

#include <algorithm>
#include <vector>

#include "protocol/model/scope.hpp"

namespace zonesync::fuzz {
namespace {

using wire::FlowId;

const TypeRegistry& registry() {
  static const TypeRegistry types = TypeRegistry::with_default_types();
  return types;
}

Cursor cursor(Input& in, const Identities& ids) {
  const std::uint8_t choice = in.byte();
  const EraId unknown{Id128{{0xee}}};
  const EraId eras[] = {ids.peer_era, ids.own_era, unknown, EraId{}};
  const ViewId views[] = {ids.inbound_view, ids.outbound_view, ViewId{Id128{{0xdd}}}, ViewId{}};
  return {eras[choice & 3], Revision{in.number()}, views[(choice >> 2) & 3]};
}

std::optional<Cursor> maybe_cursor(Input& in, const Identities& ids) {
  if (in.flag()) return std::nullopt;
  return cursor(in, ids);
}

/// Of packets that carry one: the encoder insists that it is not zero. Raw bytes may say otherwise.
Revision revision(Input& in) { return Revision{std::max<std::uint64_t>(1, in.number())}; }

Id128 id(Input& in) { return Id128{{in.byte(), in.byte()}}; }

Resource resource(Input& in) {
  static const char* const types[] = {"MeshTimeout", "Dataplane", "Mesh", "Secret", "ZoneIngress",
                                      "Unknown"};
  static const char* const meshes[] = {"default", "", "other"};
  static const char* const origins[] = {"global", "east", "west"};
  Resource made;
  made.key = {types[in.pick(6)], meshes[in.pick(3)], origins[in.pick(3)],
              std::string(1, static_cast<char>('a' + in.pick(20)))};
  if (in.flag()) made.labels["kuma.io/zone"] = in.flag() ? "east" : "west";
  made.spec = "{\"v\":" + std::to_string(in.byte()) + "}";
  return made;
}

Change change(Input& in) {
  const Resource made = resource(in);
  const auto cls = class_of(registry(), made);
  const Class any{made.key.type, made.key.mesh, made.key.origin, in.flag() ? "" : "tag"};
  const Class& used = cls && !in.flag() ? *cls : any;
  return in.flag() ? wire::make_leave(used, made.key) : wire::make_upsert(used, made);
}

std::optional<Digest> digest(Input& in) {
  if (in.flag()) return std::nullopt;
  Digest sum;
  if (in.flag()) sum.add(id(in), Hash128{id(in)});
  return sum;
}

std::vector<Verdict> verdicts(Input& in) {
  std::vector<Verdict> all(in.pick(4));
  for (Verdict& verdict : all) {
    verdict.key = resource(in).key;
    verdict.revision = Revision{in.number()};
    verdict.accepted = in.flag();
    if (!verdict.accepted) verdict.reject = {"invalid", "/spec", "no", in.flag()};
  }
  return all;
}

void append_session_packet(std::string& out, Input& in, const Identities& ids) {
  switch (in.pick(5)) {
    case 0: return append_hello(out, ids);
    case 1: return append_welcome(out, ids);
    case 2: {
      const auto code = static_cast<std::uint16_t>(4400 + in.byte());
      return wire::append(out, wire::Goodbye{code, "why", in.number(), in.number()});
    }
    case 3: return wire::append(out, wire::Sync{in.number()});
    default: return wire::append(out, wire::Synced{in.number(), Revision{in.number()}});
  }
}

void append_data(std::string& out, Input& in, const Identities& ids, FlowId flow) {
  switch (in.pick(8)) {
    case 0: {
      wire::Intent intent;
      intent.reason = static_cast<wire::IntentReason>(1 + in.pick(4));
      intent.log_id = in.flag() ? id(in) : ids.peer_log;
      intent.complete = in.flag();
      intent.view = in.flag() ? ids.outbound_view : ids.inbound_view;
      intent.from = maybe_cursor(in, ids);
      intent.head = Revision{in.number()};
      intent.why = "fuzz";
      return wire::append(out, flow, intent);
    }
    case 1: return wire::append_change(out, flow, revision(in), change(in));
    case 2: {
      const Change whole = change(in);
      const std::string_view bytes = whole.payload.view();
      const auto count = static_cast<std::uint32_t>(1 + in.pick(4));
      wire::Part part{static_cast<std::uint32_t>(in.pick(4)), count, bytes.size(), ""};
      const std::size_t slice = bytes.size() / count + 1;
      part.bytes = std::string(bytes.substr(std::min(bytes.size(), part.index * slice), slice));
      return wire::append(out, flow, revision(in), part);
    }
    case 3: return wire::append(out, flow, wire::Drop{change(in).cls});
    case 4: {
      const wire::List list{resource(in).key.type, digest(in).value_or(Digest{}),
                            Revision{in.number()}, in.number()};
      return wire::append(out, flow, list);
    }
    case 5: {
      std::vector<std::uint16_t> buckets(in.pick(4));
      for (std::uint16_t& bucket : buckets) bucket = static_cast<std::uint16_t>(in.number());
      return wire::append(out, flow, wire::Differing{buckets});
    }
    case 6: {
      std::vector<Id128> prints(in.pick(4));
      for (Id128& print : prints) print = in.flag() ? id(in) : fingerprint(resource(in).key);
      return wire::append(out, flow, wire::Remove{prints});
    }
    default: {
      const wire::Mark mark{maybe_cursor(in, ids), cursor(in, ids), in.number(), digest(in)};
      return wire::append(out, flow, mark);
    }
  }
}

void append_feedback(std::string& out, Input& in, const Identities& ids, FlowId flow) {
  switch (in.pick(5)) {
    case 0: {
      const wire::Want want{maybe_cursor(in, ids), in.flag(), "fuzz", in.flag(), in.flag()};
      return wire::append(out, flow, want);
    }
    case 1: {
      const wire::Ack ack{in.number(), in.number() << 8, maybe_cursor(in, ids), verdicts(in)};
      return wire::append(out, flow, ack);
    }
    case 2: return wire::append(out, flow, wire::Hold{"paused", "by fuzz", in.flag()});
    case 3: {
      wire::Buckets buckets;
      buckets.bits = static_cast<std::uint8_t>(in.pick(11));
      buckets.sums.resize(std::size_t{1} << buckets.bits);
      buckets.sums.front() = in.number();
      return wire::append(out, flow, buckets);
    }
    default: {
      wire::Prints prints;
      prints.records.resize(in.pick(4));
      for (Print& print : prints.records) print = {id(in), Hash128{id(in)}};
      prints.last = in.flag();
      return wire::append(out, flow, prints);
    }
  }
}

}  // namespace

void append_hello(std::string& out, const Identities& ids) {
  wire::Hello hello;
  hello.zone = "east";
  hello.instance.id.bytes[0] = 7;
  hello.software = "fuzz/1";
  hello.features = wire::words_of(wire::kAllFeatures);
  hello.up_log = {ids.peer_log, ids.peer_era, Revision{5}, true};
  hello.down_window_bytes = 1 << 16;
  wire::append(out, hello);
}

void append_welcome(std::string& out, const Identities& ids) {
  wire::Welcome welcome;
  welcome.session = 1;
  welcome.hub_id = ids.peer_log;
  welcome.generation = 1;
  welcome.down_view = ids.inbound_view;
  welcome.up_view = ids.outbound_view;
  welcome.features = wire::words_of(wire::kAllFeatures);
  welcome.message_max_bytes = 1 << 20;
  welcome.up_window_bytes = 1 << 16;
  wire::append(out, welcome);
}

void append_packet(std::string& out, Input& in, const Identities& ids) {
  const FlowId outbound = ids.inbound == FlowId::up ? FlowId::down : FlowId::up;
  switch (in.pick(8)) {
    case 0: return append_session_packet(out, in, ids);
    case 1: return append_data(out, in, ids, outbound);  // the wrong direction
    case 2: case 3: return append_feedback(out, in, ids, outbound);
    default: return append_data(out, in, ids, ids.inbound);
  }
}

}  // namespace zonesync::fuzz
