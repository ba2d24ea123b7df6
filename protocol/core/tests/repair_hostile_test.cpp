// Broken or hostile peers in a repair: every one ends with 4400 or 1009, and nothing is wiped.
#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::SessionPair;
using testing::timeout;
using wire::FlowId;

Id128 id_of(std::uint8_t first) {
  Id128 id;
  id.bytes[0] = first;
  return id;
}

class HostileRepair : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 40; ++i) all_.push_back(timeout("r" + std::to_string(i)));
    pair.hub.write(all_);
    pair.connect();
    pair.pump();
    pair.cut();
    pair.zone.sink.durable_cursor->era.id.bytes[0] ^= 1;
    pair.zone.sink.items.erase(all_[0].key);
    items_ = pair.zone.sink.items.size();
    pair.connect();
  }
  /// Moves messages until a packet of `kind` is about to be delivered; that message is dropped.
  void until(wire::PacketKind kind) {
    bool found = false;
    pair.tap = [&](SessionRole, std::string& message) {
      wire::PacketReader reader(message, wire::kAllFeatures);
      while (auto packet = reader.next()) {
        if (!packet->has_value()) break;
        found = found || (**packet).header.kind == kind;
      }
      if (found) message.clear();
      return true;
    };
    while (!found) ASSERT_GT(pair.pump(1), 0u);
    pair.tap = nullptr;
  }
  template <class Message>
  void to_hub(const Message& message, FlowId flow = FlowId::down) {
    std::string out;
    wire::append(out, flow, message);
    pair.hub.session->on_message(out, pair.now);
  }
  template <class Message>
  void to_zone(const Message& message, FlowId flow = FlowId::down) {
    std::string out;
    wire::append(out, flow, message);
    pair.zone.session->on_message(out, pair.now);
  }
  int hub_code() { return code_of(*pair.hub.session); }
  int zone_code() {
    EXPECT_EQ(pair.zone.sink.items.size(), items_) << "nothing was wiped";
    return code_of(*pair.zone.session);
  }
  static int code_of(Session& session) {
    while (session.next_message(TimePoint{} + std::chrono::hours(2))) {}
    return session.wants_close() ? session.wants_close()->code : 0;
  }
  wire::Buckets zeros(unsigned bits) {
    return {static_cast<std::uint8_t>(bits), std::vector<std::uint64_t>(std::size_t{1} << bits)};
  }

  SessionPair pair;
  std::vector<Resource> all_;
  std::size_t items_ = 0;
};

// REP-02
TEST_F(HostileRepair, BucketsTwice) {
  until(wire::PacketKind::buckets);
  to_hub(zeros(2));
  EXPECT_EQ(hub_code(), 0);
  to_hub(zeros(2));
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-02
TEST_F(HostileRepair, BucketsWithoutARepair) {
  pair.pump();
  to_hub(zeros(2));
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-04
TEST_F(HostileRepair, PrintsBeforeBuckets) {
  until(wire::PacketKind::buckets);
  to_hub(wire::Prints{{}, true});
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-04
TEST_F(HostileRepair, PrintsGoBackwards) {
  until(wire::PacketKind::buckets);
  to_hub(zeros(0));
  to_hub(wire::Prints{{{id_of(9), {}}}, false});
  EXPECT_EQ(hub_code(), 0);
  to_hub(wire::Prints{{{id_of(8), {}}}, true});
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-04
TEST_F(HostileRepair, PrintsAfterTheLast) {
  until(wire::PacketKind::buckets);
  to_hub(zeros(0));
  to_hub(wire::Prints{{}, true});
  to_hub(wire::Prints{{{id_of(8), {}}}, true});
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-04: memory of the sender is bounded by the number of prints.
TEST_F(HostileRepair, PrintsWithoutEnd) {
  until(wire::PacketKind::buckets);
  to_hub(zeros(0));
  std::uint64_t next = 0;
  for (int i = 0; i < 300 && hub_code() == 0; ++i) {
    wire::Prints prints;
    for (std::size_t n = 0; n < limits::kRepairPrintsPerPacket; ++n) {
      Id128 id;
      const std::uint64_t value = ++next;
      for (int b = 0; b < 8; ++b) id.bytes[b] = static_cast<std::uint8_t>(value >> (56 - 8 * b));
      prints.records.push_back({id, {}});
    }
    to_hub(prints);
  }
  EXPECT_EQ(hub_code(), close_code::kTooBig);
  EXPECT_LE(next, limits::kRepairPrintsMax + limits::kRepairPrintsPerPacket);
}

// REP-01
TEST_F(HostileRepair, FeedbackFromTheWrongSide) {
  until(wire::PacketKind::buckets);
  to_hub(zeros(2), FlowId::up);
  EXPECT_EQ(hub_code(), close_code::kMalformed);
}

// REP-03
TEST_F(HostileRepair, DifferingNamesABucketThatWasNotSent) {
  until(wire::PacketKind::differing);
  to_zone(wire::Differing{{1'000}});
  EXPECT_EQ(zone_code(), close_code::kMalformed);
}

// REP-05
TEST_F(HostileRepair, DataBeforeTheComparison) {
  until(wire::PacketKind::differing);
  wire::Mark mark;
  mark.to = *pair.zone.sink.durable_cursor;
  mark.digest = Digest{};
  to_zone(mark);
  EXPECT_EQ(zone_code(), close_code::kMalformed);
}

// REP-05
TEST_F(HostileRepair, RemoveOfAKeyThatWasNotPrinted) {
  until(wire::PacketKind::differing);
  to_zone(wire::Differing{{}});
  to_zone(wire::Remove{{fingerprint(all_[5].key)}});
  EXPECT_EQ(zone_code(), close_code::kMalformed) << "its bucket is equal";
}

// REP-05
TEST_F(HostileRepair, RemoveWithoutARepair) {
  pair.pump();
  items_ = pair.zone.sink.items.size();
  to_zone(wire::Remove{{fingerprint(all_[5].key)}});
  EXPECT_EQ(zone_code(), close_code::kMalformed);
}

// REP-06: removing everything under a wrong digest changes nothing.
TEST_F(HostileRepair, RemovesWithAWrongDigestWipeNothing) {
  until(wire::PacketKind::differing);
  wire::Differing differing;
  for (std::uint16_t i = 0; i < (1u << bucket_bits_for(items_)); ++i) {
    differing.buckets.push_back(i);
  }
  to_zone(differing);
  while (auto message = pair.zone.session->next_message(pair.now)) {}  // the prints
  std::vector<Id128> keys;
  for (const auto& [key, item] : pair.zone.sink.items) keys.push_back(fingerprint(key));
  std::sort(keys.begin(), keys.end());
  to_zone(wire::Remove{keys});
  wire::Mark mark;
  mark.to = *pair.zone.sink.durable_cursor;
  mark.to.view = pair.zone.sink.intents.back().view;
  mark.changes = keys.size();
  mark.digest = Digest{1, 2, 3};
  to_zone(mark);
  EXPECT_EQ(zone_code(), 0);
  EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 1u);
}

}  // namespace
}  // namespace zonesync
