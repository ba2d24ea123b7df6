#include "protocol/http/client_wire.hpp"

#include <boost/beast/http/error.hpp>

#include "protocol/transport/asio_error.hpp"

namespace zonesync {

namespace http = boost::beast::http;

Result<HttpUrl> HttpUrl::parse(std::string_view text) {
  const auto bad = [&](const char* why) {
    return fail(ErrorCode::invalid_argument,
                "not a usable URL: '" + std::string(text) + "': " + why, "url");
  };
  HttpUrl url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    url.tls = false;
    url.port = 80;
  } else {
    return bad("it must begin with https:// or http://");
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (authority.find('@') != std::string_view::npos) return bad("no user or password in a URL");
  if (url.path.find_first_of("?# \r\n") != std::string::npos) return bad("no query in it");
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return bad("']' is missing");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (url.host.empty()) return bad("the host is missing");
  if (url.host.find_first_of(" \r\n") != std::string::npos) return bad("the host has a space");
  if (port.empty()) return url;
  unsigned number = 0;
  for (const char c : port.substr(1)) {
    if (c < '0' || c > '9' || number > 65535) return bad("the port is not a number");
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (port.front() != ':' || number == 0 || number > 65535) return bad("the port is not 1-65535");
  url.port = static_cast<std::uint16_t>(number);
  return url;
}

ConnectTarget connect_target(const HttpClientOptions& options) {
  return {.host = options.url.host,
          .port = options.url.port,
          .tls = options.url.tls ? options.tls : nullptr,
          .connect_address = {}};
}

std::string render_request(const HttpClientOptions& options, const HttpClientRequest& request,
                           bool close) {
  const auto field = [](std::string_view name, std::string_view value) {
    std::string line(name);
    line += ": ";
    for (const char c : value) {
      if (c != '\r' && c != '\n' && c != '\0') line += c;
    }
    return line + "\r\n";
  };
  const bool v6 = options.url.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + options.url.host + "]" : options.url.host;
  std::string out = request.method + " " + options.url.path + request.target + " HTTP/1.1\r\n";
  out += field("Host", host + ":" + std::to_string(options.url.port));
  out += field("User-Agent", options.user_agent);
  if (!options.bearer_token.empty()) {
    out += field("Authorization", "Bearer " + options.bearer_token);
  }
  for (const auto& [name, value] : request.headers.fields()) out += field(name, value);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    out += field("Content-Length", std::to_string(request.body.size()));
  }
  if (close) out += field("Connection", "close");
  return out + "\r\n" + request.body;
}

std::string describe_request(const HttpClientOptions& options, const HttpClientRequest& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  return request.method + (options.url.tls ? " https://" : " http://") + options.url.host + ":" +
         std::to_string(options.url.port) + options.url.path + path;
}

Error to_http_error(const boost::system::error_code& code, std::string_view what) {
  Error error = to_error(code, what);
  if (code == http::error::body_limit) {
    error.code = ErrorCode::too_large;
  } else if (code == http::error::end_of_stream || code == http::error::partial_message) {
    error = {ErrorCode::unavailable, std::string(what) + ": the server closed the connection", {}};
  } else if (code.category() == make_error_code(http::error::bad_method).category()) {
    error.code = ErrorCode::protocol;
  }
  return error;
}

}  // namespace zonesync
