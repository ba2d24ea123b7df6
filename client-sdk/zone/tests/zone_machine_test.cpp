#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

using namespace std::chrono_literals;

Resource mesh(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Mesh", "", "global", name, spec);
}
Resource timeout(const std::string& name, const std::string& spec = "{}") {
  return make_resource("MeshTimeout", "default", "global", name, spec);
}
Resource dataplane(const std::string& name, const std::string& spec = "{}") {
  return make_resource("Dataplane", "default", "", name, spec);
}

TEST_F(ZoneTest, FirstSyncAppliesEverythingInTypeOrder) {
  hub_.write({make_change(timeout("t")), make_change(mesh("default"))});
  start_and_connect();
  ASSERT_GE(port_.cuts.size(), 2u);
  EXPECT_TRUE(port_.cuts.front().initial);
  const AppliedCut& cut = port_.cuts.back();
  ASSERT_EQ(cut.changes.size(), 2u);
  EXPECT_EQ(cut.changes[0].key.type, "Mesh");
  EXPECT_EQ(cut.cursor->revision, Revision{1});
  EXPECT_EQ(machine_->status().state, ZoneState::synced);
  EXPECT_EQ(machine_->status().counters.intents_full, 1u);
}

TEST_F(ZoneTest, ResumeReceivesOnlyWhatWasMissed) {
  for (int i = 0; i < 50; ++i) hub_.write({make_change(mesh("m" + std::to_string(i)))});
  start_and_connect();
  EXPECT_EQ(machine_->status().counters.changes_received, 50u);
  drop();
  EXPECT_EQ(machine_->status().state, ZoneState::disconnected);
  hub_.write({make_change(mesh("late"))});
  restart();
  machine_->start();
  EXPECT_TRUE(machine_->status().from_cache);
  ASSERT_EQ(port_.cuts.size(), 1u);
  EXPECT_EQ(port_.cuts[0].changes.size(), 50u);
  connect();
  EXPECT_EQ(machine_->status().counters.changes_received, 1u);
  EXPECT_EQ(machine_->status().counters.intents_changes, 1u);
  EXPECT_FALSE(machine_->status().from_cache);
}

TEST_F(ZoneTest, NothingMissedIsConfirmedWithoutData) {
  hub_.write({make_change(mesh("default"))});
  start_and_connect();
  drop();
  restart();
  machine_->start();
  connect();
  EXPECT_EQ(machine_->status().counters.changes_received, 0u);
  EXPECT_EQ(machine_->status().counters.intents_none, 1u);
  EXPECT_EQ(machine_->status().state, ZoneState::synced);
}

TEST_F(ZoneTest, ConnectFailuresBackOffWithJitterAndNeverStop) {
  machine_->start();
  EXPECT_EQ(port_.connects, 1);
  Duration previous{};
  for (int i = 0; i < 12; ++i) {
    machine_->on_connect_failed({Error{ErrorCode::unavailable, "refused", {}}, 0, {}});
    ASSERT_TRUE(port_.deadline_);
    const Duration delay = *port_.deadline_ - port_.now_;
    EXPECT_GE(delay, previous);
    EXPECT_LE(delay, limits::kBackoffMax);
    previous = delay;
    port_.now_ = *port_.deadline_;
    machine_->on_tick(port_.now_);
    EXPECT_EQ(port_.connects, i + 2);
  }
  EXPECT_EQ(previous, Duration(limits::kBackoffMax) / 2);
}

TEST_F(ZoneTest, RetryAfterIsHonoured) {
  machine_->start();
  machine_->on_connect_failed({Error{ErrorCode::unavailable, "overload", {}}, 503, 30s});
  EXPECT_GE(*port_.deadline_ - port_.now_, 30s);
  EXPECT_LE(*port_.deadline_ - port_.now_, 34s);
}

TEST_F(ZoneTest, RefusedCredentialIsSlowAndNeverFinal) {
  machine_->start();
  for (int i = 0; i < 5; ++i) {
    machine_->on_connect_failed({Error{ErrorCode::unauthenticated, "bad token", {}}, 401, {}});
    EXPECT_EQ(machine_->status().state, ZoneState::auth_failed);
    EXPECT_GE(*port_.deadline_ - port_.now_, 200s);
    port_.now_ = *port_.deadline_;
    machine_->on_tick(port_.now_);
  }
  EXPECT_EQ(machine_->status().last_error->http_status, 401u);
  connect();
  EXPECT_NE(machine_->status().state, ZoneState::auth_failed);
}

TEST_F(ZoneTest, GoodbyeNamesCodeReasonAndTime) {
  hub_.refuse_code = close_code::kTryLater;
  hub_.retry_after = 60s;
  start_and_connect();
  EXPECT_EQ(machine_->status().last_error->close_code, close_code::kTryLater);
  EXPECT_EQ(machine_->status().last_error->message, "refused by the test");
  EXPECT_GE(*port_.deadline_ - port_.now_, 59s);
}

TEST_F(ZoneTest, SupersededIsFinal) {
  hub_.refuse_code = close_code::kSuperseded;
  start_and_connect();
  EXPECT_EQ(machine_->status().state, ZoneState::superseded);
  machine_->on_tick(port_.now_ + std::chrono::hours(24));
  machine_->reconnect_now();
  EXPECT_EQ(port_.connects, 1);
}

TEST_F(ZoneTest, PublishTravelsUpAndBarrierSeesIt) {
  start_and_connect();
  std::optional<Result<Revision>> barrier;
  Result<OutboxResult> published = fail(ErrorCode::internal, "not called");
  machine_->publish({{{}, dataplane("a")}}, [&](auto result) { published = std::move(result); });
  machine_->barrier(port_.now_ + 60s, [&](auto result) { barrier = std::move(result); });
  ASSERT_TRUE(published.has_value());
  EXPECT_FALSE(barrier.has_value());
  pump();
  ASSERT_TRUE(barrier && barrier->has_value());
  EXPECT_NE(hub_.up_replica_.snapshot()->find({"Dataplane", "default", "east", "a"}), nullptr);
  EXPECT_EQ(machine_->status().outbox_acked, Revision{1});
}

TEST_F(ZoneTest, BarrierSurvivesALostSession) {
  start_and_connect();
  std::optional<Result<Revision>> barrier;
  machine_->barrier(port_.now_ + 600s, [&](auto result) { barrier = std::move(result); });
  drop();
  EXPECT_FALSE(barrier.has_value());
  port_.now_ = *port_.deadline_;
  machine_->on_tick(port_.now_);
  connect();
  EXPECT_TRUE(barrier.has_value());
}

TEST_F(ZoneTest, BarrierTimesOut) {
  machine_->start();
  std::optional<Result<Revision>> barrier;
  machine_->barrier(port_.now_ + 5s, [&](auto result) { barrier = std::move(result); });
  machine_->on_tick(port_.now_ + 6s);
  ASSERT_TRUE(barrier.has_value());
  EXPECT_EQ(barrier->error().code, ErrorCode::timeout);
}

TEST_F(ZoneTest, WaitRevisionResolvesWhenApplied) {
  start_and_connect();
  std::optional<Result<Revision>> wait;
  machine_->wait_revision(Revision{1}, port_.now_ + 60s, [&](auto r) { wait = std::move(r); });
  hub_.write({make_change(mesh("default"))});
  EXPECT_FALSE(wait.has_value());
  pump();
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->value(), Revision{1});
}

TEST_F(ZoneTest, CompleteLogIsAnnouncedByANewHelloAtOnce) {
  start_and_connect();
  EXPECT_FALSE(hub_.hellos.back().up_log.complete);
  ASSERT_TRUE(machine_->publish_complete());
  ASSERT_TRUE(machine_->publish_complete());
  pump();
  EXPECT_FALSE(machine_->status().last_error);
  ASSERT_TRUE(port_.deadline_);
  EXPECT_LE(*port_.deadline_, port_.now_);
  machine_->on_tick(port_.now_);
  connect();
  EXPECT_TRUE(hub_.hellos.back().up_log.complete);
}

TEST_F(ZoneTest, ALogThatBecomesCompleteBetweenHelloAndWelcomeIsNotForgotten) {
  machine_->start();
  const auto session = machine_->open_session();
  session->on_open(port_.now());
  ASSERT_TRUE(session->next_message(port_.now())) << "Hello";
  ASSERT_TRUE(machine_->publish_complete());
  while (session->next_message(port_.now())) {
  }
  ASSERT_TRUE(session->wants_close());
  session->on_closed(*session->wants_close(), port_.now());
  machine_->on_tick(port_.now());
  connect();
  EXPECT_TRUE(hub_.hellos.back().up_log.complete);
}

TEST_F(ZoneTest, StopFailsBarriersAndSaysGoodbye) {
  start_and_connect();
  std::optional<Result<Revision>> wait;
  machine_->wait_revision(Revision{9}, port_.now_ + 60s, [&](auto r) { wait = std::move(r); });
  machine_->stop();
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->error().code, ErrorCode::canceled);
  pump();
  ASSERT_TRUE(hub_.closed.has_value());
  EXPECT_EQ(hub_.closed->code, close_code::kNormal);
  EXPECT_EQ(machine_->status().state, ZoneState::closed);
  machine_->stop();
  EXPECT_EQ(port_.connects, 1);
}

TEST_F(ZoneTest, BrokenStoreClosesForGood) {
  start_and_connect();
  replica_.fail_next(Error{ErrorCode::storage_io, "disk says no", {}});
  hub_.write({make_change(mesh("default"))});
  pump();
  EXPECT_EQ(machine_->status().state, ZoneState::closed);
  EXPECT_EQ(machine_->status().last_error->code, ErrorCode::storage_io);
  EXPECT_EQ(port_.connects, 1);
}

TEST_F(ZoneTest, FullDiskHoldsAndRecoversByItself) {
  start_and_connect();
  replica_.fail_next(Error{ErrorCode::resource_exhausted, "no space", {}});
  hub_.write({make_change(mesh("default"))});
  pump();
  EXPECT_EQ(machine_->status().held, "disk_full");
  EXPECT_EQ(machine_->status().state, ZoneState::behind);
  ASSERT_EQ(hub_.holds.size(), 1u);
  port_.now_ += 2s;
  pump();
  EXPECT_EQ(machine_->status().held, "");
  EXPECT_EQ(machine_->status().state, ZoneState::synced);
}

TEST_F(ZoneTest, ApplicationHoldStopsTheFlowUntilReleased) {
  start_and_connect();
  machine_->hold_application("mirror disk full");
  hub_.write({make_change(mesh("default"))});
  pump();
  EXPECT_EQ(machine_->status().held, "application");
  EXPECT_FALSE(replica_.snapshot()->find(mesh("default").key));
  machine_->hold_application(std::nullopt);
  pump();
  EXPECT_EQ(machine_->status().held, "");
  EXPECT_TRUE(replica_.snapshot()->find(mesh("default").key));
}

TEST_F(ZoneTest, ARejectThatItsLeavePassedOnTheWayIsWithdrawn) {
  sink_->set_validator("MeshTimeout", [](const Resource&) -> std::optional<Reject> {
    return Reject{"invalid", "/spec", "bad", false};
  });
  const Change bad = make_change(timeout("t", "{}"));
  hub_.write({bad});
  start_and_connect();
  ASSERT_EQ(hub_.verdicts.size(), 1u);
  hub_.write({wire::make_leave(bad.cls, bad.key)});
  pump();
  ASSERT_EQ(hub_.verdicts.size(), 2u);
  EXPECT_TRUE(hub_.verdicts.back().accepted);
  EXPECT_EQ(hub_.verdicts.back().key, bad.key);
}

TEST_F(ZoneTest, RejectReachesTheHubAndTheRestApplies) {
  sink_->set_validator("MeshTimeout", [](const Resource& resource) -> std::optional<Reject> {
    if (resource.spec == "{\"bad\":true}") return Reject{"invalid", "/spec/bad", "bad", false};
    return std::nullopt;
  });
  hub_.write({make_change(timeout("t", "{\"v\":1}"))});
  start_and_connect();
  hub_.write({make_change(timeout("t", "{\"bad\":true}")), make_change(mesh("default"))});
  pump();
  ASSERT_EQ(hub_.verdicts.size(), 1u);
  EXPECT_EQ(hub_.verdicts[0].reject.field, "/spec/bad");
  ASSERT_EQ(port_.cuts.back().changes.size(), 1u);
  EXPECT_EQ(port_.cuts.back().changes[0].key.type, "Mesh");
  const ReplicaEntry* entry = replica_.snapshot()->find(timeout("t").key);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(wire::resource_of(entry->active())->spec, "{\"v\":1}");
  drop();
  port_.now_ = *port_.deadline_;
  machine_->on_tick(port_.now_);
  connect();
  EXPECT_EQ(hub_.hellos.back().open_rejects, 1u);
  ASSERT_EQ(hub_.verdicts.size(), 2u) << "a hub that forgot them hears open rejects again";
  EXPECT_EQ(hub_.verdicts[1], hub_.verdicts[0]);
  hub_.write({make_change(timeout("t", "{\"v\":2}"))});
  pump();
  EXPECT_TRUE(hub_.verdicts.back().accepted);
  EXPECT_EQ(sink_->open_rejects().first, 0u);
}

TEST_F(ZoneTest, LateRefusalOfTheApplicationIsReported) {
  hub_.write({make_change(mesh("default"))});
  start_and_connect();
  ASSERT_TRUE(machine_->refuse(mesh("default").key, Revision{1}, Reject{"invalid", "", "no"}));
  pump();
  ASSERT_EQ(hub_.verdicts.size(), 1u);
  EXPECT_EQ(hub_.verdicts[0].reject.text, "no");
  EXPECT_FALSE(machine_->refuse(mesh("default").key, Revision{7}, Reject{"invalid", "", "no"}));
}

}  // namespace
}  // namespace zonesync::testing
