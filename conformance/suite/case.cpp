#include "conformance/suite/case.hpp"

#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

void fail_case(std::string text) { throw Failed{std::move(text)}; }

std::string_view to_string(Face face) { return face == Face::hub ? "hub" : "zone"; }

std::string_view to_string(Mode mode) { return mode == Mode::delta ? "delta" : "v1"; }

std::string_view subprotocol(Mode mode) {
  return mode == Mode::delta ? "zonesync.v2.delta" : "zonesync.v1.sotw";
}

Case on_hub(std::string_view id, std::string_view title, std::vector<std::string_view> clauses,
            std::function<void(HubTest&)> script) {
  return Case{id, title, std::move(clauses), std::move(script), nullptr, Modes::both, {}};
}

Case on_zone(std::string_view id, std::string_view title, std::vector<std::string_view> clauses,
             std::function<void(ZoneTest&)> script) {
  return Case{id, title, std::move(clauses), nullptr, std::move(script), Modes::both, {}};
}

}  // namespace zonesync::conform
