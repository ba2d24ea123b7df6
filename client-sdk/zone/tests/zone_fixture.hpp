// A zone machine on memory stores with a scripted hub: sessions are wired directly, time is
// virtual.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-sdk/zone/zone_machine.hpp"
#include "protocol/wire/codec.hpp"
#include "storage/memory/memory_change_log.hpp"
#include "storage/memory/memory_replica.hpp"
#include "storage/memory/memory_stage.hpp"

namespace zonesync::testing {

inline std::shared_ptr<const TypeRegistry> default_types() {
  static const auto registry =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  return registry;
}

inline Resource make_resource(std::string type, std::string mesh, std::string origin,
                              std::string name, std::string spec = "{}") {
  Resource resource;
  resource.key = {std::move(type), std::move(mesh), std::move(origin), std::move(name)};
  resource.spec = std::move(spec);
  return resource;
}

inline Change make_change(const Resource& resource) {
  const auto cls = class_of(*default_types(), resource);
  return wire::make_upsert(cls.value(), resource);
}

/// Records what the machine asks for.
class FakePort final : public ZonePort {
 public:
  TimePoint now() const override { return now_; }
  double random() override { return random_; }
  void connect() override { ++connects; }
  void cancel_connect() override { ++cancels; }
  void wake() override { ++wakes; }
  void schedule(std::optional<TimePoint> deadline) override { deadline_ = deadline; }
  void cut_applied(AppliedCut cut) override { cuts.push_back(std::move(cut)); }
  void status_changed() override {}

  TimePoint now_{std::chrono::hours(1)};
  double random_ = 0.5;
  int connects = 0, cancels = 0, wakes = 0;
  std::optional<TimePoint> deadline_;
  std::vector<AppliedCut> cuts;
};

/// The hub's half of a session: admits with a log of its own.
class FakeHub final : public SessionHost {
 public:
  explicit FakeHub(std::string zone)
      : log_(MemoryChangeLogOptions{.created_complete = true}),
        source_(std::in_place, log_, 1u << 20),
        down_view_(ViewSpec{.down = true, .zone = zone}, default_types()),
        up_view_(ViewSpec{.down = false, .zone = zone}, default_types()),
        up_sink_(up_replica_, {}) {}

  void write(std::vector<Change> changes) {
    Segment segment;
    segment.transactions.push_back(Transaction{log_.state().head.next(), std::move(changes)});
    const Segment copy = segment;
    log_.append(std::move(segment), [&](Status status) { ASSERT_TRUE(status.has_value()); });
    source_->on_appended(copy);
  }
  /// The next process start, the disk perhaps rewound.
  void reopen(std::optional<Revision> rewound_to = std::nullopt) {
    if (rewound_to) log_.rewind_to(*rewound_to);
    log_.reopen();
    source_.emplace(log_, 1u << 20);
  }
  void trim(Revision floor, Revision tombstone_floor) {
    TrimRequest request;
    request.floor = floor;
    request.tombstone_floor = tombstone_floor;
    while (true) {
      const auto progress = log_.trim(request);
      ASSERT_TRUE(progress);
      if (progress->done) break;
    }
    source_->refresh();
  }

  void on_hello(Session& session, const wire::Hello& hello) override {
    hellos.push_back(hello);
    if (refuse_code != 0) return session.refuse(refuse_code, "refused by the test", retry_after);
    Session::Admission admission;
    admission.welcome.session = ++sessions;
    admission.welcome.generation = 1;
    admission.welcome.down_view = down_view_.id();
    admission.welcome.up_view = up_view_.id();
    for (const TypeInfo* type : default_types()->all()) admission.welcome.types.push_back(*type);
    admission.welcome.message_max_bytes = limits::kMessageMaxBytes;
    admission.welcome.up_window_bytes = limits::kUpFirstGrantBytes;
    admission.welcome.up_cursor = up_sink_.cursor();
    admission.source = &*source_;
    admission.down_view = down_view_;
    admission.sink = &up_sink_;
    admission.up_window_bytes = limits::kUpFirstGrantBytes;
    session.admit(std::move(admission));
  }
  void on_welcome(Session&, const wire::Welcome&) override {}
  void on_goodbye(Session&, const wire::Goodbye&) override {}
  void on_sync(Session& session, std::uint64_t id) override {
    session.synced(id, log_.state().head);
  }
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session&, const wire::Ack& ack) override {
    for (const Verdict& verdict : ack.verdicts) verdicts.push_back(verdict);
  }
  void on_peer_hold(Session&, const wire::Hold& hold) override { holds.push_back(hold.reason); }
  void on_session_closed(Session&, const CloseInfo& info) override { closed = info; }

  MemoryChangeLog log_;
  std::optional<LogSource> source_;
  View down_view_, up_view_;
  MemoryReplica up_replica_;
  ReplicaSink up_sink_;
  std::uint16_t refuse_code = 0;
  Duration retry_after{};
  std::uint64_t sessions = 0;
  std::vector<wire::Hello> hellos;
  std::vector<Verdict> verdicts;
  std::vector<std::string> holds;
  std::optional<CloseInfo> closed;
};

/// One zone with its stores; survives a "restart" when stores are kept.
class ZoneTest : public ::testing::Test {
 protected:
  void SetUp() override { restart(); }

  void restart() {
    zone_session_.reset();
    hub_session_.reset();
    machine_.reset();
    port_.cuts.clear();
    sink_ = std::make_unique<ReplicaSink>(
        replica_, ReplicaSink::Options{.staging = {.spill_bytes = spill_bytes_, .store = stage_},
                                       .rank = [](const std::string& type) {
                                         const auto types = default_types();
                                         const TypeInfo* info = types->find(type);
                                         return info != nullptr ? info->rank : 100;
                                       }});
    outbox_ = std::make_unique<Outbox>("east", outbox_log_, 1u << 20, default_types());
    ZoneMachine::Options options;
    options.zone = "east";
    options.software = "test/1";
    options.session.features = features_;
    machine_ = std::make_unique<ZoneMachine>(options, replica_, *sink_, *outbox_, port_);
  }

  void connect() {
    open();
    pump();
  }

  void open() {
    zone_session_ = machine_->open_session(mode_);
    ASSERT_NE(zone_session_, nullptr);
    Session::Options options;
    options.role = SessionRole::hub;
    options.mode = mode_;
    options.message_target_bytes = message_target_bytes_;
    hub_session_ = std::make_shared<Session>(options, hub_, std::nullopt);
    zone_session_->on_open(port_.now());
    hub_session_->on_open(port_.now());
  }

  /// Moves messages until both sides are silent, then delivers a wanted close.
  void pump() {
    for (int round = 0; round < 1'000 && zone_session_; ++round) {
      port_.now_ += std::chrono::milliseconds(20);
      bool moved = false;
      for (auto* pair : {&zone_session_, &hub_session_}) {
        auto& peer = pair == &zone_session_ ? hub_session_ : zone_session_;
        (*pair)->on_tick(port_.now());
        while (auto message = (*pair)->next_message(port_.now())) {
          moved = true;
          peer->on_message(std::move(*message), port_.now());
        }
      }
      machine_->check_store();
      const auto close = zone_session_->wants_close() ? zone_session_->wants_close()
                                                      : hub_session_->wants_close();
      if (close) return drop(*close);
      if (!moved) return;
    }
  }

  void drop(CloseInfo info = {}) {
    auto zone = std::move(zone_session_);
    auto hub = std::move(hub_session_);
    zone_session_.reset();
    hub_session_.reset();
    zone->on_closed(info, port_.now());
    hub->on_closed(info, port_.now());
  }

  void start_and_connect() {
    machine_->start();
    connect();
  }

  FakePort port_;
  FakeHub hub_{"east"};
  MemoryReplica replica_{MemoryReplicaOptions{.durable = true}};
  MemoryChangeLog outbox_log_;
  StageStore* stage_ = nullptr;       // of the next restart
  std::uint64_t spill_bytes_ = limits::kStageMemoryBytes;
  std::size_t message_target_bytes_ = limits::kMessageTargetBytes;  // the hub's
  wire::Features features_ = wire::kAllFeatures;                    // the zone's
  std::unique_ptr<ReplicaSink> sink_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<ZoneMachine> machine_;
  SyncMode mode_ = SyncMode::delta;   // of the next session
  std::shared_ptr<Session> zone_session_;
  std::shared_ptr<Session> hub_session_;
};

}  // namespace zonesync::testing
