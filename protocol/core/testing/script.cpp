#include "protocol/core/testing/script.hpp"

#include <limits>

namespace zonesync::testing {
namespace {

constexpr int kRounds = 100;  // of a second: longer than any hold waits
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// One run of one script.
class Player {
 public:
  Player(const Script& script, ScriptFault fault, std::size_t at)
      : script_(script), fault_(fault), at_(at) {
    pair_.tap = [this](SessionRole, std::string&) { return on_message(); };
  }

  ScriptEnding run() {
    if (script_.setup) script_.setup(pair_);
    const bool slow = fault_ == ScriptFault::crash;
    pair_.hub.sink.deferred = pair_.zone.sink.deferred = slow;
    settle();
    for (const Step& step : script_.steps) {
      step.act(pair_);
      settle();
    }
    ending_.converged = pair_.converged();
    ending_.zone = held(pair_.zone.sink);
    ending_.hub = held(pair_.hub.sink);
    for (const wire::Ack& ack : pair_.hub.acks) {
      for (const Verdict& verdict : ack.verdicts) note(verdict);
    }
    return std::move(ending_);
  }

 private:
  static std::map<ResourceKey, std::pair<Revision, Hash128>> held(const MapSink& sink) {
    std::map<ResourceKey, std::pair<Revision, Hash128>> all;
    for (const auto& [key, item] : sink.items) all[key] = {item.revision, item.hash};
    return all;
  }

  void note(const Verdict& verdict) {
    if (verdict.accepted) {
      ending_.refused.erase(verdict.key);
    } else {
      ending_.refused[verdict.key] = verdict.revision;
    }
  }

  bool on_message() {
    if (++ending_.messages != at_) {
      complete_one();  // the disks are one message behind
      return true;
    }
    switch (fault_) {
      case ScriptFault::none: return true;
      case ScriptFault::link_cut: return false;
      case ScriptFault::commit_fails:
        for (MapSink* sink : {&pair_.hub.sink, &pair_.zone.sink}) {
          sink->fail_next_commit = CutFailure{
              CutFailure::Kind::hold,
              Error{ErrorCode::resource_exhausted, "no space left on device", {}}, "disk_full"};
        }
        return true;
      case ScriptFault::crash:
        pair_.hub.sink.crash();
        pair_.zone.sink.crash();
        return false;
    }
    return true;
  }

  bool complete_one() {
    bool any = false;
    for (MapSink* sink : {&pair_.hub.sink, &pair_.zone.sink}) {
      if (sink->pending.empty()) continue;
      sink->complete_one();
      any = true;
    }
    return any;
  }

  /// Everything that can move moves.
  void settle() {
    for (int round = 0; round < kRounds; ++round) {
      if (!open()) {
        look_at_end();
        pair_.hub.acks.clear();  // FLOW-26: what it listed before is forgotten
        pair_.connect();
      }
      pair_.pump();
      while (complete_one()) pair_.pump();
      if (open() && pair_.converged() && !holds()) {
        pair_.advance(limits::kAckInterval);  // the last Ack
        if (open()) return look_at_counters();
      }
      if (open()) pair_.advance(std::chrono::seconds(1));
    }
  }

  [[nodiscard]] bool open() const {
    return pair_.hub.session && !pair_.hub.closed && !pair_.zone.closed;
  }
  [[nodiscard]] bool holds() {
    for (Peer* peer : {&pair_.hub, &pair_.zone}) {
      const FlowReceiver* receiver = peer->session->receiver();
      if (receiver != nullptr && receiver->held()) return true;
    }
    return false;
  }

  /// A lost link and a restart for another view are part of life.
  void look_at_end() {
    if (!pair_.hub.session) return;
    look_at_counters();
    for (const Peer* peer : {&pair_.hub, &pair_.zone}) {
      if (!peer->closed || peer->closed->code == CloseInfo{}.code) continue;
      if (peer->closed->code == close_code::kRestart) continue;
      ending_.trouble.push_back("closed with " + std::to_string(peer->closed->code) + ": " +
                                peer->closed->reason);
    }
  }
  void look_at_counters() {
    for (Peer* peer : {&pair_.hub, &pair_.zone}) {
      const FlowReceiver* receiver = peer->session->receiver();
      if (receiver == nullptr || receiver->counters().digest_mismatches == 0) continue;
      ending_.trouble.emplace_back("a digest differed");
    }
  }

  const Script& script_;
  const ScriptFault fault_;
  const std::size_t at_;
  SessionPair pair_;
  ScriptEnding ending_;
};

}  // namespace

std::string_view to_string(ScriptFault fault) {
  switch (fault) {
    case ScriptFault::none: return "no fault";
    case ScriptFault::link_cut: return "link cut";
    case ScriptFault::commit_fails: return "commit fails";
    case ScriptFault::crash: return "crash";
  }
  return "unknown";
}

bool ScriptEnding::same(const ScriptEnding& other) const {
  return converged == other.converged && zone == other.zone && hub == other.hub &&
         refused == other.refused;
}

ScriptEnding play(const Script& script, ScriptFault fault, std::size_t at) {
  return Player(script, fault, at).run();
}

std::vector<std::string> play_with_faults(const Script& script, std::size_t* runs) {
  std::vector<std::string> wrong;
  const ScriptEnding quiet = play(script, ScriptFault::none, kNever);
  const auto judge = [&](const ScriptEnding& ending, const std::string& where) {
    if (runs != nullptr) ++*runs;
    for (const std::string& trouble : ending.trouble) wrong.push_back(where + ": " + trouble);
    if (!ending.converged) wrong.push_back(where + ": the two sides never agree");
    if (!ending.same(quiet)) wrong.push_back(where + ": another ending than without it");
  };
  judge(quiet, script.name + ", undisturbed");
  for (const ScriptFault fault :
       {ScriptFault::link_cut, ScriptFault::commit_fails, ScriptFault::crash}) {
    const std::size_t messages = play(script, fault, kNever).messages;
    for (std::size_t at = 1; at <= messages; ++at) {
      judge(play(script, fault, at), script.name + ", " + std::string(to_string(fault)) +
                                         " at message " + std::to_string(at));
    }
  }
  return wrong;
}

}  // namespace zonesync::testing
