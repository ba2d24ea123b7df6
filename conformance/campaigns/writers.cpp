#include "conformance/campaigns/writers.hpp"

namespace zonesync::campaigns {

Writers::Writers(const HubNode& hub, unsigned clients, std::string prefix)
    : prefix_(std::move(prefix)) {
  for (unsigned number = 0; number < clients; ++number) clients_.push_back(hub.new_client());
  for (unsigned number = 0; number < clients; ++number) {
    threads_.emplace_back([this, number] { write(*clients_[number], number); });
  }
}

void Writers::write(BlockingHttpClient& client, unsigned number) {
  for (std::uint64_t i = 0; !stopping_; ++i) {
    const std::string name = prefix_ + '-' + std::to_string(number) + '-' + std::to_string(i);
    const std::string value = "v-" + name;
    HttpClientRequest request;
    request.method = "PUT";
    request.target = "/meshes/default/meshtimeouts/" + name;
    request.body = timeout_json(name, value);
    request.headers.set("Content-Type", "application/json");
    const auto response = client.request(std::move(request));
    if (!response) return;  // the hub is gone
    if (response->status != 201 && response->status != 200) continue;
    std::string tag(response->headers.get("ETag"));
    std::erase(tag, '"');
    {
      const std::lock_guard lock(mutex_);
      acked_[name] = {value, std::strtoull(tag.c_str(), nullptr, 10)};
    }
    ++count_;
  }
}

bool Writers::wait_acked(std::uint64_t writes) {
  return eventually([&] { return count_ >= writes; });
}

void Writers::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

Judged judge_acked(HubNode& hub, const std::map<std::string, AckedWrite>& acked) {
  Judged judged;
  for (const auto& [name, write] : acked) {
    const HttpResponse response = hub.call("GET", "/meshes/default/meshtimeouts/" + name);
    std::string tag(response.headers.get("ETag"));
    std::erase(tag, '"');
    std::string what;
    if (text_at(parse_or_null(response.body), "/spec/value") != write.value) {
      ++judged.lost;
      what = "is lost: " + response.body;
    } else if (tag != std::to_string(write.revision)) {
      ++judged.moved;
      what = "is at revision " + tag;
    }
    if (!what.empty() && judged.first.empty()) {
      judged.first = name + ", acknowledged at revision " + std::to_string(write.revision) + ", " +
                     what;
    }
  }
  return judged;
}

std::string verify_store(const HubNode& hub) {
  const Ran verified = run({hub.program(), "store", "verify", "--json", "--store", hub.store()});
  return verified.code == 0 ? std::string() : verified.output;
}

}  // namespace zonesync::campaigns
