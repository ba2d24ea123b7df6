// The API channel over HTTPS.
#include <fstream>

#include "protocol/transport/tls_context.hpp"
#include "server/cli/api.hpp"

namespace zonesync::cli {
namespace {

constexpr std::size_t kTokenFileMaxBytes = 16u << 10;
constexpr std::size_t kAnswerMaxBytes = 256u << 20;

class HttpsChannel final : public ApiChannel {
 public:
  explicit HttpsChannel(HttpClientOptions options) : client_(std::move(options)) {}

  Result<HttpResponse> request(HttpClientRequest request) override {
    return client_.request(std::move(request));
  }
  Result<HttpResponse> stream(HttpClientRequest request,
                              const BlockingHttpClient::LineHandler& on_line,
                              const BlockingHttpClient::KeepGoing& keep_going) override {
    return client_.stream_lines(std::move(request), on_line, keep_going);
  }

 private:
  BlockingHttpClient client_;
};

Outcome<std::string> read_token(const std::string& file) {
  const char* hint = "--token-file FILE or ZONESYNC_TOKEN_FILE names a file with an API token";
  std::ifstream in(file, std::ios::binary);
  std::string token(kTokenFileMaxBytes + 1, '\0');
  if (!in.read(token.data(), static_cast<std::streamsize>(token.size())) && in.gcount() == 0) {
    return give_up(Exit::usage, "cannot read the token file " + file, hint);
  }
  token.resize(static_cast<std::size_t>(in.gcount()));
  const auto first = token.find_first_not_of(" \t\r\n");
  const auto last = token.find_last_not_of(" \t\r\n");
  token = first == token.npos ? std::string() : token.substr(first, last - first + 1);
  if (token.empty() || token.size() > kTokenFileMaxBytes ||
      token.find_first_of(" \t\r\n") != token.npos) {
    return give_up(Exit::usage, "the token file " + file + " does not hold exactly one token",
                   hint);
  }
  return token;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Outcome<std::unique_ptr<ApiChannel>> open_channel(const ApiOptions& options) {
  Result<HttpUrl> url = HttpUrl::parse(options.url);
  if (!url) {
    return give_up(Exit::usage, "'" + options.url + "' is not an API address: " +
                                    url.error().message,
                   "--api https://HOST:5681 or ZONESYNC_API");
  }
  HttpClientOptions http;
  http.timeout = options.timeout;
  http.body_max_bytes = kAnswerMaxBytes;
  http.user_agent = "zonesync-cli";
  if (!options.token_file.empty()) {
    Outcome<std::string> token = read_token(options.token_file);
    if (!token) return give_up(token.error());
    if (!url->tls && !is_loopback(url->host)) {
      return give_up(Exit::usage, "a token is not sent in the clear to " + options.url,
                     "use an https address");
    }
    http.bearer_token = std::move(*token);
  }
  if (url->tls) {
    TlsClientOptions tls;
    tls.ca_file = options.ca_file;
    Result<std::shared_ptr<TlsContext>> context = TlsContext::client(tls);
    if (!context) {
      return give_up(Exit::usage, context.error().message, "--ca FILE or ZONESYNC_CA names the "
                                                           "hub's CA certificate in PEM");
    }
    http.tls = std::move(*context);
  }
  http.url = std::move(*url);
  return std::make_unique<HttpsChannel>(std::move(http));
}

}  // namespace zonesync::cli
