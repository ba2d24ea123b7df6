#include "server/admin/problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"

namespace zonesync::admin {
namespace {

std::string_view title_of(unsigned status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

bool disk_full(const Error& error) {
  return error.message.find("disk") != std::string::npos ||
         error.message.find("No space") != std::string::npos;
}

HttpResponse response(unsigned status, std::string_view type, std::string body) {
  HttpResponse out;
  out.status = status;
  out.headers.set("Content-Type", std::string(type));
  out.headers.set("Cache-Control", "no-store");
  out.body = std::move(body);
  return out;
}

}  // namespace

unsigned status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::forbidden: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict:
    case ErrorCode::held: return 409;
    case ErrorCode::precondition_failed: return 412;
    case ErrorCode::too_large: return 413;
    case ErrorCode::resource_exhausted: return disk_full(error) ? 503 : 429;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::unavailable: return 503;
    default: return 500;
  }
}

Problem problem_of(const Error& error) {
  Problem problem;
  problem.status = status_of(error);
  problem.code = to_string(error.code);
  if (problem.status == 500) {
    problem.detail = "the hub could not do this; its log says why";
    problem.inside = describe(error);
    return problem;
  }
  problem.detail = error.message;
  if (!error.field.empty()) problem.invalid_parameters.push_back({error.field, error.message});
  if (problem.status == 429 || problem.status == 503) problem.headers.set("Retry-After", "1");
  if (problem.status == 401) problem.headers.set("WWW-Authenticate", "Bearer");
  return problem;
}

HttpResponse to_response(const Problem& problem) {
  boost::json::object body;
  body["type"] = "about:blank";
  body["title"] = title_of(problem.status);
  body["status"] = problem.status;
  body["code"] = problem.code;
  body["detail"] = problem.detail;
  if (!problem.invalid_parameters.empty()) {
    boost::json::array parameters;
    for (const InvalidParameter& parameter : problem.invalid_parameters) {
      boost::json::object item;
      item["field"] = parameter.field;
      item["reason"] = parameter.reason;
      parameters.push_back(std::move(item));
    }
    body["invalid_parameters"] = std::move(parameters);
  }
  HttpResponse out = response(problem.status, "application/problem+json",
                              text::write_canonical(std::move(body)));
  for (const auto& [name, value] : problem.headers.fields()) out.headers.set(name, value);
  return out;
}

HttpResponse json_response(unsigned status, std::string body) {
  return response(status, "application/json", std::move(body));
}

HttpResponse text_response(unsigned status, std::string body) {
  return response(status, "text/plain; charset=utf-8", std::move(body));
}

HttpResponse empty_response() {
  HttpResponse out;
  out.status = 204;
  out.headers.set("Cache-Control", "no-store");
  return out;
}

}  // namespace zonesync::admin
