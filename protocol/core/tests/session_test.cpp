#include <gtest/gtest.h>

#include <functional>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::SessionPair;
using testing::timeout;
using wire::FlowId;

/// A connected pair at rest, and a way to speak as the hub to the zone.
class ZoneFacesBadHub : public ::testing::Test {
 protected:
  void SetUp() override {
    pair.hub.write({timeout("a"), timeout("b")});
    pair.connect();
    pair.pump();
    cursor = *pair.zone.sink.durable_cursor;
  }
  void say(const std::string& message) { pair.zone.session->on_message(message, pair.now); }
  std::uint16_t close_code() {
    while (pair.zone.session->next_message(pair.now)) {
    }
    const auto close = pair.zone.session->wants_close();
    return close ? close->code : 0;
  }
  SessionPair pair;
  Cursor cursor;
};

wire::Mark mark_after(const Cursor& from, std::uint64_t by) {
  wire::Mark mark;
  mark.from = from;
  mark.to = from;
  mark.to.revision.value += by;
  return mark;
}

TEST_F(ZoneFacesBadHub, MarkFromElsewhere) {
  Cursor other = cursor;
  other.revision.value += 5;
  std::string out;
  wire::append(out, FlowId::down, mark_after(other, 1));
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
  EXPECT_EQ(pair.zone.sink.durable_cursor, cursor);
}

TEST_F(ZoneFacesBadHub, MarkGoesBack) {
  wire::Mark mark = mark_after(cursor, 0);
  mark.to.revision.value = 0;
  std::string out;
  wire::append(out, FlowId::down, mark);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, MarkCountsAChangeThatNeverCame) {
  wire::Mark mark = mark_after(cursor, 1);
  mark.changes = 1;
  std::string out;
  wire::append(out, FlowId::down, mark);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, ChangeAtOrBeforeTheCursor) {
  const Resource resource = timeout("old");
  const auto cls = class_of(*pair.registry, resource).value();
  std::string out;
  wire::append_change(out, FlowId::down, cursor.revision, wire::make_upsert(cls, resource));
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, ChangesOutOfLogOrder) {
  const Resource resource = timeout("old");
  const auto cls = class_of(*pair.registry, resource).value();
  std::string out;
  wire::append_change(out, FlowId::down, Revision{9}, wire::make_upsert(cls, resource));
  wire::append_change(out, FlowId::down, Revision{8}, wire::make_upsert(cls, resource));
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, AFullWithoutDigest) {
  wire::Intent intent = pair.zone.sink.intents.back();
  intent.reason = wire::IntentReason::full;
  intent.from.reset();
  wire::Mark mark;
  mark.to = cursor;
  std::string out;
  wire::append(out, FlowId::down, intent);
  wire::append(out, FlowId::down, mark);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
  EXPECT_EQ(pair.zone.sink.items.size(), 2u) << "nothing was wiped";
}

TEST_F(ZoneFacesBadHub, AFullWithAWrongDigestWipesNothing) {
  wire::Intent intent = pair.zone.sink.intents.back();
  intent.reason = wire::IntentReason::full;
  intent.from.reset();
  wire::Mark mark;
  mark.to = cursor;
  mark.digest = Digest{1, 2, 3};
  std::string out;
  wire::append(out, FlowId::down, intent);
  wire::append(out, FlowId::down, mark);
  say(out);
  EXPECT_EQ(close_code(), 0);
  EXPECT_EQ(pair.zone.sink.items.size(), 2u);
  EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 1u);
}

TEST_F(ZoneFacesBadHub, IntentFromACursorThatWasNotWanted) {
  wire::Intent intent = pair.zone.sink.intents.back();
  intent.reason = wire::IntentReason::changes;
  intent.from = cursor;
  intent.from->revision.value += 1;
  std::string out;
  wire::append(out, FlowId::down, intent);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, RepairWasNotNegotiated) {
  wire::Intent intent = pair.zone.sink.intents.back();
  intent.reason = wire::IntentReason::repair;
  intent.from = cursor;
  std::string out;
  wire::append(out, FlowId::down, intent);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, PartsThatDoNotContinue) {
  wire::Part part;
  part.index = 1;
  part.count = 3;
  part.total_bytes = 30;
  part.bytes = std::string(10, 'x');
  std::string out;
  wire::append(out, FlowId::down, Revision{9}, part);
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, PartsOfAGiantAreRefused) {
  wire::Part part;
  part.index = 0;
  part.count = 1000;
  part.total_bytes = 100u << 20;
  part.bytes = std::string(10, 'x');
  std::string out;
  wire::append(out, FlowId::down, Revision{9}, part);
  say(out);
  EXPECT_NE(close_code(), 0);
}

TEST_F(ZoneFacesBadHub, DataOnTheZonesOwnFlow) {
  std::string out;
  wire::append(out, FlowId::up, mark_after(cursor, 1));
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, ASecondWelcome) {
  std::string out;
  wire::append(out, wire::Welcome{});
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, ASyncedThatNobodyAskedFor) {
  std::string out;
  wire::append(out, wire::Synced{1, Revision{1}});
  say(out);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST_F(ZoneFacesBadHub, Garbage) {
  say(std::string(64, '\xff'));
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

TEST(Session, AHubRefusesAnythingBeforeHello) {
  SessionPair pair;
  pair.connect();
  std::string out;
  wire::append(out, wire::Sync{1});
  pair.hub.session->on_message(out, pair.now);
  const auto goodbye = pair.hub.session->next_message(pair.now);
  ASSERT_TRUE(goodbye.has_value());
  ASSERT_TRUE(pair.hub.session->wants_close().has_value());
  EXPECT_EQ(pair.hub.session->wants_close()->code, close_code::kMalformed);
}

TEST(Session, AHubAcceptsOnlySmallMessagesBeforeHello) {
  SessionPair pair;
  pair.connect();
  EXPECT_EQ(pair.hub.session->message_max_bytes(), limits::kMessageBeforeHelloMaxBytes);
  pair.pump();
  EXPECT_EQ(pair.hub.session->message_max_bytes(), limits::kMessageMaxBytes);
}

TEST(Session, ASecondHelloIsRefused) {
  SessionPair pair;
  pair.connect();
  std::string copy;
  pair.tap = [&](SessionRole from, std::string& message) {
    if (from == SessionRole::zone && copy.empty()) copy = message;
    return true;
  };
  pair.pump();
  pair.hub.session->on_message(copy, pair.now);
  pair.pump();
  ASSERT_TRUE(pair.hub.closed.has_value());
  EXPECT_EQ(pair.hub.closed->code, close_code::kMalformed);
}

TEST(Session, NoWelcomeInTimeClosesBothSides) {
  SessionPair pair;
  pair.hub.admit_hello = false;
  pair.connect();
  pair.pump();
  EXPECT_FALSE(pair.zone.closed.has_value());
  pair.advance(limits::kHandshakeTimeout);
  ASSERT_TRUE(pair.zone.closed.has_value());
  EXPECT_EQ(pair.zone.closed->code, close_code::kSilence);
}

TEST(Session, SilenceClosesAfter45Seconds) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.now += std::chrono::seconds(44);
  pair.zone.session->on_tick(pair.now);
  EXPECT_FALSE(pair.zone.session->wants_close().has_value());
  pair.now += std::chrono::seconds(1);
  pair.zone.session->on_tick(pair.now);
  while (pair.zone.session->next_message(pair.now)) {
  }
  ASSERT_TRUE(pair.zone.session->wants_close().has_value());
  EXPECT_EQ(pair.zone.session->wants_close()->code, close_code::kSilence);
}

TEST(Session, AnIdleConversationStaysAliveForAnHour) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  for (int i = 0; i < 360; ++i) pair.advance(std::chrono::seconds(10));
  EXPECT_FALSE(pair.zone.closed.has_value());
  EXPECT_FALSE(pair.hub.closed.has_value());
  EXPECT_TRUE(pair.converged());
}

TEST(Session, AGoodbyeComesBeforeTheClose) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.hub.session->close(close_code::kRestart, "restarting", std::chrono::seconds(7));
  pair.pump();
  ASSERT_EQ(pair.zone.goodbyes.size(), 1u);
  EXPECT_EQ(pair.zone.goodbyes[0].retry_after_ms, 7000u);
  ASSERT_TRUE(pair.zone.closed.has_value());
  EXPECT_EQ(pair.zone.closed->code, close_code::kRestart);
}

TEST(Session, ALongReasonIsCutBetweenCharacters) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  std::string reason(122, 'x');
  reason += "\u00fcmlaut";
  pair.hub.session->close(close_code::kRestart, reason);
  pair.pump();
  ASSERT_TRUE(pair.zone.closed.has_value());
  EXPECT_EQ(pair.zone.closed->reason, std::string(122, 'x'));
}

TEST(Session, AnAckOfMoreThanWasSentIsRefused) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  wire::Ack ack;
  ack.received_bytes = 1u << 30;
  std::string out;
  wire::append(out, FlowId::down, ack);
  pair.hub.session->on_message(out, pair.now);
  pair.pump();
  ASSERT_TRUE(pair.hub.closed.has_value());
  EXPECT_EQ(pair.hub.closed->code, close_code::kMalformed);
}

TEST(Session, AnAckedCursorBeyondTheLogIsRefused) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  wire::Ack ack;
  ack.received_bytes = pair.zone.session->receiver()->counters().data_bytes;
  ack.window_bytes = 1u << 20;
  ack.cursor = pair.zone.sink.durable_cursor;
  ack.cursor->revision = Revision{77};
  std::string out;
  wire::append(out, FlowId::down, ack);
  pair.hub.session->on_message(out, pair.now);
  pair.pump();
  ASSERT_TRUE(pair.hub.closed.has_value());
  EXPECT_EQ(pair.hub.closed->code, close_code::kMalformed);
}

/// An Ack of the zone with a changed cursor; the close code it leads to.
std::uint16_t close_after_ack(const std::function<void(Cursor&)>& change) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  wire::Ack ack;
  ack.received_bytes = pair.zone.session->receiver()->counters().data_bytes;
  ack.window_bytes = 1u << 20;
  ack.cursor = pair.zone.sink.durable_cursor;
  change(*ack.cursor);
  std::string out;
  wire::append(out, FlowId::down, ack);
  pair.hub.session->on_message(out, pair.now);
  pair.pump();
  return pair.hub.closed ? pair.hub.closed->code : 0;
}

TEST(Session, AnAckedCursorOfAForeignViewOrEraIsRefused) {
  EXPECT_EQ(close_after_ack([](Cursor&) {}), 0);
  EXPECT_EQ(close_after_ack([](Cursor& cursor) {
              cursor.view.id.bytes[2] ^= 1;
              cursor.revision.value = 1ull << 63;
            }),
            close_code::kMalformed);
  EXPECT_EQ(close_after_ack([](Cursor& cursor) { cursor.era.id.bytes[2] ^= 1; }),
            close_code::kMalformed);
}

TEST(Session, PartsBeyondTheWindowAreRefused) {
  SessionPair pair;
  pair.zone.window_bytes = 64u << 10;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  wire::Part part;
  part.count = 40;
  part.total_bytes = 40 * limits::kPartBytes;
  part.bytes = std::string(limits::kPartBytes, 'x');
  for (; part.index < 40 && !pair.zone.session->wants_close(); ++part.index) {
    std::string out;
    wire::append(out, FlowId::down, Revision{9}, part);
    pair.zone.session->on_message(out, pair.now);
    if (part.index >= 8) break;
  }
  while (pair.zone.session->next_message(pair.now)) {
  }
  ASSERT_TRUE(pair.zone.session->wants_close().has_value()) << "1.5 MiB on a window of 64 KiB";
  EXPECT_EQ(pair.zone.session->wants_close()->code, close_code::kCreditViolated);
}

TEST(Session, AnEmptyMessageIsNoSignOfLife) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  for (int i = 0; i < 9; ++i) {
    pair.now += std::chrono::seconds(5);
    pair.zone.session->on_message("", pair.now);
  }
  pair.zone.session->on_tick(pair.now);
  while (pair.zone.session->next_message(pair.now)) {
  }
  ASSERT_TRUE(pair.zone.session->wants_close().has_value());
  EXPECT_EQ(pair.zone.session->wants_close()->code, close_code::kSilence);
}

TEST(Session, TooManySyncsAreRefusedLocally) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  for (std::size_t i = 0; i < limits::kSyncOutstandingMax; ++i) {
    EXPECT_TRUE(pair.zone.session->sync(i).has_value());
  }
  EXPECT_EQ(pair.zone.session->sync(99).error().code, ErrorCode::resource_exhausted);
  pair.pump();
  EXPECT_EQ(pair.zone.synced.size(), limits::kSyncOutstandingMax);
}

}  // namespace
}  // namespace zonesync
