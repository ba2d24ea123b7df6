// Commands on the store of a running hub, through its API.
#include <boost/json.hpp>

#include "protocol/http/client.hpp"
#include "server/auth/secret.hpp"
#include "server/cmd/store_commands.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync::cmd {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kTokenMaxBytes = 16'384;
constexpr auto kPatience = std::chrono::minutes(5);  // a flush of a busy disk takes its time

std::string api_url(const HubConfig& config) {
  std::string host = config.listen_api.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "https://" + host + ":" + std::to_string(config.listen_api.port);
}

ErrorCode code_of(unsigned status, std::string_view word) {
  if (word == to_string(ErrorCode::resource_exhausted)) return ErrorCode::resource_exhausted;
  switch (status) {
    case 400: return ErrorCode::invalid_argument;
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::forbidden;
    case 409: return ErrorCode::conflict;
    default: return ErrorCode::unavailable;
  }
}

std::string text_of(const json::object& problem, std::string_view name) {
  const json::value* member = problem.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->as_string()) : "";
}

/// A refusal in the API's words: its body is application/problem+json.
Error refusal(const HttpResponse& response, const std::string& where) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(response.body, failed);
  const json::object none;
  const json::object& problem = !failed && parsed.is_object() ? parsed.as_object() : none;
  std::string detail = text_of(problem, "detail");
  if (detail.empty()) detail = "it answered " + std::to_string(response.status);
  return Error{code_of(response.status, text_of(problem, "code")),
               "the running hub refused: " + detail, where};
}

/// Errors: those of the connection; what the API refused, in its words.
Result<HttpResponse> post(const RunningHub& hub, const std::string& target, std::string body) {
  const std::string url = hub.api.empty() ? api_url(hub.config) : hub.api;
  const fs::path token_file = hub.token_file.empty()
                                  ? fs::absolute(hub.config_file).parent_path() / "admin.token"
                                  : fs::path(hub.token_file);
  const auto token = auth::read_secret_file(token_file, kTokenMaxBytes);
  if (!token) return fail(token.error());
  HttpClientOptions options;
  auto parsed = HttpUrl::parse(url);
  if (!parsed) return fail(std::move(parsed.error()));
  options.url = std::move(*parsed);
  TlsClientOptions tls;
  tls.ca_file = hub.config.tls_ca_file.string();
  auto context = TlsContext::client(tls);
  if (!context) return fail(std::move(context.error()));
  options.tls = std::move(*context);
  options.bearer_token = token->expose().substr(0, token->expose().find('\n'));
  options.timeout = kPatience;
  BlockingHttpClient client(std::move(options));
  HttpClientRequest request;
  request.method = "POST";
  request.target = target;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  auto response = client.request(std::move(request));
  if (!response || response->status < 300) return response;
  return fail(refusal(*response, url + target));
}

}  // namespace

Result<std::uint64_t> checkpoint_online(const RunningHub& hub, const std::string& directory) {
  fs::path wanted = fs::absolute(directory).lexically_normal();
  if (!wanted.has_filename()) wanted = wanted.parent_path();
  std::error_code error;
  if (fs::exists(wanted, error)) {
    return fail(ErrorCode::conflict, "the directory of a checkpoint must not exist yet", directory);
  }
  const Status outside = check_outside_store(wanted.string(), hub.config.storage_dir.string());
  if (!outside) return fail(outside.error());
  const json::object body{{"name", wanted.filename().string()}};
  const auto answer = post(hub, "/store/checkpoint", json::serialize(body));
  if (!answer) return fail(answer.error());
  boost::system::error_code failed;
  const json::value made = json::parse(answer->body, failed);
  const json::object* fields = failed ? nullptr : made.if_object();
  if (fields == nullptr || !fields->contains("directory") || !fields->contains("head")) {
    return fail(ErrorCode::protocol, "the hub's answer is not that of a checkpoint", directory);
  }
  const fs::path there(fields->at("directory").as_string().c_str());
  const auto head = fields->at("head").to_number<std::uint64_t>(failed);
  if (fs::weakly_canonical(there, error) == fs::weakly_canonical(wanted, error)) return head;
  fs::rename(there, wanted, error);
  if (!error) fs::rename(there.string() + ".anchor", wanted.string() + ".anchor", error);
  if (error) {
    return fail(ErrorCode::storage_io,
                "the checkpoint was made in " + there.string() + " but cannot be moved: " +
                    error.message(),
                directory);
  }
  return head;
}

Status complete_online(const RunningHub& hub) {
  const auto answer = post(hub, "/store/complete", {});
  return answer ? Status() : Status(fail(answer.error()));
}

}  // namespace zonesync::cmd
