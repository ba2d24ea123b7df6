#include "server/cli/apply.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

std::string random_key() {
  std::random_device device;
  Id128 id;
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(device());
  return "apply-" + to_hex(id);
}

Refusal refusal_of(const Document& document, std::string reason) {
  return {document.file, document.line, to_string(document.key), std::move(reason)};
}

/// Statuses that judge the documents; others (credential, overload, bug) stop the whole run.
bool is_verdict(unsigned status) {
  return status == 400 || status == 404 || status == 409 || status == 412 || status == 413 ||
         status == 422;
}

std::string without_operation(std::string_view field) {
  const auto digits = field.find_first_of("0123456789");
  const auto rest = digits == field.npos ? field.npos : field.find('/', digits);
  return rest == field.npos ? std::string() : std::string(field.substr(rest));
}

struct Verdict {
  std::string reason;
  bool of_type = false;  // holds for every document of that type
};
/// By index of the operation.
using Verdicts = std::map<std::size_t, Verdict>;

/// What a problem+json body says about operations.
Verdicts refused_operations(const std::string& body, const std::string& message) {
  Verdicts refused;
  const auto problem = text::parse_json(body);
  if (!problem) return refused;
  const json::array* parameters = array_of(*problem, "invalid_parameters");
  if (parameters == nullptr) return refused;
  for (const json::value& parameter : *parameters) {
    const std::string field = text_of(parameter, "field");
    const auto index = operation_of(field);
    if (!index) continue;
    std::string reason = text_of(parameter, "reason");
    if (reason.empty()) reason = message;
    const std::string part = without_operation(field);
    if (!part.empty()) reason += " (at " + part + ")";
    const bool of_type = part == "/type" || part == "/resource/type";
    refused.emplace(*index, Verdict{std::move(reason), of_type});
  }
  return refused;
}

/// One run of apply. Life cycle: made per command. Thread rule: one thread.
class Applier {
 public:
  Applier(Api& api, const ApplyOptions& options) : api_(api), options_(options) {}

  /// False: the run is over, report().failure says why.
  bool send(std::vector<const Document*> batch);
  [[nodiscard]] ApplyReport& report() { return report_; }

 private:
  [[nodiscard]] HttpClientRequest request_of(const std::vector<const Document*>& batch) const;
  void count(const HttpResponse& response, std::size_t sent);
  /// What remains to be sent after a refusal; nullopt when the answer is no verdict.
  std::optional<std::vector<const Document*>> drop_refused(
      const HttpResponse& response, const std::vector<const Document*>& batch);
  bool stop(Failure failure, std::size_t not_sent);
  void refuse(const Document& document, std::string reason);
  /// Refuses what is of a type that the hub refused before: a thousand documents of a type that
  /// belongs to zones cost one answer.
  void drop_refused_types(std::vector<const Document*>& batch);

  Api& api_;
  const ApplyOptions& options_;
  ApplyReport report_;
  std::map<std::string, std::string> refused_types_;  // type -> reason
};

HttpClientRequest Applier::request_of(const std::vector<const Document*>& batch) const {
  HttpClientRequest request;
  request.method = "POST";
  request.target = options_.dry_run ? "/transactions?dryRun=true" : "/transactions";
  request.headers.add("Content-Type", "application/json");
  request.headers.add("Accept", "application/json");
  request.headers.add("Idempotency-Key", random_key());
  request.body = "{\"operations\":[";
  for (const Document* document : batch) {
    if (document != batch.front()) request.body += ',';
    request.body += "{\"op\":\"upsert\",\"resource\":" + document->json;
    if (options_.if_match) request.body += ",\"ifMatch\":" + std::to_string(*options_.if_match);
    request.body += '}';
  }
  request.body += "]}";
  return request;
}

void Applier::count(const HttpResponse& response, std::size_t sent) {
  const auto answer = text::parse_json(response.body);
  const json::array* outcomes = answer ? array_of(*answer, "outcomes") : nullptr;
  std::uint64_t unchanged = 0;
  if (outcomes != nullptr) {
    unchanged = static_cast<std::uint64_t>(
        std::count_if(outcomes->begin(), outcomes->end(), [](const json::value& outcome) {
          return text_of(outcome, "action") == "unchanged";
        }));
  }
  report_.unchanged += unchanged;
  report_.applied += sent - std::min<std::uint64_t>(unchanged, sent);
  if (!answer) return;
  report_.revision = std::max(report_.revision, number_of(*answer, "revision").value_or(0));
}

std::optional<std::vector<const Document*>> Applier::drop_refused(
    const HttpResponse& response, const std::vector<const Document*>& batch) {
  if (!is_verdict(response.status)) return {};
  report_.changed_since |= response.status == 412;
  const std::string message = failure_of(response).message;
  Verdicts refused = refused_operations(response.body, message);
  std::erase_if(refused, [&](const auto& entry) { return entry.first >= batch.size(); });
  if (refused.empty() && batch.size() == 1) refused.emplace(0, Verdict{message, false});
  if (refused.empty()) return {};
  std::vector<const Document*> rest;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto found = refused.find(i);
    if (found == refused.end()) {
      rest.push_back(batch[i]);
    } else {
      Verdict& verdict = found->second;
      if (verdict.of_type) refused_types_.emplace(batch[i]->key.type, verdict.reason);
      refuse(*batch[i], std::move(verdict.reason));
    }
  }
  drop_refused_types(rest);
  return rest;
}

void Applier::refuse(const Document& document, std::string reason) {
  report_.refusals.push_back(refusal_of(document, std::move(reason)));
}

void Applier::drop_refused_types(std::vector<const Document*>& batch) {
  std::erase_if(batch, [&](const Document* document) {
    const auto found = refused_types_.find(document->key.type);
    if (found == refused_types_.end()) return false;
    refuse(*document, found->second);
    return true;
  });
}

bool Applier::stop(Failure failure, std::size_t not_sent) {
  report_.failure = std::move(failure);
  report_.not_sent += not_sent;
  return false;
}

bool Applier::send(std::vector<const Document*> batch) {
  drop_refused_types(batch);
  while (!batch.empty()) {
    if (!api_.surroundings().keep_going()) {
      return stop({Exit::interrupted, "interrupted", {}, {}}, batch.size());
    }
    const Outcome<HttpResponse> response = api_.call_any(request_of(batch));
    if (!response) return stop(response.error(), batch.size());
    if (response->status < 300) {
      count(*response, batch.size());
      return true;
    }
    auto rest = drop_refused(*response, batch);
    if (!rest && response->status == 413 && batch.size() > 1 && !options_.atomic) {
      const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
      if (!send({batch.begin(), middle})) {
        report_.not_sent += static_cast<std::uint64_t>(batch.end() - middle);
        return false;
      }
      batch.erase(batch.begin(), middle);
      continue;
    }
    if (!rest) return stop(failure_of(*response), batch.size());
    if (options_.atomic) {
      report_.not_sent += rest->size();
      return true;
    }
    batch = std::move(*rest);
  }
  return true;
}

/// A repeated key has no meaning inside one transaction.
void refuse_repeated(Documents& documents) {
  std::map<ResourceKey, const Document*> first;
  for (const Document& document : documents.good) {
    const auto [seen, fresh] = first.emplace(document.key, &document);
    if (fresh) continue;
    documents.refused.push_back(refusal_of(
        document, "the same key stands in " + seen->second->file + ":" +
                      std::to_string(seen->second->line) +
                      "; with --atomic each key may occur once"));
  }
}

/// By file and line where files come in the order given.
void sort_refusals(std::vector<Refusal>& refusals, const std::vector<std::string>& files) {
  const auto place = [&](const Refusal& refusal) {
    return std::find(files.begin(), files.end(), refusal.file) - files.begin();
  };
  std::stable_sort(refusals.begin(), refusals.end(), [&](const Refusal& a, const Refusal& b) {
    const auto left = place(a);
    const auto right = place(b);
    return left != right ? left < right : a.line < b.line;
  });
}

std::vector<std::string> file_order(const Documents& documents) {
  std::vector<std::string> files;
  std::set<std::string> seen;
  for (const Document& document : documents.good) {
    if (seen.insert(document.file).second) files.push_back(document.file);
  }
  for (const Refusal& refusal : documents.refused) {
    if (seen.insert(refusal.file).second) files.push_back(refusal.file);
  }
  return files;
}

}  // namespace

std::optional<std::size_t> operation_of(std::string_view field) {
  if (field.starts_with('/')) field.remove_prefix(1);
  for (const std::string_view word : {"operations/", "ops/"}) {
    if (!field.starts_with(word)) continue;
    field.remove_prefix(word.size());
    const auto index = parse_number(field.substr(0, field.find('/')));
    if (!index) return {};
    return static_cast<std::size_t>(*index);
  }
  return {};
}

ApplyReport apply_documents(Api& api, Documents documents, const ApplyOptions& options) {
  const std::vector<std::string> files = file_order(documents);
  if (options.atomic) refuse_repeated(documents);
  Applier applier(api, options);
  ApplyReport& report = applier.report();
  report.dry_run = options.dry_run;
  report.refusals = std::move(documents.refused);

  std::vector<std::span<const Document>> batches;
  if (!options.atomic) {
    batches = cut_batches(documents.good, options.limits);
  } else if (report.refusals.empty() && !documents.good.empty()) {
    batches.emplace_back(documents.good);
  } else {
    report.not_sent = documents.good.size();
  }
  bool going = true;
  for (const std::span<const Document> batch : batches) {
    if (!going) {
      report.not_sent += batch.size();
      continue;
    }
    std::vector<const Document*> pointers;
    for (const Document& document : batch) pointers.push_back(&document);
    going = applier.send(std::move(pointers));
  }
  sort_refusals(report.refusals, files);
  return std::move(report);
}

std::string report_text(const ApplyReport& report) {
  std::string text;
  for (const Refusal& refusal : report.refusals) {
    text += "refused " + one_line(refusal.file) + ':' + std::to_string(refusal.line) + ' ' +
            (refusal.key.empty() ? "-" : one_line(refusal.key)) + ": " +
            one_line(refusal.reason) + '\n';
  }
  return text + (report.dry_run ? "would apply " : "applied ") + std::to_string(report.applied) +
         ", unchanged " + std::to_string(report.unchanged) + ", refused " +
         std::to_string(report.refusals.size()) + (report.dry_run ? ": a dry run\n" : "\n");
}

json::value report_json(const ApplyReport& report) {
  json::array refusals;
  for (const Refusal& refusal : report.refusals) {
    json::object entry;
    entry["file"] = refusal.file;
    entry["line"] = refusal.line;
    entry["key"] = refusal.key;
    entry["reason"] = refusal.reason;
    refusals.push_back(std::move(entry));
  }
  json::object object;
  object["applied"] = report.applied;
  if (report.dry_run) object["dry_run"] = true;
  object["unchanged"] = report.unchanged;
  object["refused"] = report.refusals.size();
  object["refusals"] = std::move(refusals);
  object["revision"] = report.revision;
  return object;
}

}  // namespace zonesync::cli
