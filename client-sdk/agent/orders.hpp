// How an operator's command reaches the running agent: a file in the store directory.
#pragma once

#include <filesystem>

#include "protocol/model/result.hpp"

namespace zonesync::agent {

enum class Order {
  release,   // let the held mass removal of the publish directory go ahead, once
  complete,  // the directory holds everything this zone has: the hub may drop what it knows besides
  approve,   // let the hub's held mass delete into the replica, once (approval.hpp)
};

/// Leaves the order for the agent. Errors: not_found (no such store directory), storage_io.
[[nodiscard]] Status give_order(const std::filesystem::path& store_dir, Order order);

/// Whether the order was given; takes it away. An empty directory never has one.
[[nodiscard]] bool take_order(const std::filesystem::path& store_dir, Order order);

}  // namespace zonesync::agent
