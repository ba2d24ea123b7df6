#include "client-sdk/src/application.hpp"

#include <algorithm>
#include <utility>

#include "protocol/wire/codec.hpp"

namespace zonesync::client {
namespace {

constexpr std::size_t kCutQueueMax = 64;
constexpr std::chrono::milliseconds kRetryFirst{200};
constexpr std::chrono::milliseconds kRetryMax{10'000};

/// Application code may throw; nothing of it may reach our threads.
template <class Call>
bool guarded(Logger& logger, const char* where, Call&& call) {
  try {
    call();
    return true;
  } catch (const std::exception& exception) {
    logger.log({LogLevel::error, "client.callback_threw",
                std::string("a callback threw: ") + exception.what(), {{"callback", where}}});
  } catch (...) {
    logger.log({LogLevel::error, "client.callback_threw", "a callback threw",
                {{"callback", where}}});
  }
  return false;
}

}  // namespace

Application::Application(std::shared_ptr<Logger> logger, Hooks hooks)
    : logger_(std::move(logger)), hooks_(std::move(hooks)), queue_(kCutQueueMax) {}

Application::~Application() {
  stop();
  join();
}

void Application::start() {
  thread_ = std::thread([this] { run(); });
}

void Application::join() {
  if (thread_.joinable()) thread_.join();
}

bool Application::on_own_thread() const { return id_.load() == std::this_thread::get_id(); }

void Application::run() {
  id_.store(std::this_thread::get_id());
  for (;;) {
    CutQueue::Work work = queue_.wait(false, std::nullopt);
    if (work.cut) deliver(*work.cut);
    if (work.status) tell_status();
    if (work.closed) return;
  }
}

void Application::deliver(const AppliedCut& applied) {
  if (!on_cut && subscriptions.empty()) return;  // a copy of every resource, for nobody
  const Cut cut = cut_from(applied);
  auto pause = kRetryFirst;
  bool waiting = false;
  for (;;) {
    CutAnswer answer = ask(cut);
    if (answer.kind == CutAnswer::Kind::done) {
      for (CutAnswer::Refusal& refusal : answer.refused) {
        const auto change = std::find_if(cut.changes.begin(), cut.changes.end(),
                                         [&](const CutChange& c) { return c.key == refusal.key; });
        if (change == cut.changes.end() || !change->resource) continue;  // not of this cut
        hooks_.refuse(refusal.key, change->revision, std::move(refusal.reject));
      }
      break;
    }
    waiting = true;
    hooks_.hold(answer.why.empty() ? "the application asked to wait" : answer.why);
    const auto until = std::chrono::steady_clock::now() + pause;
    pause = std::min(pause * 2, kRetryMax);
    while (std::chrono::steady_clock::now() < until) {
      const CutQueue::Work work = queue_.wait(true, until);
      if (work.closed) return;
      if (work.status) tell_status();
    }
  }
  if (waiting) hooks_.hold(std::nullopt);
  tell_subscribers(cut);
}

Cut Application::cut_from(const AppliedCut& applied) const {
  Cut cut{.revision = applied.cursor ? applied.cursor->revision : Revision{},
          .era = applied.cursor ? applied.cursor->era : EraId{},
          .digest = applied.digest,
          .initial = applied.initial,
          .changes = {},
          .snapshot = Snapshot(applied.snapshot, hooks_.from_cache())};
  cut.changes.reserve(applied.changes.size());
  for (const AppliedChange& change : applied.changes) {
    CutChange out{change.key, std::nullopt, change.revision};
    if (!change.payload.empty()) {
      auto resource = wire::resource_of(change.payload);
      if (!resource) {
        logger_->log({LogLevel::error, "client.undecodable", describe(resource.error()),
                      {{"key", to_string(change.key)}}});
        continue;
      }
      out.resource = std::move(*resource);
    }
    cut.changes.push_back(std::move(out));
  }
  return cut;
}

CutAnswer Application::ask(const Cut& cut) {
  if (!on_cut) return CutAnswer::ok();
  CutAnswer answer = CutAnswer::try_again("the on_cut callback threw");
  guarded(*logger_, "on_cut", [&] { answer = on_cut(cut); });
  return answer;
}

void Application::tell_subscribers(const Cut& cut) {
  for (const CutChange& change : cut.changes) {
    for (const Subscription& subscription : subscriptions) {
      const auto& types = subscription.types;
      const bool wanted = types.empty() ||
                          std::find(types.begin(), types.end(), change.key.type) != types.end();
      if (wanted) guarded(*logger_, "subscribe", [&] { subscription.callback(change); });
    }
  }
}

void Application::tell_status() {
  if (!on_status) return;
  const ClientStatus status = hooks_.status();
  guarded(*logger_, "on_status", [&] { on_status(status); });
}

}  // namespace zonesync::client
