// Commands on the store of a running hub, through its API.
#include <boost/json.hpp>

#include "protocol/http/client.hpp"
#include "server/auth/secret.hpp"
#include "server/cmd/store_commands.hpp"

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
  return fail(ErrorCode::unavailable,
              "the running hub refused with status " + std::to_string(response->status) + ": " +
                  response->body,
              url + target);
}

}  // namespace

Result<std::uint64_t> checkpoint_online(const RunningHub& hub, const std::string& directory) {
  fs::path wanted = fs::absolute(directory).lexically_normal();
  if (!wanted.has_filename()) wanted = wanted.parent_path();
  std::error_code error;
  if (fs::exists(wanted, error)) {
    return fail(ErrorCode::conflict, "the directory of a checkpoint must not exist yet", directory);
  }
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
