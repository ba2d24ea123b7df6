#include "server/admin/write_request.hpp"

#include <algorithm>
#include <cctype>

#include "protocol/text/json_value.hpp"
#include "protocol/text/yaml_reader.hpp"
#include "server/admin/resource_json.hpp"

namespace zonesync::admin {
namespace {

/// "Application/JSON; charset=utf-8" → "application/json".
std::string media_type(std::string_view header) {
  std::string type(header.substr(0, header.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

Result<boost::json::value> read_yaml(std::string_view body) {
  const std::vector<text::YamlChunk> chunks = text::split_yaml(body);
  if (chunks.size() != 1) {
    return fail(ErrorCode::invalid_argument,
                chunks.empty() ? "the body is empty"
                               : "the body must be one YAML document; POST /transactions takes "
                                 "many resources");
  }
  return text::parse_yaml(chunks.front());
}

/// "/ops/3/spec" → prefix + "/3/spec"; without a prefix "/spec".
std::string translate_field(const std::string& from, const std::string& prefix) {
  constexpr std::string_view kOps = "ops/";
  std::string field = from;
  const std::size_t start = field.empty() || field.front() != '/' ? 0 : 1;
  if (field.compare(start, kOps.size(), kOps) != 0) return field;
  field.erase(0, start + kOps.size());
  if (!prefix.empty()) return prefix + '/' + field;
  const std::size_t slash = field.find('/');
  return slash == std::string::npos ? std::string() : field.substr(slash);
}

Result<Revision> read_tag(std::string_view tag) {
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') {
    tag = tag.substr(1, tag.size() - 2);
  }
  const std::optional<std::uint64_t> revision = parse_number(tag);
  if (!revision) {
    return fail(ErrorCode::invalid_argument, "must be one ETag as GET gave it, like \"7\"",
                "If-Match");
  }
  return Revision{*revision};
}

void log_write(const AdminContext& context, const std::string& actor,
               const hub::WriteResult& result) {
  if (!result.changed || !context.logger->enabled(LogLevel::debug)) return;
  context.logger->log({LogLevel::debug, "api.write", "a user's transaction was committed",
                       {{"actor", actor},
                        {"revision", std::to_string(result.revision.value)},
                        {"operations", std::to_string(result.outcomes.size())}}});
}

}  // namespace

tl::expected<boost::json::value, Problem> read_body(const Call& call) {
  const std::string type = media_type(call.http.headers.get("Content-Type"));
  const bool json = type.empty() || type == "application/json";
  const bool yaml =
      type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml";
  if (!json && !yaml) {
    return refuse(Problem{415, "unsupported_media_type",
                          "send application/json or application/yaml",
                          {{"Content-Type", "not a type that the hub reads"}}});
  }
  Result<boost::json::value> value =
      json ? text::parse_json(call.http.body) : read_yaml(call.http.body);
  if (!value) return refuse(value.error());
  return std::move(*value);
}

Result<hub::WriteRequest> base_request(const Call& call) {
  hub::WriteRequest request;
  const Result<bool> dry_run = query_flag(call, "dryRun");
  if (!dry_run) return fail(dry_run.error());
  request.dry_run = *dry_run;
  request.idempotency_key = call.http.headers.get("Idempotency-Key");
  if (request.idempotency_key.size() > limits::kIdempotencyKeyMaxBytes) {
    return fail(ErrorCode::too_large,
                "at most " + std::to_string(limits::kIdempotencyKeyMaxBytes) + " bytes",
                "Idempotency-Key");
  }
  request.actor = "user/" + call.user.subject;
  return request;
}

Status read_preconditions(const Call& call, hub::WriteOp& op) {
  const HttpHeaders& headers = call.http.headers;
  if (headers.has("If-None-Match")) {
    if (headers.get("If-None-Match") != "*") {
      return fail(ErrorCode::invalid_argument, "only * is possible here", "If-None-Match");
    }
    op.if_absent = true;
  }
  if (headers.has("If-Match")) {
    if (op.if_absent) {
      return fail(ErrorCode::invalid_argument, "cannot be combined with If-None-Match",
                  "If-Match");
    }
    const Result<Revision> revision = read_tag(headers.get("If-Match"));
    if (!revision) return fail(revision.error());
    op.if_match = *revision;
  }
  return {};
}

Status check_not_redacted(const TypeRegistry& registry, const Resource& resource) {
  const TypeInfo* info = registry.find(resource.key.type);
  if (info == nullptr || !info->sensitive || !is_redacted(resource.spec)) return {};
  return fail(ErrorCode::invalid_argument,
              "only admins see a secret, others see this; send the secret itself", "/spec");
}

boost::json::object outcome_json(const hub::WriteOutcome& outcome) {
  boost::json::object out;
  out["key"] = key_json(outcome.key);
  out["action"] = hub::to_string(outcome.action);
  out["revision"] = outcome.revision.value;
  return out;
}

void submit(Call call, hub::WriteRequest request, std::string field_prefix, WriteAnswer answer) {
  const ContextPtr context = call.context;
  const ReplyPtr reply = call.reply;
  const std::string actor = request.actor;
  hub::WriteDone done = [context, reply, actor, field_prefix = std::move(field_prefix),
                         answer = std::move(answer)](Result<hub::WriteResult> result) {
    context->executor.post([context, reply, actor, field_prefix, answer,
                            result = std::move(result)]() mutable {
      if (result) {
        log_write(*context, actor, *result);
        reply->send(answer(*result));
        return;
      }
      Error& error = result.error();
      error.field = translate_field(error.field, field_prefix);
      reply->send(problem_of(error));
    });
  };
  context->hub.submit(std::move(request), std::move(done));
}

}  // namespace zonesync::admin
