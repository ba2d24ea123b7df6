// zonesync-conform-sdk-cpp: adapter of the public C++ client for `zonesync-conform run --sdk`.
// JSON lines on stdin and stdout; docs/conformance.md.
#include <cstdio>
#include <iostream>
#include <mutex>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client-sdk/include/zonesync/client.hpp"
#include "conformance/adapters/resource_json.hpp"

namespace {

using namespace zonesync;
using namespace zonesync::conform;
namespace json = boost::json;

/// One client, made anew by start and restart. Thread rule: the main thread, but for callbacks.
class Adapter {
 public:
  Result<json::object> handle(std::string_view op, const json::object& request);
  ~Adapter() { end(); }

 private:
  Status start(const json::object& request);
  Status boot();
  void end();
  json::object status() const;
  json::object store() const;
  Result<json::object> publish(const json::object& request);
  void begin_barrier();

  client::Config config_;
  std::unique_ptr<client::Client> client_;
  std::mutex mutex_;                      // guards the rest
  std::string word_;
  std::shared_ptr<std::optional<std::uint64_t>> barrier_;
  std::vector<std::thread> threads_;
};

void Adapter::end() {
  if (client_) client_->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  client_.reset();
}

Status Adapter::boot() {
  end();
  auto made = client::Client::create(config_);
  if (!made) return fail(made.error());
  client_ = std::move(*made);
  for (const TypeInfo* type : client_->registry()->all()) {
    client_->set_validator(type->name, [this](const Resource& resource) -> std::optional<Reject> {
      const std::lock_guard lock(mutex_);
      const bool bad = !word_.empty() && resource.spec.find(word_) != std::string::npos;
      if (!bad) return std::nullopt;
      return Reject{"invalid", "/spec", "refused by the case", false};
    });
  }
  return client_->start();
}

Status Adapter::start(const json::object& request) {
  config_ = {};
  config_.hub_url = text_at(request, "hub_url");
  config_.ca_file = text_at(request, "ca_file");
  config_.token = text_at(request, "token");
  config_.zone = text_at(request, "zone");
  config_.types = texts_at(request, "types");
  config_.meshes = texts_at(request, "meshes");
  if (flag_at(request, "durable")) config_.store_dir = text_at(request, "store_dir");
  config_.software = "conform-sdk-cpp/1";
  config_.delta_enabled = text_at(request, "mode") != "v1";
  if (const json::value* given = request.if_contains("backoff"); given && given->is_object()) {
    const json::object& backoff = given->get_object();
    config_.backoff.base = std::chrono::milliseconds(number_at(backoff, "base_ms"));
    config_.backoff.max = std::chrono::milliseconds(number_at(backoff, "max_ms"));
    config_.backoff.auth = std::chrono::milliseconds(number_at(backoff, "auth_ms"));
  }
  return boot();
}

json::object Adapter::status() const {
  const client::ClientStatus now = client_->status();
  json::object out;
  out["state"] = client::to_string(now.state);
  out["mode"] = client::to_string(now.mode);
  out["connected"] = now.connected;
  out["held"] = now.held;
  out["peer_held"] = now.peer_held;
  out["revision"] = now.cursor ? now.cursor->revision.value : 0;
  out["rejects"] = now.rejects;
  out["publish_rejects"] = client_->publish_rejects().size();
  out["outbox_acked"] = now.outbox_acked.value;
  out["outbox_head"] = now.outbox_head.value;
  out["close_code"] = now.last_error ? now.last_error->close_code : 0;
  return out;
}

json::object Adapter::store() const {
  json::array resources;
  client_->snapshot().for_each(
      "", [&](const Resource& each) { resources.push_back(to_json(each)); });
  json::object out;
  out["resources"] = std::move(resources);
  return out;
}

Result<json::object> Adapter::publish(const json::object& request) {
  auto ops = ops_of(request);
  if (!ops) return fail(ops.error());
  std::vector<client::PublishOp> wanted;
  for (const ControlOp& op : *ops) {
    client::PublishOp each;
    each.key = op.resource.key;
    if (!op.remove) each.resource = op.resource;
    wanted.push_back(std::move(each));
  }
  auto result = client_->publish_batch(std::move(wanted));
  if (!result) return fail(result.error());
  json::object out;
  out["revision"] = result->revision.value;
  return out;
}

void Adapter::begin_barrier() {
  auto box = std::make_shared<std::optional<std::uint64_t>>();
  {
    const std::lock_guard lock(mutex_);
    barrier_ = box;
  }
  threads_.emplace_back([this, box] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto result = client_->sync_barrier(until);
    const std::lock_guard lock(mutex_);
    *box = result ? result->value : 0;
  });
}

Result<json::object> Adapter::handle(std::string_view op, const json::object& request) {
  json::object out;
  Status done;
  if (op == "capabilities") {
    out["capabilities"] = json::array{"publish", "barrier", "verdicts", "approve", "restart",
                                      "durable", "refuse", "views", "zstd", "patch", "repair",
                                      "resume", "fallback"};
    out["modes"] = json::array{"delta", "v1"};
    return out;
  }
  if (op == "start") done = start(request);
  else if (!client_) return fail(ErrorCode::invalid_argument, "start comes first");
  else if (op == "store") return store();
  else if (op == "status") return status();
  else if (op == "publish") return publish(request);
  else if (op == "publish_complete") done = client_->publish_complete();
  else if (op == "approve_mass_delete") client_->approve_mass_delete();
  else if (op == "barrier") begin_barrier();
  else if (op == "restart") done = boot();
  else if (op == "stop") client_->stop();
  else if (op == "set_verdict") {
    const std::lock_guard lock(mutex_);
    word_ = text_at(request, "word");
  } else if (op == "barrier_done") {
    const std::lock_guard lock(mutex_);
    if (barrier_ && *barrier_) out["revision"] = **barrier_;
  } else {
    return fail(ErrorCode::unsupported, "no such op");
  }
  if (!done) return fail(done.error());
  return out;
}

}  // namespace

int main() {
  Adapter adapter;
  std::string line;
  while (std::getline(std::cin, line)) {
    boost::system::error_code failed;
    const json::value value = json::parse(line, failed);
    if (failed || !value.is_object()) continue;
    const json::object& request = value.get_object();
    auto answer = adapter.handle(text_at(request, "op"), request);
    json::object out = answer ? std::move(*answer) : json::object();
    out["id"] = number_at(request, "id");
    out["ok"] = answer.has_value();
    if (!answer) out["error"] = describe(answer.error());
    std::cout << json::serialize(out) << std::endl;
  }
  return 0;
}
