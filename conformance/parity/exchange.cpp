#include "conformance/parity/exchange.hpp"

#include <time.h>

#include <algorithm>

#include "conformance/adapters/self_hub.hpp"
#include "conformance/suite/case.hpp"

namespace zonesync::conform::parity {
namespace {

std::uint64_t cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// Adds the CPU time of its life.
class Meter {
 public:
  explicit Meter(std::uint64_t& sum) : sum_(sum), began_(cpu_ns()) {}
  ~Meter() { sum_ += cpu_ns() - began_; }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

 private:
  std::uint64_t& sum_;
  std::uint64_t began_;
};

/// Calls `flush` with a state's upserts in pieces within the limits of one transaction.
template <class Flush>
void in_pieces(const State& state, const Flush& flush) {
  std::vector<ControlOp> ops;
  std::size_t bytes = 0;
  for (const auto& [key, resource] : state) {
    const std::size_t size = resource.spec.size() + resource.status.size() + 1'024;
    const bool full = ops.size() >= limits::kUpPieceMaxChanges / 2 ||
                      bytes + size > limits::kUpPieceMaxBytes / 2;
    if (!ops.empty() && full) {
      flush(std::exchange(ops, {}));
      bytes = 0;
    }
    ops.push_back({false, resource});
    bytes += size;
  }
  if (!ops.empty()) flush(std::move(ops));
}

State by_key(const Result<std::vector<Resource>>& list, const std::string& who) {
  require(list.has_value(), who + " cannot be read: " + (list ? "" : describe(list.error())));
  State state;
  for (const Resource& each : *list) state[each.key] = each;
  return state;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  bytes += other.bytes;
  messages += other.messages;
  hub_cpu_ns += other.hub_cpu_ns;
  apply_ns += other.apply_ns;
  return *this;
}

Cost Cost::operator-(const Cost& other) const {
  return {bytes - other.bytes, messages - other.messages, hub_cpu_ns - other.hub_cpu_ns,
          apply_ns - other.apply_ns};
}

Exchange::Exchange(Mode mode, std::uint64_t seed, std::shared_ptr<const TypeRegistry> types)
    : mode_(mode), seed_(seed), types_(std::move(types)), hub_(make_self_hub(seed_, types_)) {}

void Exchange::publish(ZoneSubject& zone, const State& state) {
  in_pieces(state, [&](const std::vector<ControlOp>& ops) {
    const Status done = zone.publish(ops);
    require(done.has_value(), "a zone cannot publish: " + (done ? "" : describe(done.error())));
  });
}

void Exchange::join(const std::string& zone, const State& published) {
  Member joined;
  joined.name = zone;
  joined.zone = make_self_zone(seed_ * 100 + members_.size() + 1, types_);
  ClientOptions options;
  options.zone = zone;
  options.mode = mode_;
  require(joined.zone->start(options).has_value(), "zone " + zone + " does not start");
  publish(*joined.zone, published);
  joined.at_zone = joined.zone->accept(mode_);
  require(joined.at_zone != nullptr, "zone " + zone + " does not connect");
  DialOptions dial;
  dial.zone = zone;
  dial.subprotocols = {std::string(subprotocol(mode_))};
  auto link = hub_->connect(dial);
  require(link.has_value(), "the hub takes no connection of zone " + zone);
  joined.at_hub = std::move(*link);
  members_.push_back(std::move(joined));
  settle();
}

void Exchange::trim() {
  const Status done = hub_->fault("trim", 0);
  require(done.has_value(), "the hub cannot trim: " + (done ? "" : describe(done.error())));
}

void Exchange::load(const State& state) {
  in_pieces(state, [&](const std::vector<ControlOp>& ops) {
    const Meter meter(cost_.hub_cpu_ns);
    const auto written = hub_->write(ops);
    require(written.has_value(),
            "the hub refuses: " + (written ? "" : describe(written.error())));
  });
  settle();
}

void Exchange::play(const Step& step) {
  if (step.up) {
    const Status done = member(std::string(kOwnerZone)).zone->publish(step.ops);
    require(done.has_value(), "a zone cannot publish: " + (done ? "" : describe(done.error())));
  } else {
    const Meter meter(cost_.hub_cpu_ns);
    const auto written = hub_->write(step.ops);
    require(written.has_value(),
            "the hub refuses: " + (written ? "" : describe(written.error())));
  }
  settle();
}

bool Exchange::carry(Member& each) {
  bool moved = false;
  const auto next = [](Link& link, std::uint64_t& sum) {
    const Meter meter(sum);
    return link.receive();
  };
  const auto hand = [&](Link& link, std::string message, std::uint64_t& sum) {
    cost_.bytes += message.size();
    cost_.messages += 1;
    const Meter meter(sum);
    link.send(std::move(message));
    moved = true;
  };
  while (auto message = next(*each.at_hub, cost_.hub_cpu_ns)) {
    hand(*each.at_zone, std::move(*message), cost_.apply_ns);
  }
  while (auto message = next(*each.at_zone, cost_.apply_ns)) {
    hand(*each.at_hub, std::move(*message), cost_.hub_cpu_ns);
  }
  for (const Link* link : {each.at_hub.get(), each.at_zone.get()}) {
    const auto end = link->closed();
    require(!end, "the connection of zone " + each.name + " ended: " +
                      (end ? std::to_string(end->code) + " " + end->reason : ""));
  }
  return moved;
}

void Exchange::settle() {
  constexpr int kRoundsMax = 100'000;
  int rounds = 0;
  for (bool moved = true; moved;) {
    require(++rounds < kRoundsMax, "hub and zones never come to rest");
    moved = false;
    for (Member& each : members_) moved = carry(each) || moved;
  }
}

Exchange::Member& Exchange::member(const std::string& zone) {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const Member& each) { return each.name == zone; });
  require(found != members_.end(), "there is no zone " + zone);
  return *found;
}

State Exchange::zone_state(const std::string& zone) {
  return by_key(member(zone).zone->store(), "the store of zone " + zone);
}

State Exchange::hub_state() { return by_key(hub_->state(), "the hub's state"); }

}  // namespace zonesync::conform::parity
