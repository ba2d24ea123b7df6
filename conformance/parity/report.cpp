#include <cmath>
#include <cstdio>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "conformance/parity/parity.hpp"

namespace zonesync::conform::parity {
namespace {

namespace json = boost::json;

std::uint64_t whole(double value) { return static_cast<std::uint64_t>(std::llround(value)); }

json::object mean_json(const Mean& mean) {
  json::object object;
  object["bytes"] = whole(mean.bytes);
  object["messages"] = std::round(mean.messages * 100) / 100;
  object["hub_cpu_ns"] = whole(mean.hub_cpu_ns);
  object["apply_ns"] = whole(mean.apply_ns);
  return object;
}

json::object cost_json(const Cost& cost) {
  json::object object;
  object["bytes"] = cost.bytes;
  object["messages"] = cost.messages;
  object["hub_cpu_ns"] = cost.hub_cpu_ns;
  object["apply_ns"] = cost.apply_ns;
  return object;
}

/// {changes, delta, v1} of some steps.
json::object part_json(const Figures& figures, Which which, bool with_max) {
  const Mean delta = mean_of(figures, figures.delta, which);
  const Mean v1 = mean_of(figures, figures.v1, which);
  json::object object;
  object["steps"] = delta.steps;
  object["delta"] = mean_json(delta);
  object["v1"] = mean_json(v1);
  if (with_max) {
    object["delta"].get_object()["bytes_max"] = delta.bytes_max;
    object["v1"].get_object()["bytes_max"] = v1.bytes_max;
  }
  return object;
}

json::array strings(const std::vector<std::string>& texts) {
  json::array all;
  for (const std::string& text : texts) all.push_back(json::value(text));
  return all;
}

std::string line_of(const char* name, const Mean& delta, const Mean& v1) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%-14s %12.0f %8.2f %10.1f %10.1f   %12.0f %8.2f %10.1f %10.1f\n", name,
                delta.bytes, delta.messages, delta.hub_cpu_ns / 1'000, delta.apply_ns / 1'000,
                v1.bytes, v1.messages, v1.hub_cpu_ns / 1'000, v1.apply_ns / 1'000);
  return text;
}

}  // namespace

Mean as_mean(const Cost& cost) {
  Mean mean;
  mean.bytes = static_cast<double>(cost.bytes);
  mean.messages = static_cast<double>(cost.messages);
  mean.hub_cpu_ns = static_cast<double>(cost.hub_cpu_ns);
  mean.apply_ns = static_cast<double>(cost.apply_ns);
  return mean;
}

std::string json_report(const Figures& figures) {
  json::object report;
  report["source"] = figures.source;
  report["seed"] = figures.seed;
  report["documents"] = figures.documents;
  report["skipped"] = figures.skipped.size();
  report["skips"] = strings(figures.skipped);
  report["registered"] = strings(figures.registered);
  report["keys"] = figures.keys;
  report["resources"] = figures.resources;
  report["state_bytes"] = figures.state_bytes;
  report["replicas_equal"] = figures.replicas_equal;
  if (!figures.difference.empty()) report["difference"] = figures.difference;
  report["audits"] = figures.delta.audits + figures.v1.audits;
  report["changes"] = figures.changes;
  report["delta"] = mean_json(mean_of(figures, figures.delta, Which::all));
  report["v1"] = mean_json(mean_of(figures, figures.v1, Which::all));
  report["one_change"] = part_json(figures, Which::one_update, true);
  report["down"] = part_json(figures, Which::down, false);
  report["up"] = part_json(figures, Which::up, false);
  json::object full;
  full["resources"] = figures.full_down_resources;
  full["delta"] = cost_json(figures.delta.full_down);
  full["v1"] = cost_json(figures.v1.full_down);
  json::object up;
  up["resources"] = figures.full_up_resources;
  up["delta"] = cost_json(figures.delta.full_up);
  up["v1"] = cost_json(figures.v1.full_up);
  full["up"] = std::move(up);
  report["full_sync"] = std::move(full);
  return json::serialize(report) + "\n";
}

std::string text_report(const Figures& figures) {
  std::string text = "parity of " + figures.source + ", seed " + std::to_string(figures.seed) +
                     "\n" + std::to_string(figures.documents) + " documents, " +
                     std::to_string(figures.skipped.size()) + " skipped, " +
                     std::to_string(figures.keys) + " keys, " +
                     std::to_string(figures.changes) + " changes, " +
                     std::to_string(figures.resources) + " resources of " +
                     std::to_string(figures.state_bytes) + " bytes at the end\n";
  for (const std::string& each : figures.registered) {
    text += "  registered for the run: " + each + "\n";
  }
  for (const std::string& each : figures.skipped) text += "  skipped " + each + "\n";
  text += "replicas equal: ";
  text += figures.replicas_equal ? "yes, at each of " +
                                       std::to_string(figures.delta.audits + figures.v1.audits) +
                                       " comparisons\n"
                                 : "NO: " + figures.difference + "\n";
  if (!figures.replicas_equal) return text;
  text += "\nper change and connection  (messages, microseconds of the hub, of the zones)\n"
          "                      delta  messages        hub      zones             v1  messages"
          "        hub      zones\n";
  const auto part = [&](const char* name, Which which) {
    const Mean delta = mean_of(figures, figures.delta, which);
    if (delta.crossings > 0) text += line_of(name, delta, mean_of(figures, figures.v1, which));
  };
  part("all", Which::all);
  part("one update", Which::one_update);
  part("down", Which::down);
  part("up", Which::up);
  text += "in all\n";
  text += line_of("full sync", as_mean(figures.delta.full_down), as_mean(figures.v1.full_down));
  text += line_of("full sync up", as_mean(figures.delta.full_up), as_mean(figures.v1.full_up));
  text += "a full sync: " + std::to_string(figures.full_down_resources) + " resources, up " +
          std::to_string(figures.full_up_resources) + "\n";
  return text;
}

}  // namespace zonesync::conform::parity
