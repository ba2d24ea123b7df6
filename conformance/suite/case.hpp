// What a conformance case is, and how a failing one says so.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zonesync::conform {

class HubTest;
class ZoneTest;

/// Thrown by checks inside a script, caught by the runner; never leaves the suite.
struct Failed {
  std::string text;
};
[[noreturn]] void fail_case(std::string text);
inline void require(bool holds, const std::string& text) {
  if (!holds) fail_case(text);
}

enum class Face : std::uint8_t { hub, zone };
[[nodiscard]] std::string_view to_string(Face face);

enum class Modes : std::uint8_t { both, delta, v1 };

/// One case: a short script against one face. `id` is group.name; clauses are ids of
/// docs/protocol.md.
struct Case {
  std::string_view id;
  std::string_view title;
  std::vector<std::string_view> clauses;
  std::function<void(HubTest&)> hub_script;    // exactly one of the two
  std::function<void(ZoneTest&)> zone_script;
  Modes modes = Modes::both;
  std::vector<std::string_view> needs;         // capabilities

  [[nodiscard]] Face face() const { return hub_script ? Face::hub : Face::zone; }
  [[nodiscard]] std::string_view group() const { return id.substr(0, id.find('.')); }
  Case&& in(Modes which) && {
    modes = which;
    return std::move(*this);
  }
  Case&& needing(std::vector<std::string_view> what) && {
    needs = std::move(what);
    return std::move(*this);
  }
};

[[nodiscard]] Case on_hub(std::string_view id, std::string_view title,
                          std::vector<std::string_view> clauses,
                          std::function<void(HubTest&)> script);
[[nodiscard]] Case on_zone(std::string_view id, std::string_view title,
                           std::vector<std::string_view> clauses,
                           std::function<void(ZoneTest&)> script);

/// Every case, sorted by id.
[[nodiscard]] const std::vector<Case>& catalogue();

}  // namespace zonesync::conform
