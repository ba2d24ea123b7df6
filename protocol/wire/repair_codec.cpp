// Buckets, Differing, Prints, Remove: repair by fingerprints (docs/protocol.md REP-*).
#include <cstring>

#include "protocol/schema/repair_generated.h"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/flat.hpp"

namespace zonesync::wire {
namespace {

using detail::FieldReader;
using detail::Verified;
using flatbuffers::FlatBufferBuilder;

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kRecordBytes = 32;

void append_finished(std::string& out, PacketKind kind, FlowId flow,
                     const FlatBufferBuilder& builder) {
  PacketHeader header;
  header.kind = kind;
  header.flow = flow;
  append_packet(out, header, detail::finished(builder));
}

void put_id(std::vector<std::uint8_t>& out, const Id128& id) {
  out.insert(out.end(), id.bytes.begin(), id.bytes.end());
}

Id128 get_id(const detail::FlatBytes& bytes, std::size_t at) {
  Id128 id;
  std::memcpy(id.bytes.data(), bytes.data() + at, kIdBytes);
  return id;
}

}  // namespace

void append(std::string& out, FlowId flow, const Buckets& message) {
  FlatBufferBuilder builder(message.sums.size() * 8 + 64);
  const auto sums = builder.CreateVector(message.sums);
  builder.Finish(fb::CreateBuckets(builder, message.bits, sums));
  append_finished(out, PacketKind::buckets, flow, builder);
}

Result<Buckets> decode_buckets(ByteView payload) {
  auto flat = Verified<fb::Buckets>::open(payload, limits::kMessageMaxBytes, "buckets");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Buckets& root = *flat->operator->();
  FieldReader reader("buckets");
  reader.limit(root.bits(), kBucketBitsMax, "bits");
  Buckets buckets;
  if (!reader.ok()) return reader.finish(std::move(buckets));
  buckets.bits = root.bits();
  reader.require(root.sums()->size() == std::size_t{1} << buckets.bits, "sums",
                 "one sum for every bucket");
  if (reader.ok()) {
    for (const std::uint64_t sum : *root.sums()) buckets.sums.push_back(sum);
  }
  return reader.finish(std::move(buckets));
}

void append(std::string& out, FlowId flow, const Differing& message) {
  FlatBufferBuilder builder(message.buckets.size() * 2 + 64);
  const auto buckets = builder.CreateVector(message.buckets);
  builder.Finish(fb::CreateDiffering(builder, buckets));
  append_finished(out, PacketKind::differing, flow, builder);
}

Result<Differing> decode_differing(ByteView payload) {
  auto flat = Verified<fb::Differing>::open(payload, limits::kMessageMaxBytes, "differing");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Differing& root = *flat->operator->();
  FieldReader reader("differing");
  Differing differing;
  reader.limit(root.buckets()->size(), std::size_t{1} << kBucketBitsMax, "buckets");
  for (flatbuffers::uoffset_t i = 0; reader.ok() && i < root.buckets()->size(); ++i) {
    const std::uint16_t bucket = root.buckets()->Get(i);
    reader.require(bucket < (1u << kBucketBitsMax), "buckets", "no bucket of that number");
    reader.require(differing.buckets.empty() || differing.buckets.back() < bucket, "buckets",
                   "in ascending order, each once");
    differing.buckets.push_back(bucket);
  }
  return reader.finish(std::move(differing));
}

void append(std::string& out, FlowId flow, const Prints& message) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(message.records.size() * kRecordBytes);
  for (const Print& print : message.records) {
    put_id(bytes, print.key);
    put_id(bytes, print.hash.id);
  }
  FlatBufferBuilder builder(bytes.size() + 64);
  const auto records = builder.CreateVector(bytes);
  builder.Finish(fb::CreatePrints(builder, records, message.last));
  append_finished(out, PacketKind::prints, flow, builder);
}

Result<Prints> decode_prints(ByteView payload) {
  auto flat = Verified<fb::Prints>::open(payload, limits::kMessageMaxBytes, "prints");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Prints& root = *flat->operator->();
  const detail::FlatBytes& bytes = *root.records();
  FieldReader reader("prints");
  Prints prints;
  prints.last = root.last();
  reader.require(bytes.size() % kRecordBytes == 0, "records", "records of 32 bytes");
  reader.limit(bytes.size() / kRecordBytes, limits::kRepairPrintsPerPacket, "records");
  reader.require(prints.last || bytes.size() > 0, "records", "empty only in the last packet");
  for (std::size_t at = 0; reader.ok() && at < bytes.size(); at += kRecordBytes) {
    const Print print{get_id(bytes, at), Hash128{get_id(bytes, at + kIdBytes)}};
    reader.require(prints.records.empty() || prints.records.back().key < print.key, "records",
                   "in ascending order, each key once");
    prints.records.push_back(print);
  }
  return reader.finish(std::move(prints));
}

void append(std::string& out, FlowId flow, const Remove& message) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(message.fingerprints.size() * kIdBytes);
  for (const Id128& id : message.fingerprints) put_id(bytes, id);
  FlatBufferBuilder builder(bytes.size() + 64);
  const auto fingerprints = builder.CreateVector(bytes);
  builder.Finish(fb::CreateRemove(builder, fingerprints));
  append_finished(out, PacketKind::remove, flow, builder);
}

Result<Remove> decode_remove(ByteView payload) {
  auto flat = Verified<fb::Remove>::open(payload, limits::kMessageMaxBytes, "remove");
  if (!flat) return fail(std::move(flat.error()));
  const detail::FlatBytes& bytes = *flat->operator->()->fingerprints();
  FieldReader reader("remove");
  Remove remove;
  reader.require(bytes.size() > 0 && bytes.size() % kIdBytes == 0, "fingerprints",
                 "one or more of 16 bytes");
  reader.limit(bytes.size() / kIdBytes, limits::kRepairPrintsPerPacket, "fingerprints");
  for (std::size_t at = 0; reader.ok() && at < bytes.size(); at += kIdBytes) {
    const Id128 id = get_id(bytes, at);
    reader.require(remove.fingerprints.empty() || remove.fingerprints.back() < id, "fingerprints",
                   "in ascending order, each once");
    remove.fingerprints.push_back(id);
  }
  return reader.finish(std::move(remove));
}

}  // namespace zonesync::wire
