#include "conformance/campaigns/clients.hpp"

namespace zonesync::campaigns {

ClientNode::ClientNode(HubNode& hub, std::string zone, std::uint16_t port, std::string store) {
  config_.hub_url = "wss://127.0.0.1:" + std::to_string(port) + "/sync";
  config_.token_file = hub.zone_token(zone);
  config_.zone = std::move(zone);
  config_.ca_file = hub.ca_file();
  config_.store_dir = std::move(store);
  config_.software = "campaign/1";
}

void ClientNode::set_backoff(std::chrono::milliseconds base, std::chrono::milliseconds max) {
  config_.backoff.base = base;
  config_.backoff.max = max;
}

Status ClientNode::start() {
  auto made = client::Client::create(config_);
  if (!made) return fail(std::move(made.error()));
  client_ = std::move(*made);
  client_->on_cut([this](const client::Cut& cut) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    for (const client::CutChange& change : cut.changes) {
      applied_.emplace(change.revision.value, now);
    }
    return client::CutAnswer::ok();
  });
  return client_->start();
}

void ClientNode::stop() {
  if (client_) client_->stop();
  client_.reset();
}

std::uint64_t ClientNode::revision() const {
  const auto now = status();
  return now.cursor ? now.cursor->revision.value : 0;
}

std::optional<SteadyTime> ClientNode::applied_at(std::uint64_t revision) const {
  const std::lock_guard lock(mutex_);
  const auto found = applied_.find(revision);
  if (found == applied_.end()) return std::nullopt;
  return found->second;
}

std::map<std::string, std::string> ClientNode::values() const {
  std::map<std::string, std::string> found;
  client_->snapshot().for_each("MeshTimeout", [&](const Resource& resource) {
    found[resource.key.origin + '/' + resource.key.name] =
        text_at(parse_or_null(resource.spec), "/value");
  });
  return found;
}

std::optional<std::map<std::string, std::string>> values_at(HubNode& hub, const std::string& zone) {
  const auto all = hub.resources();
  if (!all) return std::nullopt;
  std::map<std::string, std::string> found;
  for (const auto& [name, text] : *all) {
    if (name.starts_with(zone + '/')) continue;
    found[name] = text_at(parse_or_null(text), "/spec/value");
  }
  return found;
}

}  // namespace zonesync::campaigns
