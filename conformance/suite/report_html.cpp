#include <map>

#include "conformance/suite/clauses.hpp"
#include "conformance/suite/plot.hpp"
#include "conformance/suite/report.hpp"

namespace zonesync::conform {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>zonesync conformance</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.25em .5em;
text-align:left;vertical-align:top}.passed{background:#e2f4e4}.failed{background:#fbdada}
.skipped{background:#f1f1f1;color:#555}pre{overflow:auto;background:#f6f6f6;padding:.5em;
font-size:12px}code{font-size:13px}h2{margin-top:2em}summary{cursor:pointer}
</style></head><body>
)";

const VariantResult* variant_of(const CaseResult& result, Mode mode) {
  for (const VariantResult& variant : result.variants) {
    if (variant.mode == mode) return &variant;
  }
  return nullptr;
}

std::string cell(const VariantResult* variant) {
  if (variant == nullptr) return "<td>–</td>";
  const std::string word(to_string(variant->outcome));
  std::string text = "<td class=\"" + word + "\">" + word;
  if (variant->outcome != Outcome::passed) text += "<br><small>" + escaped(variant->text) +
                                                   "</small>";
  if (!variant->transcript.empty()) {
    text += "<details><summary>what was said</summary><pre>" + escaped(variant->transcript) +
            "</pre></details>";
  }
  return text + "</td>";
}

std::string clause_links(const Case& each) {
  std::string text;
  for (const std::string_view id : each.clauses) {
    text += "<a href=\"#" + std::string(id) + "\">" + std::string(id) + "</a> ";
  }
  return text;
}

std::string matrix(const RunResult& result) {
  std::string text;
  std::string_view group;
  for (const CaseResult& each : result.cases) {
    if (each.which->group() != group) {
      if (!group.empty()) text += "</table>\n";
      group = each.which->group();
      text += "<h2>" + escaped(group) +
              "</h2>\n<table><tr><th>case</th><th>face</th><th>clauses</th><th>delta</th>"
              "<th>v1</th></tr>\n";
    }
    text += "<tr><td><code>" + escaped(each.which->id) + "</code><br>" +
            escaped(each.which->title) + "</td><td>" +
            std::string(to_string(each.which->face())) + "</td><td>" +
            clause_links(*each.which) + "</td>" + cell(variant_of(each, Mode::delta)) +
            cell(variant_of(each, Mode::v1)) + "</tr>\n";
  }
  return text + (group.empty() ? "" : "</table>\n");
}

std::string clause_table() {
  std::map<std::string_view, std::string> named;
  for (const Case& each : catalogue()) {
    for (const std::string_view id : each.clauses) {
      named[id] += "<code>" + escaped(each.id) + "</code> ";
    }
  }
  std::string text = "<h2>Clauses</h2>\n<table><tr><th>id</th><th>text</th><th>cases</th></tr>\n";
  for (const Clause& clause : clauses()) {
    const auto found = named.find(clause.id);
    std::string by = "<b>uncovered</b>";
    if (!clause.untestable.empty()) by = "listed: " + escaped(clause.untestable);
    if (found != named.end()) by = found->second;
    text += "<tr id=\"" + std::string(clause.id) + "\"><td>" + std::string(clause.id) +
            "</td><td>" + escaped(clause.text) + "</td><td>" + by + "</td></tr>\n";
  }
  return text + "</table>\n";
}

/// What one script costs in delta and in v1, of the cases that passed in both.
std::string parity_plots(const RunResult& result) {
  std::vector<double> delta_bytes, v1_bytes;
  BarPair bytes{"bytes", 0, 0};
  BarPair messages{"messages", 0, 0};
  for (const CaseResult& each : result.cases) {
    const VariantResult* delta = variant_of(each, Mode::delta);
    const VariantResult* v1 = variant_of(each, Mode::v1);
    if (each.outcome != Outcome::passed || delta == nullptr || v1 == nullptr) continue;
    if (delta->outcome != Outcome::passed || v1->outcome != Outcome::passed) continue;
    delta_bytes.push_back(static_cast<double>(delta->bytes));
    v1_bytes.push_back(static_cast<double>(v1->bytes));
    bytes.delta += static_cast<double>(delta->bytes);
    bytes.v1 += static_cast<double>(v1->bytes);
    messages.delta += static_cast<double>(delta->messages);
    messages.v1 += static_cast<double>(v1->messages);
  }
  if (delta_bytes.empty()) return {};
  return "<h2>Delta beside v1</h2>\n<p>" + std::to_string(delta_bytes.size()) +
         " cases that passed in both modes. A history of resources, and CPU times: "
         "<code>zonesync-conform parity</code>.</p>\n" +
         bars("All of them together", "", {bytes, messages}) +
         dots("Bytes of each case", "B", delta_bytes, v1_bytes);
}

}  // namespace

std::string html_report(const RunResult& result) {
  return std::string(kHead) + "<h1>Conformance of <code>" + escaped(result.subject) +
         "</code></h1>\n<p>" + closing_line(result) + "; seed " + std::to_string(result.seed) +
         ".</p>\n" + matrix(result) + parity_plots(result) + clause_table() + "</body></html>\n";
}

}  // namespace zonesync::conform
