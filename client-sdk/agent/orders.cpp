#include "client-sdk/agent/orders.hpp"

#include <system_error>

#include "client-sdk/agent/file_io.hpp"

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& store_dir, Order order) {
  switch (order) {
    case Order::release: return store_dir / "publish.release";
    case Order::complete: return store_dir / "publish.complete";
    case Order::approve: return store_dir / "mass-delete.approve";
  }
  return {};
}

}  // namespace

Status give_order(const fs::path& store_dir, Order order) {
  std::error_code error;
  if (!fs::is_directory(store_dir, error)) {
    return fail(ErrorCode::not_found, "no such store directory; give the agent's --store",
                store_dir.string());
  }
  return replace_file(file_of(store_dir, order), "", false);
}

bool take_order(const fs::path& store_dir, Order order) {
  if (store_dir.empty()) return false;
  std::error_code error;
  return fs::remove(file_of(store_dir, order), error);
}

}  // namespace zonesync::agent
