#include "client-sdk/agent/agent.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "client-sdk/agent/approval.hpp"
#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/mirror_worker.hpp"
#include "client-sdk/agent/publish_worker.hpp"
#include "client-sdk/agent/status_file.hpp"
#include "client-sdk/include/zonesync/client.hpp"
#include "protocol/runtime/signals.hpp"
#include "protocol/runtime/timer.hpp"

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStatusPause = 50ms;  // between two writes of the status file
constexpr Duration kStatusRetry = 1s;
constexpr Duration kOrderPause = 500ms;  // between two looks for an approval

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::storage_io:
    case ErrorCode::storage_corrupt:
    case ErrorCode::unsupported:
    case ErrorCode::unavailable: return kExitStorage;
    default: return kExitConfig;
  }
}

/// One run. Order of the end: publisher, client, mirror, last status. Thread rule: everything on
/// the thread of run(), except what callbacks post to it.
class Agent {
 public:
  Agent(const AgentConfig& config, std::shared_ptr<Logger> logger)
      : config_(config), logger_(std::move(logger)), status_timer_(loop_), order_timer_(loop_) {}

  int run();

 private:
  [[nodiscard]] Status open();
  void on_cut(const client::Cut& cut);
  void on_status(const client::ClientStatus& status);
  void status_changed();  // any thread
  void write_status();
  void look_for_orders();
  void finish(int exit_code);

  const AgentConfig& config_;
  std::shared_ptr<Logger> logger_;
  boost::asio::io_context loop_;
  Timer status_timer_;
  Timer order_timer_;
  std::optional<SignalSet> signals_;
  std::unique_ptr<MirrorWorker> mirror_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<PublishWorker> publish_;
  std::unique_ptr<ApprovalDesk> approvals_;
  std::string written_status_;
  std::string status_error_;
  int exit_code_ = kExitOk;
  bool finishing_ = false;
};

std::optional<Reject> refused_by_label(const Labels& labels, const Resource& resource) {
  for (const auto& [key, value] : labels) {
    const auto found = resource.labels.find(key);
    if (found == resource.labels.end() || found->second != value) continue;
    return Reject{"refused_label", "/labels/" + key,
                  "this zone is configured to refuse versions with the label " + key, false};
  }
  return std::nullopt;
}

Status Agent::open() {
  client::Config settings = config_.client;
  settings.logger = logger_;
  auto client = client::Client::create(std::move(settings));
  if (!client) return fail(client.error());
  client_ = std::move(*client);
  approvals_ = std::make_unique<ApprovalDesk>(config_.client.store_dir, logger_,
                                              [this] { client_->approve_mass_delete(); });
  std::optional<PublishMemory> memory;
  if (!config_.publish_dir.empty()) {
    const std::string& store = config_.client.store_dir;
    auto loaded = PublishMemory::load(
        store.empty() ? std::filesystem::path() : std::filesystem::path(store) / "publish.state",
        config_.client.zone);
    if (!loaded) return fail(loaded.error());
    memory = std::move(*loaded);
  }
  const auto changed = [this] { status_changed(); };
  if (!config_.mirror_dir.empty()) {
    MirrorWorker::Options options;
    options.mirror.dir = config_.mirror_dir;
    options.mirror.zone = config_.client.zone;
    options.log_cuts = config_.log_cuts;
    mirror_ = std::make_unique<MirrorWorker>(options, steady_clock(), logger_, changed);
  }
  if (!config_.refuse_labels.empty()) {
    const auto refuse = [labels = config_.refuse_labels](const Resource& resource) {
      return refused_by_label(labels, resource);
    };
    const TypeRegistry types = TypeRegistry::with_default_types();
    for (const TypeInfo* type : types.all()) client_->set_validator(type->name, refuse);
  }
  if (mirror_ || config_.log_cuts) {  // a cut is a copy of its resources: not for nobody
    client_->on_cut([this](const client::Cut& cut) {
      on_cut(cut);
      return client::CutAnswer::ok();
    });
  }
  client_->on_status([this](const client::ClientStatus& status) {
    boost::asio::post(loop_, [this, status] { on_status(status); });
  });
  if (auto status = client_->start(); !status) return status;
  if (memory) {
    PublishWorker::Options options;
    options.publisher.dir = config_.publish_dir;
    options.publisher.zone = config_.client.zone;
    options.interval = config_.publish_interval;
    options.store_dir = config_.client.store_dir;
    publish_ = std::make_unique<PublishWorker>(options, std::move(*memory), *client_, logger_,
                                               changed);
  }
  return {};
}

/// On the client's callback thread; the store has the cut already.
void Agent::on_cut(const client::Cut& cut) {
  if (!cut.snapshot.cursor()) return;  // nothing was ever received: an old mirror stays
  if (config_.log_cuts) {
    logger_->log({LogLevel::info, "agent.cut.applied", "a cut is durable in the store",
                  {{"revision", std::to_string(cut.revision.value)},
                   {"changes", std::to_string(cut.changes.size())},
                   {"initial", cut.initial ? "true" : "false"}}});
  }
  if (mirror_) mirror_->push(cut);
}

void Agent::on_status(const client::ClientStatus& status) {
  approvals_->on_status(status);
  if (publish_) publish_->notify();
  if (!status_timer_.armed()) status_timer_.arm_after(kStatusPause, [this] { write_status(); });
  if (status.state == client::State::superseded) {
    print_error({ErrorCode::conflict, "another agent of this zone took over", ""});
    finish(kExitSuperseded);
  } else if (status.state == client::State::closed && !finishing_) {
    const auto& last = status.last_error;
    print_error({last ? last->code : ErrorCode::internal,
                 last ? last->message : "the client ended", config_.client.store_dir});
    finish(kExitStorage);
  }
}

void Agent::status_changed() {
  boost::asio::post(loop_, [this] {
    if (!status_timer_.armed()) status_timer_.arm_after(kStatusPause, [this] { write_status(); });
  });
}

void Agent::write_status() {
  if (config_.status_file.empty()) return;
  AgentStatus status{config_.client.zone, client_->status(), std::nullopt, std::nullopt};
  if (publish_) status.publish = publish_->status();
  if (mirror_) status.mirror = mirror_->status();
  std::string text = render_status(status);
  if (text == written_status_) return;
  if (auto replaced = replace_file(config_.status_file, text, false); !replaced) {
    const std::string error = describe(replaced.error());
    if (error != status_error_) {
      logger_->log({LogLevel::error, "agent.status_file.failed", error});
    }
    status_error_ = error;
    if (!finishing_) status_timer_.arm_after(kStatusRetry, [this] { write_status(); });
    return;
  }
  status_error_.clear();
  written_status_ = std::move(text);
}

void Agent::look_for_orders() {
  approvals_->look(client_->status());
  order_timer_.arm_after(kOrderPause, [this] { look_for_orders(); });
}

void Agent::finish(int exit_code) {
  if (finishing_) return;
  finishing_ = true;
  exit_code_ = exit_code;
  loop_.stop();
}

int Agent::run() {
  SignalCallbacks callbacks;
  callbacks.on_terminate = [this](int number) {
    logger_->log({LogLevel::info, "agent.stopping", "a signal asked the agent to stop",
                  {{"signal", std::to_string(number)}}});
    finish(kExitOk);
  };
  callbacks.on_reload = [this] {
    if (client_) client_->reconnect();
  };
  signals_.emplace(loop_, std::move(callbacks));
  if (auto status = open(); !status) {
    print_error(status.error());
    exit_code_ = exit_code_of(status.error());
  } else {
    logger_->log({LogLevel::info, "agent.started", "the agent is running",
                  {{"zone", config_.client.zone}, {"hub", config_.client.hub_url}}});
    status_changed();
    if (!config_.client.store_dir.empty()) look_for_orders();
    const auto work = boost::asio::make_work_guard(loop_);
    loop_.run();
  }
  if (publish_) publish_->stop();
  if (client_) client_->stop();
  if (mirror_) mirror_->stop();
  if (client_) write_status();
  return exit_code_;
}

}  // namespace

void print_error(const Error& error) { std::cerr << "error: " << describe(error) << std::endl; }
void print_hint(const std::string& hint) { std::cerr << "hint: " << hint << std::endl; }

int run_agent(const AgentConfig& config) {
  StderrLoggerOptions options;
  options.format = config.log_format;
  options.level = config.log_level;
  const std::shared_ptr<Logger> logger = make_stderr_logger(options);
  return Agent(config, logger).run();
}

}  // namespace zonesync::agent
