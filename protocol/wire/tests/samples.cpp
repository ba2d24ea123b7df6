#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire::samples {

Id128 id_of(std::uint8_t first) {
  Id128 id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(first + i);
  }
  return id;
}

Cursor cursor_at(std::uint64_t revision) {
  return {EraId{id_of(0xe0)}, Revision{revision}, ViewId{id_of(0x50)}};
}

Resource timeout_resource() {
  Resource resource;
  resource.key = {"MeshTimeout", "default", "global", "web-timeouts"};
  resource.labels = {{"kuma.io/env", "universal"}, {"team", "w\u00e4b"}};
  resource.spec = R"({"targetRef":{"kind":"Mesh"}})";
  resource.status = R"({"ok":true})";
  return resource;
}

Class class_of_timeout() { return {"MeshTimeout", "default", "global", "tier=gold"}; }

Hello full_hello() {
  Hello hello;
  hello.zone = "east";
  hello.instance = InstanceId{id_of(0x10)};
  hello.software = "zonesync-agent/0.1.0";
  hello.features = {"parts", "holds"};
  hello.types = {"Mesh", "MeshTimeout"};
  hello.meshes = {"default"};
  hello.down_cursor = cursor_at(41);
  hello.durable = true;
  hello.open_rejects = 1;
  hello.open_rejects_digest = {7, 8, 1};
  hello.up_log = {id_of(0x20), EraId{id_of(0x30)}, Revision{9}, true};
  hello.down_window_bytes = 4u << 20;
  return hello;
}

Hello minimal_hello() {
  Hello hello;
  hello.zone = "w";
  hello.instance = InstanceId{id_of(0x10)};
  hello.durable = false;
  return hello;
}

Welcome full_welcome() {
  TypeInfo mesh;
  mesh.name = "Mesh";
  mesh.plural = "meshes";
  mesh.scope = TypeScope::global;
  mesh.global_to_zones = true;
  mesh.provided_by_global = true;
  mesh.legacy = true;
  mesh.rank = -1;
  TypeInfo service;
  service.name = "MeshService";
  service.plural = "meshservices";
  service.zone_to_global = true;
  service.synced_across_zones = true;
  service.sensitive = true;
  service.max_bytes = 65536;
  service.scope_labels = {"tier"};
  Welcome welcome;
  welcome.session = 412;
  welcome.hub_id = id_of(0x40);
  welcome.generation = 3;
  welcome.down_view = ViewId{id_of(0x50)};
  welcome.up_view = ViewId{id_of(0x60)};
  welcome.features = {"parts"};
  welcome.types = {mesh, service};
  welcome.message_max_bytes = 1u << 20;
  welcome.up_window_bytes = 64u << 10;
  welcome.up_cursor = cursor_at(8);
  return welcome;
}

Welcome minimal_welcome() {
  Welcome welcome;
  welcome.session = 1;
  welcome.hub_id = id_of(0x40);
  welcome.generation = 1;
  return welcome;
}

Ack full_ack() {
  Verdict rejected;
  rejected.key = {"MeshTimeout", "default", "global", "web-timeouts"};
  rejected.revision = Revision{42};
  rejected.reject = {"invalid", "/spec/to/0", "unknown field 'tofu'", true};
  Verdict withdrawn;
  withdrawn.key = {"Mesh", "", "global", "default"};
  withdrawn.revision = Revision{40};
  withdrawn.accepted = true;
  Ack ack;
  ack.received_bytes = 123456;
  ack.window_bytes = 4u << 20;
  ack.cursor = cursor_at(42);
  ack.verdicts = {rejected, withdrawn};
  return ack;
}

namespace {

/// Collects samples; `add` takes what `append` takes after the output string.
class Collector {
 public:
  template <class... Arguments>
  void add(std::string name, std::string meaning, const Arguments&... arguments) {
    Sample sample{std::move(name), std::move(meaning), {}};
    append(sample.bytes, arguments...);
    samples_.push_back(std::move(sample));
  }
  void add_change(std::string name, std::string meaning, FlowId flow, Revision revision,
                  const Change& change) {
    Sample sample{std::move(name), std::move(meaning), {}};
    append_change(sample.bytes, flow, revision, change);
    samples_.push_back(std::move(sample));
  }
  void add_payload(std::string name, std::string meaning, const PacketHeader& header,
                   ByteView payload) {
    Sample sample{std::move(name), std::move(meaning), {}};
    append_packet(sample.bytes, header, payload);
    samples_.push_back(std::move(sample));
  }
  [[nodiscard]] std::vector<Sample> take() { return std::move(samples_); }

 private:
  std::vector<Sample> samples_;
};

/// From the version of timeout_resource() to one with another spec.
Patch timeout_patch() {
  Resource next = timeout_resource();
  next.spec = R"({"targetRef":{"kind":"MeshService"}})";
  const Change base = make_upsert(class_of_timeout(), timeout_resource());
  const Change target = make_upsert(class_of_timeout(), next);
  return Patch{next.key, base.hash, target.hash, target.payload.size(),
               stored_frame(target.payload.view())};
}

void add_session(Collector& out) {
  out.add("hello_full", "A zone that resumes from revision 41 and narrows its request.",
          full_hello());
  out.add("hello_minimal", "A zone without a store: no cursor, not durable, all types.",
          minimal_hello());
  Hello interrupted = minimal_hello();
  interrupted.features = {"resume"};
  interrupted.staged = Staged{cursor_at(40), 17, true, Revision{8}};
  out.add("hello_staged", "STG-01: a first sync was interrupted 17 changes into revision 40.",
          interrupted);
  out.add("welcome_full", "The hub holds the zone's log up to revision 8.", full_welcome());
  out.add("welcome_minimal", "A new zone: the hub holds nothing of its log.", minimal_welcome());
  out.add("goodbye_draining", "The hub drains; come back in five seconds.",
          Goodbye{1001, "draining", 5000, 0});
  out.add("goodbye_superseded", "A newer instance of the zone took over: final.",
          Goodbye{4409, "superseded by a newer instance", 0, 0});
  out.add("sync_1", "Barrier request 1.", Sync{1});
  out.add("synced_1", "Barrier 1 is revision 42.", Synced{1, Revision{42}});
}

void add_flow(Collector& out) {
  const FlowId down = FlowId::down;
  const FlowId up = FlowId::up;
  out.add("want_cursor", "Go on from revision 41.", down, Want{cursor_at(41), false, "hello"});
  out.add("want_full", "Everything, replacing: the digest did not match.", up,
          Want{{}, true, "digest_mismatch"});
  out.add("want_whole_versions", "A patch failed: go on from 41 without patches.", down,
          Want{cursor_at(41), false, "patch_failed", false, true});
  Want behind{cursor_at(30), false, "disk_full"};
  behind.staged = Staged{cursor_at(40), 2, false};
  out.add("want_staged", "STG-01: the cut from 30 is staged up to two changes of 40.", down,
          behind);
  Intent intent{IntentReason::changes, id_of(0x40), true, ViewId{id_of(0x50)}, cursor_at(41),
                Revision{42}, ""};
  out.add("intent_changes", "The changes after revision 41 follow.", down, intent);
  intent = {IntentReason::full, id_of(0x40), true, ViewId{id_of(0x50)}, {}, Revision{42},
            "unknown_era"};
  out.add("intent_full", "The era is unknown: a complete replacement follows.", down, intent);
  intent.why = "no_cursor";
  intent.era = EraId{id_of(0x30)};
  intent.resumed = Staged{cursor_at(40), 17, true, Revision{8}};
  intent.floor = Revision{9};
  out.add("intent_resumed", "STG-03: the full cut goes on behind 17 changes of revision 40.", down,
          intent);
  intent = {IntentReason::none, id_of(0x40), false, ViewId{id_of(0x50)}, cursor_at(42),
            Revision{42}, ""};
  out.add("intent_none", "Nothing was missed; the log is partial.", up, intent);
  out.add_change("change_upsert", "A resource with labels, tag, spec and status, revision 42.",
                 down, Revision{42}, make_upsert(class_of_timeout(), timeout_resource()));
  Resource bare;
  bare.key = {"Zone", "", "east", "east"};
  out.add_change("change_upsert_minimal", "A global-scoped resource without any content.", up,
                 Revision{7}, make_upsert({"Zone", "", "east", ""}, bare));
  out.add_change("change_leave", "The resource is gone.", down, Revision{43},
                 make_leave(class_of_timeout(), timeout_resource().key));
  out.add("part_first", "First of two slices of a change payload of 10 bytes.", down,
          Revision{42}, Part{0, 2, 10, "abcdef"});
  out.add_payload("patch_upsert", "Another spec for the version of change_upsert.",
                  {0, PacketKind::patch, down, Revision{44}}, encode_patch(timeout_patch()));
  out.add("drop_class", "A class left the view.", down, Drop{class_of_timeout()});
  out.add("mark_digest", "End of the cut from 41 to 42, with the digest of the view.", down,
          Mark{cursor_at(41), cursor_at(42), 3, Digest{1, 2, 3}});
  out.add("mark_full", "End of a cut that replaces the replica.", down,
          Mark{{}, cursor_at(42), 1000, {}});
  out.add("ack_verdicts", "Applied up to 42, one version refused, one earlier reject withdrawn.",
          down, full_ack());
  out.add("ack_credit", "Only credit: nothing is durable yet.", up, Ack{4096, 65536, {}, {}});
  out.add("list", "v1: all three MeshTimeouts of the view at revision 42 follow.", down,
          List{"MeshTimeout", Digest{1, 2, 3}, Revision{42}, 7});
  out.add("hold_disk_full", "Alive, not applying.", down,
          Hold{"disk_full", "no space left on the store's device", false});
  out.add("hold_released", "The hold ended.", down, Hold{"disk_full", "", true});
}

void add_repair(Collector& out) {
  const FlowId down = FlowId::down;
  out.add("want_repair", "Compare by fingerprints: the digest did not match.", down,
          Want{cursor_at(41), false, "digest_mismatch", true});
  const Intent intent{IntentReason::repair, id_of(0x40), true, ViewId{id_of(0x50)}, {},
                      Revision{42}, "unknown_era"};
  out.add("intent_repair", "The era is unknown: send bucket sums.", down, intent);
  out.add("buckets_four", "The receiver's sums of four buckets.", down,
          Buckets{2, {0x0123456789abcdef, 0, 1, 0xffffffffffffffff}});
  out.add("differing_two", "Buckets 0 and 3 differ.", down, Differing{{0, 3}});
  out.add("differing_none", "Nothing differs: the log follows.", down, Differing{{}});
  out.add("prints_last", "What the receiver holds there; the second is wanted again.", down,
          Prints{{{id_of(0x01), Hash128{id_of(0xa0)}}, {id_of(0xc1), {}}}, true});
  out.add("prints_none", "It holds nothing there.", down, Prints{{}, true});
  out.add("remove_one", "The sender does not have this key.", down, Remove{{id_of(0x01)}});
}

}  // namespace

std::vector<Sample> all() {
  Collector collector;
  add_session(collector);
  add_flow(collector);
  add_repair(collector);
  return collector.take();
}

std::string stored_frame(ByteView content) {
  const std::size_t size = content.size() - 256;
  const std::size_t block = content.size() << 3 | 1;  // last, stored
  std::string frame("\x28\xb5\x2f\xfd\x60", 5);      // one segment, a size of two bytes
  for (int i = 0; i < 2; ++i) frame.push_back(static_cast<char>(size >> (8 * i)));
  for (int i = 0; i < 3; ++i) frame.push_back(static_cast<char>(block >> (8 * i)));
  return frame.append(content);
}

std::vector<Sample> compressed() {
  std::vector<Sample> samples;
  for (const Sample& sample : all()) {
    PacketReader reader(sample.bytes, kAllFeatures);
    const Packet packet = **reader.next();
    if (sample.name != "welcome_full" && sample.name != "change_upsert") continue;
    PacketHeader header = packet.header;
    header.zstd = true;
    Sample made{"compressed_" + sample.name, sample.meaning + " As a zstd frame.", {}};
    append_packet(made.bytes, header, stored_frame(packet.payload));
    samples.push_back(std::move(made));
  }
  return samples;
}

std::vector<Sample> refused() {
  std::string sync;
  append(sync, Sync{1});
  std::string mark;
  append(mark, FlowId::down, Mark{{}, cursor_at(2), 0, {}});
  std::string leave;
  append_change(leave, FlowId::down, Revision{1},
                make_leave(class_of_timeout(), timeout_resource().key));
  const auto with_byte = [](std::string bytes, std::size_t at, char value) {
    bytes[at] = value;
    return bytes;
  };
  std::vector<Sample> samples;
  const auto add = [&](std::string name, std::string meaning, std::string bytes) {
    samples.push_back({std::move(name), std::move(meaning), std::move(bytes)});
  };
  add("header_truncated", "WIRE-02: fewer than 16 bytes are left.", sync.substr(0, 15));
  add("payload_truncated", "WIRE-02: the length reaches beyond the message.",
      sync.substr(0, sync.size() - 8));
  add("unknown_kind", "WIRE-03: kind 99.", with_byte(sync, 6, 99));
  add("reserved_flag", "WIRE-04: flag bit 3 is set.", with_byte(mark, 4, 8));
  add("compressed", "WIRE-05: a Mark whose payload is no zstd frame.", with_byte(mark, 4, 1));
  add("dictionary", "ZIP-09: there is no dictionary.", with_byte(mark, 4, 3));
  const std::string frame = stored_frame(std::string(300, 'x'));
  const auto add_frame = [&](std::string name, std::string meaning, const std::string& bad) {
    PacketHeader zipped{0, PacketKind::part, FlowId::down, Revision{1}};
    zipped.zstd = true;
    std::string bytes;
    append_packet(bytes, zipped, bad);
    add(std::move(name), std::move(meaning), std::move(bytes));
  };
  add_frame("frame_truncated", "ZIP-02: a frame without its end.", frame.substr(0, 200));
  add_frame("frame_with_more", "ZIP-02: bytes follow the frame.", frame + "x");
  add_frame("frame_of_another_size", "ZIP-03: 301 bytes announced, 300 stored.",
            with_byte(frame, 5, 45));
  add_frame("frame_without_size", "ZIP-03: the frame does not state its size.",
            std::string("\x28\xb5\x2f\xfd\x00\x00", 6) + frame.substr(7));
  add_frame("frame_of_a_giant", "ZIP-04: 4 GiB announced in 20 bytes.",
            std::string("\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff\x01\x00\x00", 12));
  std::string hello;
  append(hello, minimal_hello());
  add("hello_compressed", "ZIP-05: Hello is never compressed.", with_byte(hello, 4, 1));
  add("session_packet_with_flow", "WIRE-06: a Sync on the up flow.", with_byte(sync, 4, 4));
  add("revision_unexpected", "WIRE-07: a Mark with a revision.", with_byte(mark, 8, 1));
  add("revision_missing", "WIRE-07: a Change without a revision.", with_byte(leave, 8, 0));
  std::string padded;
  PacketHeader header;
  header.kind = PacketKind::sync;
  append_packet(padded, header, "abc");
  add("padding_not_zero", "WIRE-08: the last padding byte is 1.", with_byte(padded, 23, 1));
  add("payload_is_no_flatbuffer", "WIRE-10: three bytes are no payload.", padded);
  std::string bytes;
  append(bytes, FlowId::down, List{"MeshTimeout", Digest{}, Revision{42}, 0});
  add("list_without_nonce", "V1-03: nonces count from 1.", bytes);
  bytes.clear();
  append(bytes, FlowId::down, Hold{"", "", false});
  add("hold_without_reason", "WIRE-11: an empty reason word.", bytes);
  bytes.clear();
  append(bytes, FlowId::down, Drop{{"Mesh", "", "Not A Zone", ""}});
  add("origin_is_no_zone_name", "WIRE-12: an origin is global or a zone's name.", bytes);
  bytes.clear();
  Resource resource = timeout_resource();
  resource.key.name = "a/b";
  append_change(bytes, FlowId::down, Revision{1}, make_upsert(class_of_timeout(), resource));
  add("name_with_slash", "WIRE-12: a name holds no '/'.", bytes);
  return samples;
}

std::string all_in_one_message() {
  std::string message;
  for (const Sample& sample : all()) message += sample.bytes;
  return message;
}

Status decode_any(const Packet& packet) {
  const auto outcome = [](const auto& result) -> Status {
    if (!result) return fail(result.error());
    return {};
  };
  switch (packet.header.kind) {
    case PacketKind::hello: return outcome(decode_hello(packet.payload));
    case PacketKind::welcome: return outcome(decode_welcome(packet.payload));
    case PacketKind::goodbye: return outcome(decode_goodbye(packet.payload));
    case PacketKind::sync: return outcome(decode_sync(packet.payload));
    case PacketKind::synced: return outcome(decode_synced(packet.payload));
    case PacketKind::want: return outcome(decode_want(packet.payload));
    case PacketKind::intent: return outcome(decode_intent(packet.payload));
    case PacketKind::part: return outcome(decode_part(packet.payload));
    case PacketKind::patch: return outcome(decode_patch(packet.payload));
    case PacketKind::drop: return outcome(decode_drop(packet.payload));
    case PacketKind::mark: return outcome(decode_mark(packet.payload));
    case PacketKind::ack: return outcome(decode_ack(packet.payload));
    case PacketKind::hold: return outcome(decode_hold(packet.payload));
    case PacketKind::buckets: return outcome(decode_buckets(packet.payload));
    case PacketKind::differing: return outcome(decode_differing(packet.payload));
    case PacketKind::prints: return outcome(decode_prints(packet.payload));
    case PacketKind::remove: return outcome(decode_remove(packet.payload));
    case PacketKind::list: return outcome(decode_list(packet.payload));
    case PacketKind::change: break;
  }
  const SharedBytes payload{std::string(packet.payload)};
  const Result<Change> change = decode_change(payload);
  if (!change) return fail(change.error());
  if (change->kind == ChangeKind::upsert) return outcome(resource_of(payload));
  return {};
}

Status decode_message(ByteView message, Features features) {
  const std::vector<char> heap(message.begin(), message.end());
  PacketReader reader(ByteView(heap.data(), heap.size()), features);
  while (true) {
    Result<std::optional<Packet>> packet = reader.next();
    if (!packet) return fail(packet.error());
    if (!packet->has_value()) return {};
    Status status = decode_any(**packet);
    if (!status) return status;
  }
}

}  // namespace zonesync::wire::samples
