// Repair and patches as the scripted peer plays them, at both ends of a flow.
#include <algorithm>
#include <set>

#include "conformance/suite/case.hpp"
#include "conformance/suite/flow_in.hpp"
#include "conformance/suite/flow_out.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync::conform {
namespace {

template <class Items>
std::vector<Print> sorted_prints(const Items& items) {
  std::vector<Print> prints;
  for (const auto& [key, item] : items) prints.push_back({fingerprint(key), item.change.hash});
  std::sort(prints.begin(), prints.end(),
            [](const Print& a, const Print& b) { return a.key < b.key; });
  return prints;
}

BucketSums sums_of(const std::vector<Print>& prints, unsigned bits) {
  BucketSums sums(bits);
  for (const Print& print : prints) sums.add(print);
  return sums;
}

bool among(const wire::Differing& differing, const Id128& key, unsigned bits) {
  const auto bucket = static_cast<std::uint16_t>(bucket_of(key, bits));
  return std::binary_search(differing.buckets.begin(), differing.buckets.end(), bucket);
}

}  // namespace

// -- receiver -------------------------------------------------------------------------------------

wire::Buckets FlowIn::buckets() const {
  const auto prints_now = sorted_prints(replica.items);
  const unsigned bits = bucket_bits_for(prints_now.size());
  return {static_cast<std::uint8_t>(bits), sums_of(prints_now, bits).sums()};
}

wire::Prints FlowIn::prints(const wire::Differing& of) const {
  const auto all = sorted_prints(replica.items);
  const unsigned bits = bucket_bits_for(all.size());
  wire::Prints message;
  message.last = true;
  for (const Print& print : all) {
    if (among(of, print.key, bits)) message.records.push_back(print);
  }
  require(message.records.size() <= limits::kRepairPrintsPerPacket,
          "suite: a replica too large to be printed at once");
  return message;
}

void FlowIn::on_differing(const wire::Differing& message) {
  if (awaiting) return;
  require(repairing_, "REP-05: Differing outside a repair");
  require(std::is_sorted(message.buckets.begin(), message.buckets.end()),
          "REP-03: differing buckets that do not ascend");
  differing.push_back(message);
  if (auto_repair && !message.buckets.empty()) wire::append(comparing_, flow, prints(message));
}

void FlowIn::on_remove(const wire::Packet& packet) {
  count(packet);
  if (awaiting) return;
  auto message = wire::decode_remove(packet.payload);
  require(message.has_value(), "WIRE-10: a Remove does not decode");
  require(repairing_ && !differing.empty(), "REP-05: a Remove outside a repair's cut");
  require(staged_.empty(), "REP-05: a Remove behind a change");
  for (const Id128& print : message->fingerprints) {
    const bool held = std::any_of(replica.items.begin(), replica.items.end(), [&](const auto& e) {
      return fingerprint(e.first) == print;
    });
    require(held, "REP-05: a Remove of a key that was not printed");
    require(removes_.empty() || removes_.back() < print, "REP-05: Removes that do not ascend");
    removes_.push_back(print);
  }
}

void FlowIn::apply_removes() {
  const bool complete = intents.back().complete;
  const std::set<Id128> gone(removes_.begin(), removes_.end());
  std::set<ResourceKey> still;
  std::erase_if(replica.items, [&](const auto& entry) {
    if (!gone.contains(fingerprint(entry.first))) return false;
    if (!complete) still.insert(entry.first);
    return complete;
  });
  replica.unconfirmed = std::move(still);
}

SharedBytes FlowIn::base_of(const wire::Patch& patch) const {
  for (auto item = staged_.rbegin(); item != staged_.rend(); ++item) {
    if (item->change.key == patch.key && item->change.hash == patch.base) {
      return item->change.payload;
    }
  }
  const auto held = replica.items.find(patch.key);
  const bool there = held != replica.items.end() && held->second.change.hash == patch.base;
  return there ? held->second.change.payload : SharedBytes();
}

void FlowIn::on_patch(const wire::Packet& packet) {
  count(packet);
  if (awaiting) return;
  require(mode == Mode::delta, "ZIP-13: a Patch in v1");
  require(!full_, "ZIP-13: a Patch in a full cut or a repair");
  require(!series_, "FLOW-07: a Patch inside a series of Parts");
  auto patch = wire::decode_patch(packet.payload);
  require(patch.has_value(), "WIRE-10: a Patch does not decode");
  require(packet.payload.size() <= limits::kPartBytes, "ZIP-12: a Patch over kPartBytes");
  const SharedBytes base = base_of(*patch);
  require(!base.empty(), "ZIP-13: the base of a Patch was not offered");
  auto bytes = wire::apply_patch(base.view(), patch->frame, patch->size);
  require(bytes.has_value(), "ZIP-15: a Patch cannot be applied");
  auto change = wire::decode_change(SharedBytes(std::move(*bytes)));
  require(change.has_value() && change->kind == ChangeKind::upsert && change->key == patch->key &&
              change->hash == patch->hash,
          "ZIP-15: a Patch gives something else than it says");
  ++patches;
  stage({packet.header.revision, std::move(*change)});
}

// -- sender ---------------------------------------------------------------------------------------

std::string FlowOut::patch_packet(const Change& base, const LogItem& item) const {
  const ByteView target = item.change.payload.view();
  auto frame = wire::make_patch(base.payload.view(), target);
  require(frame.has_value(), "suite: no patch can be made");
  const wire::Patch patch{item.change.key, base.hash, item.change.hash, target.size(),
                          std::move(*frame)};
  wire::PacketHeader header;
  header.kind = wire::PacketKind::patch;
  header.flow = flow;
  header.revision = item.revision;
  std::string out;
  wire::append_packet(out, header, wire::encode_patch(patch));
  return out;
}

std::string FlowOut::repair_packet(std::string why) {
  answered = true;
  owes_answer = false;
  next_from.reset();
  acked.reset();
  wire::Intent message = intent(std::nullopt, std::move(why));
  message.reason = wire::IntentReason::repair;
  std::string out;
  wire::append(out, flow, message);
  return out;
}

wire::Differing FlowOut::differing() const {
  require(!buckets.empty(), "suite: no Buckets were heard");
  const wire::Buckets& theirs = buckets.back();
  const BucketSums ours = sums_of(sorted_prints(log.present), theirs.bits);
  require(theirs.sums.size() == ours.sums().size(), "REP-03: not 2^bits sums");
  wire::Differing message;
  for (std::size_t at = 0; at < theirs.sums.size(); ++at) {
    if (theirs.sums[at] != ours.sums()[at]) {
      message.buckets.push_back(static_cast<std::uint16_t>(at));
    }
  }
  return message;
}

std::vector<std::string> FlowOut::repair_cut(const wire::Differing& differing) {
  std::map<Id128, Hash128> printed;
  Id128 last;
  for (const wire::Prints& message : prints) {
    for (const Print& print : message.records) {
      require(last < print.key, "REP-04: Prints that do not ascend");
      require(among(differing, print.key, buckets.back().bits),
              "REP-04: a print of a bucket that is equal");
      printed[print.key] = print.hash;
      last = print.key;
    }
  }
  wire::Remove removes;
  for (const auto& [key, hash] : printed) {
    const bool there = std::any_of(log.present.begin(), log.present.end(),
                                   [&](const auto& e) { return fingerprint(e.first) == key; });
    if (!there) removes.fingerprints.push_back(key);
  }
  std::vector<LogItem> items;
  for (const auto& [key, item] : log.present) {
    const Id128 print = fingerprint(key);
    if (!among(differing, print, buckets.back().bits)) continue;
    const auto found = printed.find(print);
    if (found == printed.end() || found->second != item.change.hash) items.push_back(item);
  }
  std::sort(items.begin(), items.end(),
            [](const LogItem& a, const LogItem& b) { return a.revision < b.revision; });
  std::vector<std::string> packets;
  if (!removes.fingerprints.empty()) wire::append(packets.emplace_back(), flow, removes);
  for (const LogItem& item : items) {
    for (std::string& packet : item_packets(item)) packets.push_back(std::move(packet));
  }
  packets.push_back(
      mark_packet(std::nullopt, log.head, items.size() + removes.fingerprints.size()));
  return packets;
}

}  // namespace zonesync::conform
