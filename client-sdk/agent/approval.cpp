#include "client-sdk/agent/approval.hpp"

#include <system_error>
#include <thread>
#include <utility>

#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/orders.hpp"

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr std::size_t kAnswerMaxBytes = 4u << 10;
constexpr std::string_view kApproved = "approved: ";
constexpr std::string_view kNothing = "nothing is held";

fs::path answer_file(const fs::path& store_dir) { return store_dir / "mass-delete.answer"; }

bool is_mass_delete(const client::ClientStatus& now) { return now.held == "mass_delete"; }

}  // namespace

ApprovalDesk::ApprovalDesk(fs::path store_dir, std::shared_ptr<Logger> logger,
                           std::function<void()> approve)
    : store_dir_(std::move(store_dir)),
      logger_(std::move(logger)),
      approve_(std::move(approve)) {}

void ApprovalDesk::on_status(const client::ClientStatus& now) {
  if (!is_mass_delete(now)) {
    shown_.clear();
    return;
  }
  if (now.held_text == shown_) return;
  shown_ = now.held_text;
  const std::string command =
      store_dir_.empty() ? "a restart: without a store directory nothing is kept"
                         : "zonesync-agent approve --store " + store_dir_.string();
  logger_->log({LogLevel::warn, "agent.mass_delete.held", now.held_text,
                {{"resources", std::to_string(now.resources)}, {"command", command}}});
}

void ApprovalDesk::look(const client::ClientStatus& now) {
  if (!take_order(store_dir_, Order::approve)) return;
  const bool held = is_mass_delete(now);
  const std::string answer = held ? std::string(kApproved) + now.held_text
                                  : std::string(kNothing) + " now; nothing was approved";
  logger_->log({held ? LogLevel::info : LogLevel::warn,
                held ? "agent.mass_delete.approved" : "agent.mass_delete.not_held",
                "an operator's approval: " + answer});
  if (held) approve_();
  if (auto left = replace_file(answer_file(store_dir_), answer, false); !left) {
    logger_->log({LogLevel::warn, "agent.mass_delete.answer_failed", describe(left.error())});
  }
}

Result<std::string> approve_mass_delete(const fs::path& store_dir,
                                        std::chrono::milliseconds patience) {
  const fs::path file = answer_file(store_dir);
  std::error_code ignored;
  fs::remove(file, ignored);
  if (auto given = give_order(store_dir, Order::approve); !given) return fail(given.error());
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!fs::exists(file, ignored)) {
    if (std::chrono::steady_clock::now() >= deadline && take_order(store_dir, Order::approve)) {
      return fail(ErrorCode::unavailable,
                  "no agent took the order, it is withdrawn; is one running with this store?",
                  store_dir.string());
    }
    if (std::chrono::steady_clock::now() >= deadline + patience) {
      return fail(ErrorCode::unavailable, "the agent took the order and says nothing: see its log",
                  store_dir.string());
    }
    std::this_thread::sleep_for(kPoll);
  }
  auto answer = read_file(file, kAnswerMaxBytes);
  fs::remove(file, ignored);
  if (answer && !answer->starts_with(kApproved)) {
    return fail(ErrorCode::not_found, *answer, store_dir.string());
  }
  return answer;
}

}  // namespace zonesync::agent
