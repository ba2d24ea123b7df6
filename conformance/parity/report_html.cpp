#include <cstdio>

#include "conformance/parity/parity.hpp"
#include "conformance/suite/plot.hpp"
#include "conformance/suite/report.hpp"

namespace zonesync::conform::parity {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>zonesync parity</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25em .7em;text-align:right}
td:first-child,th:first-child{text-align:left}.passed{background:#e2f4e4}.failed{background:#fbdada}
figure{margin:2em 0}figcaption{font-weight:600;margin-bottom:.4em}svg{width:100%}
</style></head><body>
)";

std::string cell(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "<td>%.*f</td>", digits, value);
  return text;
}

std::string row(const std::string& name, const Mean& delta, const Mean& v1) {
  std::string text = "<tr><td>" + escaped(name) + "</td>";
  for (const Mean* mean : {&delta, &v1}) {
    text += cell(mean->bytes, 0) + cell(mean->messages, 2) +
            cell(mean->hub_cpu_ns / 1'000, 1) + cell(mean->apply_ns / 1'000, 1);
  }
  return text + "</tr>\n";
}

/// A line of the table, and a pair of bars in each plot.
struct Line {
  std::string name;
  Mean delta, v1;
};

std::vector<Line> lines_of(const Figures& figures) {
  std::vector<Line> lines;
  const auto part = [&](std::string name, Which which) {
    Line line{std::move(name), mean_of(figures, figures.delta, which),
              mean_of(figures, figures.v1, which)};
    if (line.delta.crossings > 0) lines.push_back(std::move(line));
  };
  part("all changes", Which::all);
  part("one update", Which::one_update);
  part("down", Which::down);
  part("up", Which::up);
  lines.push_back({"full sync", as_mean(figures.delta.full_down), as_mean(figures.v1.full_down)});
  lines.push_back({"full sync up", as_mean(figures.delta.full_up), as_mean(figures.v1.full_up)});
  return lines;
}

std::string plots(const Figures& figures, const std::vector<Line>& lines) {
  std::vector<BarPair> bytes, messages, hub, apply;
  for (const Line& line : lines) {
    bytes.push_back({line.name, line.delta.bytes, line.v1.bytes});
    messages.push_back({line.name, line.delta.messages, line.v1.messages});
    hub.push_back({line.name, line.delta.hub_cpu_ns / 1'000, line.v1.hub_cpu_ns / 1'000});
    apply.push_back({line.name, line.delta.apply_ns / 1'000, line.v1.apply_ns / 1'000});
  }
  const auto per_step = [](const ModeFigures& mode) {
    std::vector<double> values;
    for (const StepCost& step : mode.steps) {
      if (step.crossings == 0) continue;
      values.push_back(static_cast<double>(step.cost.bytes) /
                       static_cast<double>(step.crossings));
    }
    return values;
  };
  return bars("Bytes", "B", bytes) + bars("Messages", "", messages) +
         bars("CPU time of the hub", "\xC2\xB5s", hub) +
         bars("CPU time of the zones", "\xC2\xB5s", apply) +
         dots("Bytes of each change on a connection", "B", per_step(figures.delta),
              per_step(figures.v1));
}

}  // namespace

std::string html_report(const Figures& figures) {
  std::string text = std::string(kHead) + "<h1>Delta beside v1: <code>" +
                     escaped(figures.source) + "</code></h1>\n<p>" +
                     std::to_string(figures.documents) + " documents, " +
                     std::to_string(figures.skipped.size()) + " skipped, " +
                     std::to_string(figures.keys) + " keys, " +
                     std::to_string(figures.changes) + " changes, seed " +
                     std::to_string(figures.seed) + ".</p>\n<p class=\"" +
                     (figures.replicas_equal ? "passed" : "failed") + "\">Replicas equal: " +
                     (figures.replicas_equal ? "yes" : "no: " + escaped(figures.difference)) +
                     "</p>\n";
  if (figures.replicas_equal) {
    const std::vector<Line> lines = lines_of(figures);
    text += "<table><tr><th rowspan=\"2\"></th><th colspan=\"4\">delta</th>"
            "<th colspan=\"4\">v1</th></tr>\n<tr>";
    for (int at = 0; at < 2; ++at) {
      text += "<th>bytes</th><th>messages</th><th>hub \xC2\xB5s</th><th>zones \xC2\xB5s</th>";
    }
    text += "</tr>\n";
    for (const Line& line : lines) text += row(line.name, line.delta, line.v1);
    text += "</table>\n<p>Changes: mean per change and connection that carries it. Full syncs: " +
            std::to_string(figures.full_down_resources) + " resources down, " +
            std::to_string(figures.full_up_resources) +
            " up, in all. Bytes and messages are websocket payloads of both directions; CPU time "
            "is that of the cores, without TLS and disks.</p>\n" + plots(figures, lines);
  }
  for (const std::string& each : figures.skipped) text += "<p>skipped " + escaped(each) + "</p>\n";
  return text + "</body></html>\n";
}

}  // namespace zonesync::conform::parity
