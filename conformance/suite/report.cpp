#include "conformance/suite/report.hpp"

#include <cstdio>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "conformance/suite/clauses.hpp"

namespace zonesync::conform {
namespace {

namespace json = boost::json;

std::string seconds(double milliseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", milliseconds / 1'000);
  return text;
}

json::array strings(const std::vector<std::string_view>& texts) {
  json::array all;
  for (const std::string_view text : texts) all.push_back(json::value(text));
  return all;
}

json::object variant_json(const VariantResult& variant) {
  json::object object;
  object["mode"] = to_string(variant.mode);
  object["outcome"] = to_string(variant.outcome);
  if (!variant.text.empty()) object["text"] = variant.text;
  if (!variant.transcript.empty()) object["transcript"] = variant.transcript;
  object["messages"] = variant.messages;
  object["bytes"] = variant.bytes;
  object["ms"] = variant.milliseconds;
  return object;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        out += static_cast<unsigned char>(byte) < 0x20 && byte != '\n' && byte != '\t' ? '?' : byte;
    }
  }
  return out;
}

std::string case_line(const CaseResult& result) {
  std::string line = std::string(to_string(result.outcome)) + "  " + std::string(result.which->id);
  for (const VariantResult& variant : result.variants) {
    if (variant.outcome == Outcome::passed) continue;
    line += "\n    " + std::string(to_string(variant.mode)) + " " +
            std::string(to_string(variant.outcome)) + ": " + variant.text;
  }
  return line;
}

std::string closing_line(const RunResult& result) {
  return std::to_string(result.passed) + " passed, " + std::to_string(result.failed) +
         " failed, " + std::to_string(result.skipped) + " skipped";
}

std::string text_report(const RunResult& result) {
  std::string text = "conformance of " + result.subject + ", seed " + std::to_string(result.seed) +
                     "\n";
  for (const CaseResult& each : result.cases) {
    if (each.outcome == Outcome::passed) continue;
    text += case_line(each) + "\n";
    for (const VariantResult& variant : each.variants) {
      if (variant.transcript.empty()) continue;
      text += "    --- " + std::string(to_string(variant.mode)) + "\n" + variant.transcript;
    }
  }
  return text + to_text(coverage_of(catalogue()));
}

std::string json_report(const RunResult& result) {
  json::object report;
  report["subject"] = result.subject;
  report["seed"] = result.seed;
  report["passed"] = result.passed;
  report["failed"] = result.failed;
  report["skipped"] = result.skipped;
  json::array cases;
  for (const CaseResult& each : result.cases) {
    json::object object;
    object["id"] = each.which->id;
    object["title"] = each.which->title;
    object["face"] = to_string(each.which->face());
    object["clauses"] = strings(each.which->clauses);
    object["needs"] = strings(each.which->needs);
    object["outcome"] = to_string(each.outcome);
    json::array variants;
    for (const VariantResult& variant : each.variants) variants.push_back(variant_json(variant));
    object["variants"] = std::move(variants);
    cases.push_back(std::move(object));
  }
  report["cases"] = std::move(cases);
  const Coverage coverage = coverage_of(catalogue());
  json::object covered;
  covered["clauses"] = clauses().size();
  covered["covered"] = coverage.covered.size();
  covered["uncovered"] = strings(coverage.uncovered);
  json::object listed;
  for (const std::string_view id : coverage.listed) listed[id] = find_clause(id)->untestable;
  covered["listed"] = std::move(listed);
  report["coverage"] = std::move(covered);
  return json::serialize(report) + "\n";
}

std::string junit_report(const RunResult& result) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"" +
                    escaped("zonesync-conform " + result.subject) + "\" tests=\"" +
                    std::to_string(result.cases.size()) + "\" failures=\"" +
                    std::to_string(result.failed) + "\" skipped=\"" +
                    std::to_string(result.skipped) + "\">\n";
  for (const CaseResult& each : result.cases) {
    double total = 0;
    std::string why;
    std::string detail;
    for (const VariantResult& variant : each.variants) {
      total += variant.milliseconds;
      if (variant.outcome == Outcome::passed) continue;
      why += std::string(to_string(variant.mode)) + ": " + variant.text + " ";
      detail += variant.transcript;
    }
    xml += "<testcase classname=\"" + escaped(each.which->group()) + "\" name=\"" +
           escaped(each.which->id) + "\" time=\"" + seconds(total) + "\">";
    if (each.outcome == Outcome::failed) {
      xml += "<failure message=\"" + escaped(why) + "\">" + escaped(detail) + "</failure>";
    } else if (each.outcome == Outcome::skipped) {
      xml += "<skipped message=\"" + escaped(why) + "\"/>";
    }
    xml += "</testcase>\n";
  }
  return xml + "</testsuite></testsuites>\n";
}

}  // namespace zonesync::conform
