// A hub without a connection, for cases that only pass or fail.
#pragma once

#include <memory>
#include <vector>

#include "conformance/suite/runner.hpp"
#include "conformance/suite/test.hpp"

namespace zonesync::conform::testing {

class FakeHub final : public HubSubject {
 public:
  [[nodiscard]] Capabilities capabilities() const override { return {"control"}; }
  tl::expected<std::unique_ptr<Link>, DialRefusal> connect(const DialOptions&) override {
    return tl::unexpected(DialRefusal{503, "", "a fake", false});
  }
  void advance(Duration) override {}
  Result<Revision> write(const std::vector<ControlOp>&) override { return none(); }
  Result<std::vector<Resource>> state() override { return none(); }
  Result<ZoneFacts> zone(const std::string&) override { return none(); }
  Status set_zone(const std::string&, const std::string&) override { return none(); }
  Status restart() override { return none(); }
  Status fault(const std::string&, std::uint64_t) override { return none(); }

 private:
  static tl::unexpected<Error> none() { return fail(ErrorCode::unsupported, "a fake"); }
};

class FakeFactory final : public SubjectFactory {
 public:
  [[nodiscard]] std::string name() const override { return "fake <&>"; }
  [[nodiscard]] bool has_zone() const override { return false; }
  std::shared_ptr<HubSubject> hub(std::uint64_t) override { return std::make_shared<FakeHub>(); }
  std::shared_ptr<ZoneSubject> zone(std::uint64_t) override { return nullptr; }
  [[nodiscard]] std::vector<Mode> modes() const override { return {Mode::delta, Mode::v1}; }
};

inline const std::vector<Case>& sample_cases() {
  static const std::vector<Case> cases = {
      on_hub("one.fails", "Fails in v1 <only>", {"SES-01"},
             [](HubTest& t) {
               t.transcript.note("said \"this\" & that");
               require(t.mode == Mode::delta, "SES-01: wrong <thing>");
             }),
      on_hub("one.passes", "Passes", {"SES-01", "SES-02"}, [](HubTest&) {}),
      on_hub("two.delta-only", "Only in delta", {"FLOW-01"}, [](HubTest&) {}).in(Modes::delta),
      on_hub("two.needs", "Needs a clock", {"FLOW-01"}, [](HubTest&) {}).needing({"clock"}),
      on_zone("two.zone", "Of the other face", {"FLOW-01"}, [](ZoneTest&) {}),
  };
  return cases;
}

}  // namespace zonesync::conform::testing
