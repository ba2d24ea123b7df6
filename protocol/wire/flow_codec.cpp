// Want, Intent, Part, Drop, List, Mark, Ack, Hold, and the framing of changes.
#include "protocol/schema/flow_generated.h"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/flat.hpp"

namespace zonesync::wire {
namespace {

using detail::FieldReader;
using detail::Verified;
using flatbuffers::FlatBufferBuilder;

void append_finished(std::string& out, PacketKind kind, FlowId flow, Revision revision,
                     const FlatBufferBuilder& builder) {
  PacketHeader header;
  header.kind = kind;
  header.flow = flow;
  header.revision = revision;
  append_packet(out, header, detail::finished(builder));
}

/// A cursor that can be passed to a builder as "maybe": valid while the builder call lasts.
struct MaybeCursor {
  explicit MaybeCursor(const std::optional<Cursor>& cursor) : present(cursor.has_value()) {
    if (cursor) flat = detail::to_flat(*cursor);
  }
  [[nodiscard]] const fb::Cursor* get() const { return present ? &flat : nullptr; }
  bool present;
  fb::Cursor flat;
};

flatbuffers::Offset<fb::Verdict> put_verdict(FlatBufferBuilder& builder, const Verdict& verdict) {
  const auto type = detail::put_string(builder, verdict.key.type);
  const auto mesh = detail::put_optional(builder, verdict.key.mesh);
  const auto origin = detail::put_string(builder, verdict.key.origin);
  const auto name = detail::put_string(builder, verdict.key.name);
  const auto code = detail::put_text(builder, verdict.reject.code, limits::kWordMaxBytes);
  const auto field = detail::put_text(builder, verdict.reject.field);
  const auto text = detail::put_text(builder, verdict.reject.text, limits::kRejectTextMaxBytes);
  return fb::CreateVerdict(builder, type, mesh, origin, name, verdict.revision.value,
                           verdict.accepted, code, field, text, verdict.reject.retryable);
}

Verdict read_verdict(FieldReader& reader, const fb::Verdict& flat) {
  Verdict verdict;
  verdict.key.type = reader.type_name(flat.type(), "verdicts.type");
  verdict.key.mesh = reader.mesh(flat.mesh());
  verdict.key.origin = reader.origin(flat.origin());
  verdict.key.name = reader.resource_name(flat.name(), "verdicts.name");
  verdict.revision = Revision{flat.revision()};
  verdict.accepted = flat.accepted();
  verdict.reject.code = reader.word(flat.code(), "verdicts.code");
  verdict.reject.field = reader.text(flat.field(), "verdicts.field");
  verdict.reject.text = reader.text(flat.text(), "verdicts.text", limits::kRejectTextMaxBytes);
  verdict.reject.retryable = flat.retryable();
  reader.require(verdict.accepted == verdict.reject.code.empty(), "verdicts.code",
                 "a reject has a code and an accepted verdict has none");
  return verdict;
}

}  // namespace

// -- Want, Intent --------------------------------------------------------------------------------

void append(std::string& out, FlowId flow, const Want& message) {
  FlatBufferBuilder builder(256);
  const MaybeCursor cursor(message.cursor);
  const auto why = detail::put_text(builder, message.why, limits::kWordMaxBytes);
  const auto staged = detail::put_staged(builder, message.staged);
  builder.Finish(fb::CreateWant(builder, cursor.get(), message.force_full, why, message.repair,
                                message.no_patches, staged));
  append_finished(out, PacketKind::want, flow, {}, builder);
}

Result<Want> decode_want(ByteView payload) {
  auto flat = Verified<fb::Want>::open(payload, limits::kMessageMaxBytes, "want");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Want& root = *flat->operator->();
  FieldReader reader("want");
  Want want;
  want.cursor = detail::from_flat(root.cursor());
  want.force_full = root.force_full();
  want.why = reader.word(root.why(), "why");
  want.repair = root.repair();
  reader.require(!want.repair || !want.force_full, "repair", "either repair or full");
  want.no_patches = root.no_patches();
  want.staged = detail::read_staged(reader, root.staged());
  reader.require(!want.staged || !want.repair, "staged", "a repair starts anew");
  return reader.finish(std::move(want));
}

void append(std::string& out, FlowId flow, const Intent& message) {
  FlatBufferBuilder builder(256);
  const MaybeCursor from(message.from);
  const fb::Id128 log_id = detail::to_flat(message.log_id);
  const fb::Id128 view = detail::to_flat(message.view.id);
  const auto why = detail::put_text(builder, message.why, limits::kWordMaxBytes);
  const auto resumed = detail::put_staged(builder, message.resumed);
  const fb::Id128 era = detail::to_flat(message.era.id);
  builder.Finish(fb::CreateIntent(builder, static_cast<fb::IntentReason>(message.reason), &log_id,
                                  message.complete, &view, from.get(), message.head.value, why,
                                  message.era == EraId{} ? nullptr : &era, resumed,
                                  message.floor.value));
  append_finished(out, PacketKind::intent, flow, {}, builder);
}

Result<Intent> decode_intent(ByteView payload) {
  auto flat = Verified<fb::Intent>::open(payload, limits::kMessageMaxBytes, "intent");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Intent& root = *flat->operator->();
  FieldReader reader("intent");
  Intent intent;
  intent.reason = static_cast<IntentReason>(root.reason());
  reader.require(!to_string(intent.reason).empty(), "reason", "unknown reason");
  intent.log_id = detail::from_flat(*root.log_id());
  intent.complete = root.complete();
  intent.view = ViewId{detail::from_flat(*root.view())};
  intent.from = detail::from_flat(root.from());
  const bool goes_on =
      intent.reason == IntentReason::none || intent.reason == IntentReason::changes;
  reader.require(intent.from.has_value() == goes_on, "from", "set for none and changes only");
  intent.head = Revision{root.head()};
  intent.why = reader.word(root.why(), "why");
  if (root.era() != nullptr) intent.era = EraId{detail::from_flat(*root.era())};
  intent.resumed = detail::read_staged(reader, root.resumed());
  intent.floor = Revision{root.floor()};
  const bool may = intent.reason == IntentReason::changes || intent.reason == IntentReason::full;
  reader.require(!intent.resumed || (may && intent.resumed->full == !intent.from), "resumed",
                 "only the answer that was staged goes on");
  return reader.finish(std::move(intent));
}

// -- Change, Part, Drop, List, Mark -------------------------------------------------------------

void append_change(std::string& out, FlowId flow, Revision revision, const Change& change) {
  PacketHeader header;
  header.kind = PacketKind::change;
  header.flow = flow;
  header.revision = revision;
  append_packet(out, header, change.payload.view());
}

std::string encode_part(const Part& message) {
  FlatBufferBuilder builder(message.bytes.size() + 128);
  // Required: present even when empty.
  const auto bytes = builder.CreateVector(
      reinterpret_cast<const std::uint8_t*>(message.bytes.data()), message.bytes.size());
  builder.Finish(
      fb::CreatePart(builder, message.index, message.count, message.total_bytes, bytes));
  return std::string(detail::finished(builder));
}

void append(std::string& out, FlowId flow, Revision revision, const Part& message) {
  PacketHeader header;
  header.kind = PacketKind::part;
  header.flow = flow;
  header.revision = revision;
  append_packet(out, header, encode_part(message));
}

Result<Part> decode_part(ByteView payload) {
  auto flat = Verified<fb::Part>::open(payload, limits::kMessageMaxBytes, "part");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Part& root = *flat->operator->();
  FieldReader reader("part");
  Part part;
  part.index = root.index();
  part.count = root.count();
  part.total_bytes = root.total_bytes();
  reader.require(part.index < part.count, "index", "not below count");
  reader.limit(part.total_bytes, limits::kChangeMaxBytes, "total_bytes");
  reader.require(part.count <= part.total_bytes, "count", "more parts than bytes");
  reader.require(root.bytes()->size() > 0 && root.bytes()->size() <= part.total_bytes, "bytes",
                 "a part holds 1 to total_bytes bytes");
  part.bytes = reader.bytes(root.bytes());
  return reader.finish(std::move(part));
}

void append(std::string& out, FlowId flow, const Drop& message) {
  FlatBufferBuilder builder(512);
  const auto type = detail::put_string(builder, message.cls.type);
  const auto mesh = detail::put_optional(builder, message.cls.mesh);
  const auto origin = detail::put_string(builder, message.cls.origin);
  const auto tag = detail::put_optional(builder, message.cls.tag);
  builder.Finish(fb::CreateDrop(builder, type, mesh, origin, tag));
  append_finished(out, PacketKind::drop, flow, {}, builder);
}

Result<Drop> decode_drop(ByteView payload) {
  auto flat = Verified<fb::Drop>::open(payload, limits::kMessageMaxBytes, "drop");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Drop& root = *flat->operator->();
  FieldReader reader("drop");
  Drop drop;
  drop.cls.type = reader.type_name(root.type(), "type");
  drop.cls.mesh = reader.mesh(root.mesh());
  drop.cls.origin = reader.origin(root.origin());
  drop.cls.tag = reader.text(root.tag(), "tag", limits::kTagMaxBytes);
  return reader.finish(std::move(drop));
}

void append(std::string& out, FlowId flow, const List& message) {
  FlatBufferBuilder builder(256);
  const auto type = detail::put_string(builder, message.type);
  const fb::Digest digest = detail::to_flat(message.digest);
  builder.Finish(fb::CreateList(builder, type, &digest, message.version.value, message.nonce));
  append_finished(out, PacketKind::list, flow, {}, builder);
}

Result<List> decode_list(ByteView payload) {
  auto flat = Verified<fb::List>::open(payload, limits::kMessageMaxBytes, "list");
  if (!flat) return fail(std::move(flat.error()));
  const fb::List& root = *flat->operator->();
  FieldReader reader("list");
  List list;
  list.type = reader.type_name(root.type(), "type");
  list.digest = detail::from_flat(*root.digest());
  list.version = Revision{root.version()};
  list.nonce = root.nonce();
  reader.require(list.nonce > 0, "nonce", "nonces count from 1");
  return reader.finish(std::move(list));
}

void append(std::string& out, FlowId flow, const Mark& message) {
  FlatBufferBuilder builder(256);
  const MaybeCursor from(message.from);
  const fb::Cursor to = detail::to_flat(message.to);
  fb::Digest digest;
  if (message.digest) digest = detail::to_flat(*message.digest);
  builder.Finish(fb::CreateMark(builder, from.get(), &to, message.changes,
                                message.digest ? &digest : nullptr));
  append_finished(out, PacketKind::mark, flow, {}, builder);
}

Result<Mark> decode_mark(ByteView payload) {
  auto flat = Verified<fb::Mark>::open(payload, limits::kMessageMaxBytes, "mark");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Mark& root = *flat->operator->();
  Mark mark;
  mark.from = detail::from_flat(root.from());
  mark.to = detail::from_flat(*root.to());
  mark.changes = root.changes();
  if (root.digest() != nullptr) mark.digest = detail::from_flat(*root.digest());
  return mark;
}

// -- Ack, Hold -----------------------------------------------------------------------------------

void append(std::string& out, FlowId flow, const Ack& message) {
  FlatBufferBuilder builder(256);
  const MaybeCursor cursor(message.cursor);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Verdict>>> verdicts = 0;
  if (!message.verdicts.empty()) {
    std::vector<flatbuffers::Offset<fb::Verdict>> offsets;
    offsets.reserve(message.verdicts.size());
    for (const Verdict& verdict : message.verdicts) {
      offsets.push_back(put_verdict(builder, verdict));
    }
    verdicts = builder.CreateVector(offsets);
  }
  builder.Finish(fb::CreateAck(builder, message.received_bytes, message.window_bytes,
                               cursor.get(), verdicts));
  append_finished(out, PacketKind::ack, flow, {}, builder);
}

Result<Ack> decode_ack(ByteView payload) {
  auto flat = Verified<fb::Ack>::open(payload, limits::kMessageMaxBytes, "ack");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Ack& root = *flat->operator->();
  FieldReader reader("ack");
  Ack ack;
  ack.received_bytes = root.received_bytes();
  ack.window_bytes = root.window_bytes();
  ack.cursor = detail::from_flat(root.cursor());
  if (root.verdicts() != nullptr) {
    reader.limit(root.verdicts()->size(), limits::kVerdictsPerAckMax, "verdicts");
    for (flatbuffers::uoffset_t i = 0; reader.ok() && i < root.verdicts()->size(); ++i) {
      ack.verdicts.push_back(read_verdict(reader, *root.verdicts()->Get(i)));
    }
  }
  return reader.finish(std::move(ack));
}

void append(std::string& out, FlowId flow, const Hold& message) {
  FlatBufferBuilder builder(256);
  const auto reason = detail::put_string(
      builder, detail::clean_utf8(message.reason, limits::kWordMaxBytes));
  const auto text = detail::put_text(builder, message.text);
  builder.Finish(fb::CreateHold(builder, reason, text, message.released));
  append_finished(out, PacketKind::hold, flow, {}, builder);
}

Result<Hold> decode_hold(ByteView payload) {
  auto flat = Verified<fb::Hold>::open(payload, limits::kMessageMaxBytes, "hold");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Hold& root = *flat->operator->();
  FieldReader reader("hold");
  Hold hold;
  hold.reason = reader.word(root.reason(), "reason");
  reader.require(!hold.reason.empty(), "reason", "a hold names its reason");
  hold.text = reader.text(root.text(), "text");
  hold.released = root.released();
  return reader.finish(std::move(hold));
}

}  // namespace zonesync::wire
