// Scripts over two machines, played again with a failure at every single message.
//
//   Script script{"resume", {}, {{"ten timeouts", write_ten}, {"the link breaks", cut}, ...}};
//   for (const std::string& wrong : play_with_faults(script)) ADD_FAILURE() << wrong;
//
// Between two steps the link is opened again where it broke, and everything that can move moves.
// However the failure falls, both sides end with what they end with undisturbed, without a broken
// rule and without a digest that differed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync::testing {

struct Step {
  std::string name;
  std::function<void(SessionPair&)> act;
};

struct Script {
  std::string name;
  std::function<void(SessionPair&)> setup;  // before the first connection
  std::vector<Step> steps;
};

enum class ScriptFault : std::uint8_t {
  none,
  link_cut,      // the message is lost, and with it the connection
  commit_fails,  // the next commit of either receiver: the disk is full
  crash,         // of both receivers, on slow disks: commits under way and what is staged are gone
};
[[nodiscard]] std::string_view to_string(ScriptFault fault);

struct ScriptEnding {
  std::size_t messages = 0;                       // delivered or lost
  bool converged = false;
  std::map<ResourceKey, std::pair<Revision, Hash128>> zone, hub;  // what the receivers hold
  std::map<ResourceKey, Revision> refused;        // as the hub was told
  std::vector<std::string> trouble;               // broken rules, digests that differed
  [[nodiscard]] bool same(const ScriptEnding& other) const;
};

/// One run; the fault falls at the message number `at`, from 1 (beyond the last: never).
[[nodiscard]] ScriptEnding play(const Script& script, ScriptFault fault, std::size_t at);

/// All runs. What was wrong in them, one text each; `runs` counts them.
[[nodiscard]] std::vector<std::string> play_with_faults(const Script& script,
                                                        std::size_t* runs = nullptr);

}  // namespace zonesync::testing
