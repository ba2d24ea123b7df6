// v1: complete lists instead of single changes. docs/protocol.md V1-*.
#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::MapSink;
using testing::SessionPair;
using testing::timeout;
using wire::IntentReason;

/// What crossed the pipe, packet by packet.
struct Seen {
  std::vector<wire::List> lists;
  std::size_t changes = 0, parts = 0, leaves = 0;
};

class Lists : public ::testing::Test {
 protected:
  Lists() { use(SyncMode::v1); }

  void use(SyncMode mode) { pair.hub.mode = pair.zone.mode = mode; }
  /// Notes what the hub sends from now on.
  void watch() {
    seen = {};
    pair.tap = [this](SessionRole from, std::string& message) {
      wire::PacketReader reader(message, wire::kAllFeatures);
      while (from == SessionRole::hub) {
        const auto packet = reader.next().value();
        if (!packet) break;
        note(*packet);
      }
      return true;
    };
  }
  void note(const wire::Packet& packet) {
    using wire::PacketKind;
    if (packet.header.flow != wire::FlowId::down) return;
    if (packet.header.kind == PacketKind::list) {
      seen.lists.push_back(wire::decode_list(packet.payload).value());
    } else if (packet.header.kind == PacketKind::part) {
      ++seen.parts;
    } else if (packet.header.kind == PacketKind::change) {
      ++seen.changes;
      const auto change = wire::decode_change(SharedBytes(std::string(packet.payload)));
      if (change.value().kind == ChangeKind::leave) ++seen.leaves;
    }
  }
  void write_timeouts(int count, const std::string& text = "1s") {
    std::vector<Resource> all;
    for (int i = 0; i < count; ++i) all.push_back(timeout("t" + std::to_string(i), text));
    pair.hub.write(all);
  }
  static Resource retry(const std::string& name) {
    Resource resource = timeout(name);
    resource.key.type = "MeshRetry";
    return resource;
  }
  static Digest digest_of(const std::vector<Resource>& resources) {
    Digest digest;
    const TypeRegistry types = TypeRegistry::with_default_types();
    for (const Resource& each : resources) {
      const Change change = wire::make_upsert(class_of(types, each).value(), each);
      digest.add(fingerprint(change.key), change.hash);
    }
    return digest;
  }

  SessionPair pair;
  Seen seen;
};

// V1-02: all types once, then only those that changed, always whole and never with a leave.
TEST_F(Lists, ACutHoldsTheWholeListOfEveryTypeThatChangedAndOfNoOther) {
  write_timeouts(20);
  pair.hub.write({retry("r0"), retry("r1")});
  watch();
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(seen.lists.size(), 2u);
  EXPECT_EQ(seen.changes, 22u);
  watch();
  pair.hub.write({timeout("t3", "9s")}, {timeout("t4").key});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  ASSERT_EQ(seen.lists.size(), 1u);
  EXPECT_EQ(seen.lists[0].type, "MeshTimeout");
  EXPECT_EQ(seen.lists[0].digest.count, 19u);
  EXPECT_EQ(seen.lists[0].version, pair.hub.source.head());
  EXPECT_EQ(seen.changes, 19u);
  EXPECT_EQ(seen.leaves, 0u);
}

// V1-03: nonces count the lists of a session.
TEST_F(Lists, VersionsAreRevisionsAndNoncesCount) {
  pair.connect();
  pair.pump();
  watch();
  for (int i = 0; i < 3; ++i) {
    pair.hub.write({timeout("a", std::to_string(i))});
    pair.pump();
  }
  ASSERT_EQ(seen.lists.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(seen.lists[i].nonce, i + 1);
    EXPECT_EQ(seen.lists[i].version.value, i + 1);
  }
}

TEST_F(Lists, TheLastResourceOfATypeLeavesWithAnEmptyList) {
  pair.hub.write({timeout("a"), retry("b")});
  pair.connect();
  pair.pump();
  watch();
  pair.hub.write({}, {timeout("a").key});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  ASSERT_EQ(seen.lists.size(), 1u);
  EXPECT_EQ(seen.lists[0].digest, Digest{});
  EXPECT_EQ(pair.zone.sink.items.size(), 1u);
}

// V1-06: while a cut is on its way, however many changes are one list.
TEST_F(Lists, WhatChangesBeforeTheAckIsOneListOfTheNewestState) {
  pair.connect();
  pair.pump();
  pair.zone.sink.deferred = true;
  watch();
  pair.hub.write({timeout("a", "0")});
  pair.pump();
  ASSERT_EQ(seen.lists.size(), 1u);
  for (int i = 1; i < 50; ++i) {
    pair.hub.write({timeout("a", std::to_string(i))});
    pair.pump();
  }
  EXPECT_EQ(seen.lists.size(), 1u);
  pair.zone.sink.deferred = false;
  pair.zone.sink.complete_one();
  pair.pump();
  EXPECT_EQ(seen.lists.size(), 2u);
  EXPECT_EQ(seen.changes, 2u);
  EXPECT_TRUE(pair.converged());
}

// V1-07: the cursor holds in the other mode; nothing is sent that was there.
TEST_F(Lists, SwitchingModesResumesByCursor) {
  write_timeouts(30);
  pair.zone.write({dataplane("d")});
  for (const SyncMode mode : {SyncMode::delta, SyncMode::v1, SyncMode::delta, SyncMode::v1}) {
    use(mode);
    pair.connect();
    pair.pump();
    ASSERT_TRUE(pair.converged());
    if (pair.zone.sink.intents.size() > 1) {
      EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::changes);
    }
    pair.cut();
    pair.hub.write({timeout("t1", std::string(to_string(mode)) + "s")}, {});
    pair.zone.write({dataplane("d", std::to_string(pair.zone.source.head().value))});
  }
  use(SyncMode::v1);
  pair.connect();
  pair.pump();
  pair.cut();
  const auto before = pair.bytes_on_wire();
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::none);
  EXPECT_LE(pair.bytes_on_wire() - before, 2'048u);
}

TEST_F(Lists, LargeResourcesTravelInParts) {
  pair.hub.write({timeout("big", std::string(700'000, 'x')), timeout("small")});
  watch();
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(seen.parts, 4u);
  EXPECT_EQ(seen.changes, 1u);
}

// FLOW-22 in v1: two full windows do not block each other.
TEST_F(Lists, ListsLargerThanTheWindowCompleteInBothDirections) {
  pair.hub.window_bytes = pair.zone.window_bytes = 16u << 10;
  const std::string text(2'000, 'x');
  for (int round = 0; round < 3; ++round) {
    std::vector<Resource> down, up;
    for (int i = 0; i < 200; ++i) {
      down.push_back(timeout("t" + std::to_string(i), text + std::to_string(round)));
      up.push_back(dataplane("d" + std::to_string(i), text + std::to_string(round)));
    }
    pair.hub.write(down);
    pair.zone.write(up);
    if (round == 0) pair.connect();
    pair.pump();
    EXPECT_TRUE(pair.converged());
  }
}

// V1-05: the log forgets what the open list needs; a newer one replaces it, nothing is removed that
// is there, and larger reads make sure that it ends.
TEST_F(Lists, AListThatTheLogForgetsIsReplacedByANewerOne) {
  write_timeouts(400, std::string(3'000, 'x'));
  pair.hub.write({retry("r")});
  pair.zone.window_bytes = 64u << 10;
  watch();
  pair.connect();
  for (int i = 0; i < 40; ++i) {
    pair.pump(2);
    pair.hub.write({timeout("t" + std::to_string(i * 7), std::string(3'000, 'y'))},
                   i % 3 == 0 ? std::vector{timeout("t" + std::to_string(399 - i)).key}
                              : std::vector<ResourceKey>{});
    pair.hub.log.trim(pair.hub.source.head());
    pair.hub.source.refresh();
  }
  pair.pump();
  EXPECT_FALSE(pair.zone.closed) << pair.zone.closed->reason;
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 387u);
  std::size_t newest = 0;
  for (const auto& list : seen.lists) newest += list.type == "MeshTimeout" ? 1 : 0;
  EXPECT_GE(newest, 2u) << "the test means to outrun a list";
}

// V1-08: what Kuma's insights show of a subscription.
TEST_F(Lists, AckAndNackPerTypeAreKnownWithVersionAndNonce) {
  pair.connect();
  pair.pump();
  Verdict refused;
  refused.key = timeout("a").key;
  refused.revision = Revision{1};
  refused.reject = Reject{"invalid", "/spec", "the test says so", false};
  pair.zone.sink.next_verdicts = {refused};
  pair.hub.write({timeout("a")});
  pair.pump();
  const auto& types = pair.hub.session->sender()->list_status().types();
  ListState state = types.at("MeshTimeout");
  EXPECT_EQ(state.nonce, 1u);
  EXPECT_EQ(state.acked_nonce, 1u);
  EXPECT_EQ(state.acked_version, Revision{1});
  EXPECT_EQ(state.nacked_nonce, 1u);
  EXPECT_EQ(state.nack_text, "the test says so");
  pair.hub.write({timeout("a", "2s")});
  pair.pump();
  state = types.at("MeshTimeout");
  EXPECT_EQ(state.acked_nonce, 2u);
  EXPECT_EQ(state.nacked_nonce, 1u);
  EXPECT_EQ(state.lists_sent, 2u);
  EXPECT_EQ(state.lists_nacked, 1u);
}

// -- what a broken sender gets --------------------------------------------------------------------

/// A receiver in v1 that is fed packet by packet.
class BrokenLists : public Lists {
 protected:
  BrokenLists() {
    wire::Intent intent;
    intent.reason = IntentReason::full;
    intent.complete = true;
    intent.view = view;
    intent.head = Revision{5};
    EXPECT_TRUE(receiver.on_intent(intent));
  }
  Status list(const std::string& type, const Digest& digest, std::uint64_t version = 5) {
    return receiver.on_list(wire::List{type, digest, Revision{version}, ++nonce});
  }
  Status change(const Resource& resource, std::uint64_t revision = 5) {
    const TypeRegistry types = TypeRegistry::with_default_types();
    return send(wire::make_upsert(class_of(types, resource).value(), resource), revision);
  }
  Status send(const Change& change, std::uint64_t revision = 5) {
    return receiver.on_change(Revision{revision}, change.payload.view(), 100, TimePoint{});
  }
  Status mark(std::uint64_t changes, std::optional<Digest> digest, std::uint64_t to = 5) {
    wire::Mark mark;
    mark.to = Cursor{EraId{}, Revision{to}, view};
    mark.changes = changes;
    mark.digest = digest;
    return receiver.on_mark(mark, TimePoint{});
  }
  static std::string clause(const Status& status) {
    return status ? "accepted" : status.error().field;
  }

  MapSink sink;
  FlowReceiver receiver{{wire::FlowId::down, 1u << 20, SyncMode::v1}, sink};
  ViewId view;
  std::uint64_t nonce = 0;
  const std::vector<Resource> two{timeout("a"), timeout("b")};
};

TEST_F(BrokenLists, AWholeListIsTaken) {
  ASSERT_TRUE(list("MeshTimeout", digest_of(two)));
  ASSERT_TRUE(change(two[0]));
  ASSERT_TRUE(change(two[1]));
  ASSERT_TRUE(mark(2, digest_of(two)));
  EXPECT_EQ(sink.items.size(), 2u);
}

// V1-03: the number is wrong in either direction.
TEST_F(BrokenLists, AListThatIsCutOffIsRefusedByTheNextListAndByTheMark) {
  ASSERT_TRUE(list("MeshTimeout", digest_of(two)));
  ASSERT_TRUE(change(two[0]));
  EXPECT_EQ(clause(list("MeshRetry", Digest{})), "V1-03");
  EXPECT_EQ(clause(mark(1, digest_of(two))), "V1-03");
  EXPECT_TRUE(sink.items.empty());
}

TEST_F(BrokenLists, AListWithOneTooManyIsRefused) {
  ASSERT_TRUE(list("MeshTimeout", digest_of({two[0]})));
  ASSERT_TRUE(change(two[0]));
  EXPECT_EQ(clause(change(two[1])), "V1-03");
}

TEST_F(BrokenLists, AnotherTypeALeaveAndTheFutureDoNotBelongInAList) {
  ASSERT_TRUE(list("MeshTimeout", digest_of(two)));
  EXPECT_EQ(clause(change(retry("r"))), "V1-03");
  const TypeRegistry types = TypeRegistry::with_default_types();
  EXPECT_EQ(clause(send(wire::make_leave(class_of(types, two[0]).value(), two[0].key))), "V1-03");
  EXPECT_EQ(clause(change(two[0], 6)), "V1-03");
}

// V1-01
TEST_F(BrokenLists, AChangeOutsideAListIsRefusedAndSoIsAListInDelta) {
  EXPECT_EQ(clause(change(two[0])), "V1-03");
  FlowReceiver delta({wire::FlowId::down, 1u << 20, SyncMode::delta}, sink);
  EXPECT_EQ(clause(delta.on_list(wire::List{"Mesh", {}, Revision{1}, 1})), "V1-01");
}

// V1-04: wrong content shows nothing and removes nothing; the receiver asks for everything.
TEST_F(BrokenLists, AWrongDigestDropsTheWholeCut) {
  Digest wrong = digest_of(two);
  ++wrong.low;
  ASSERT_TRUE(list("MeshTimeout", wrong));
  ASSERT_TRUE(change(two[0]));
  ASSERT_TRUE(change(two[1]));
  ASSERT_TRUE(list("MeshRetry", Digest{}));
  ASSERT_TRUE(mark(2, digest_of(two)));
  EXPECT_TRUE(sink.items.empty());
  EXPECT_FALSE(sink.durable_cursor);
  EXPECT_EQ(receiver.counters().digest_mismatches, 1u);
  std::string out;
  receiver.produce(out, TimePoint{});
  wire::PacketReader reader(out);
  const auto packet = reader.next().value();
  ASSERT_TRUE(packet && packet->header.kind == wire::PacketKind::want);
  EXPECT_EQ(wire::decode_want(packet->payload).value().why, "digest_mismatch");
}

TEST_F(BrokenLists, AKeyTwiceIsNotWhatTheDigestSays) {
  ASSERT_TRUE(list("MeshTimeout", digest_of(two)));
  ASSERT_TRUE(change(two[0]));
  ASSERT_TRUE(change(two[0]));
  ASSERT_TRUE(mark(2, digest_of(two)));
  EXPECT_EQ(receiver.counters().digest_mismatches, 1u);
  EXPECT_TRUE(sink.items.empty());
}

TEST_F(BrokenLists, AMarkWithoutDigestOrOlderThanItsListsIsRefused) {
  ASSERT_TRUE(list("MeshTimeout", digest_of({two[0]})));
  ASSERT_TRUE(change(two[0]));
  EXPECT_EQ(clause(mark(1, digest_of({two[0]}), 4)), "V1-04");
  EXPECT_EQ(clause(mark(1, std::nullopt)), "V1-04");
}

TEST_F(BrokenLists, AListOfATypeOutsideTheViewIsRefused) {
  sink.refused_list_type = "ZoneToken";
  EXPECT_EQ(clause(list("ZoneToken", Digest{})), "V1-04");
}

// V1-05
TEST_F(BrokenLists, ANewerListReplacesTheOpenOneAndAnOlderDoesNot) {
  ASSERT_TRUE(list("MeshTimeout", digest_of(two), 4));
  ASSERT_TRUE(change(two[0], 3));
  EXPECT_EQ(clause(list("MeshTimeout", digest_of({two[1]}), 4)), "V1-03");
  ASSERT_TRUE(list("MeshTimeout", digest_of({two[1]}), 5));
  ASSERT_TRUE(change(two[1]));
  ASSERT_TRUE(mark(2, digest_of({two[1]})));
  ASSERT_EQ(sink.items.size(), 1u);
  EXPECT_EQ(sink.items.begin()->first.name, "b");
}

}  // namespace
}  // namespace zonesync
