#include "server/cli/api.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

constexpr int kTriesMax = 5;
constexpr std::uint64_t kRetryAfterMaxSeconds = 10;

bool asks_to_wait(const HttpResponse& response) {
  return response.status == 429 || (response.status == 503 && !is_disk_full(response));
}

Duration retry_after(const HttpResponse& response) {
  const auto seconds = parse_number(response.headers.get("Retry-After"));
  const std::uint64_t bounded = std::min(seconds.value_or(1), kRetryAfterMaxSeconds);
  return std::chrono::seconds(std::max<std::uint64_t>(bounded, 1));
}

/// A lost POST may have been committed; with an idempotency key asking again is safe.
bool may_repeat(const HttpClientRequest& request, const Error& error) {
  return error.code == ErrorCode::unavailable && request.headers.has("Idempotency-Key");
}

}  // namespace

Api::Api(std::unique_ptr<ApiChannel> channel, std::string url, Surroundings surroundings)
    : channel_(std::move(channel)), url_(std::move(url)), surroundings_(std::move(surroundings)) {}

Outcome<HttpResponse> Api::call_any(HttpClientRequest request) {
  bool repeated = false;
  for (int tries = 1;; ++tries) {
    Result<HttpResponse> response = channel_->request(request);
    if (!response) {
      if (repeated || !may_repeat(request, response.error())) {
        return give_up(failure_of(response.error(), url_));
      }
      repeated = true;
      continue;
    }
    if (!asks_to_wait(*response) || tries == kTriesMax || !surroundings_.keep_going()) {
      return std::move(*response);
    }
    surroundings_.sleep(retry_after(*response));
  }
}

Outcome<HttpResponse> Api::call(HttpClientRequest request) {
  Outcome<HttpResponse> response = call_any(std::move(request));
  if (response && response->status >= 300) return give_up(failure_of(*response));
  return response;
}

Outcome<boost::json::value> Api::get(std::string target) {
  return send("GET", std::move(target));
}

Outcome<boost::json::value> Api::send(std::string method, std::string target, std::string body) {
  HttpClientRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.add("Accept", "application/json");
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  const Outcome<HttpResponse> response = call(std::move(request));
  if (!response) return give_up(response.error());
  return body_of(*response);
}

Outcome<void> Api::stream(std::string target, const BlockingHttpClient::LineHandler& on_line) {
  HttpClientRequest request;
  request.target = std::move(target);
  request.headers.add("Accept", "application/x-ndjson");
  const Result<HttpResponse> response =
      channel_->stream(std::move(request), on_line, surroundings_.keep_going);
  if (!response) return give_up(failure_of(response.error(), url_));
  if (response->status >= 300) return give_up(failure_of(*response));
  return {};
}

Target::Target(std::initializer_list<std::string_view> segments) {
  for (const std::string_view segment : segments) text_ += '/' + percent_encode(segment);
  if (text_.empty()) text_ = "/";
}

Target& Target::segment(std::string_view segment) {
  text_ += '/' + percent_encode(segment);
  return *this;
}

Target& Target::query(std::string_view name, std::string_view value) {
  text_ += has_query_ ? '&' : '?';
  has_query_ = true;
  text_ += std::string(name) + '=' + percent_encode(value);
  return *this;
}

Target& Target::query_if(std::string_view name, std::string_view value) {
  return value.empty() ? *this : query(name, value);
}

Outcome<boost::json::value> body_of(const HttpResponse& response) {
  if (response.body.empty()) return boost::json::value(nullptr);
  boost::system::error_code failed;  // a page of large resources may be longer than one document
  boost::json::value value = boost::json::parse(response.body, failed);
  if (failed) {
    return give_up(Exit::failed, "the hub's answer is not JSON: " + failed.message(),
                   "is this the API address of a zonesync hub?");
  }
  return value;
}

}  // namespace zonesync::cli
