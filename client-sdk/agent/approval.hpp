// A mass delete that the zone's guard holds (FLOW-17), and the operator's approval of it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "client-sdk/include/zonesync/status.hpp"
#include "protocol/model/result.hpp"
#include "protocol/runtime/logger.hpp"

namespace zonesync::agent {

/// The agent's side: says that something is held, and looks for the order of an operator. An order
/// is taken away at the first look, used or not: it never waits for a removal nobody has seen yet.
/// Life cycle: one per agent, any number of calls. Thread rule: one thread.
class ApprovalDesk {
 public:
  /// `approve` tells the client. An empty `store_dir` = nobody can give an order.
  ApprovalDesk(std::filesystem::path store_dir, std::shared_ptr<Logger> logger,
               std::function<void()> approve);

  /// Logs a hold once, with the numbers and the command that ends it.
  void on_status(const client::ClientStatus& now);
  /// One look for an order; its fate is logged and left for the command that gave it.
  void look(const client::ClientStatus& now);

 private:
  std::filesystem::path store_dir_;
  std::shared_ptr<Logger> logger_;
  std::function<void()> approve_;
  std::string shown_;  // text of the hold that was logged last
};

/// The command's side: gives the order and waits for the agent's answer, which it returns. Errors:
/// not_found (no such store directory, or nothing is held), unavailable (no agent took the order in
/// time: it is withdrawn), storage_io.
[[nodiscard]] Result<std::string> approve_mass_delete(const std::filesystem::path& store_dir,
                                                      std::chrono::milliseconds patience);

}  // namespace zonesync::agent
