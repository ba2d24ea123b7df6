// The store of the running hub: checkpoints, and the word that nothing is missing. Admins only.
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

/// Nothing, {} or {"name": "..."}.
Result<std::string> checkpoint_name(const Call& call) {
  if (call.http.body.empty()) return std::string();
  boost::system::error_code failed;
  const json::value body = json::parse(call.http.body, failed);
  const json::object* object = failed ? nullptr : body.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::invalid_argument,
                "the body is a JSON object like {\"name\":\"nightly\"}");
  }
  std::string name;
  for (const auto& member : *object) {
    if (member.key() != "name" || !member.value().is_string()) {
      return fail(ErrorCode::invalid_argument, "the only member is \"name\", a string",
                  "/" + std::string(member.key()));
    }
    name = std::string(member.value().as_string());
  }
  return name;
}

void log_act(const Call& call, std::string event, std::string message, std::string what) {
  call.context->logger->log(
      {LogLevel::info, std::move(event), std::move(message),
       {{"actor", "user/" + call.user.subject}, {"what", std::move(what)}}});
}

}  // namespace

void post_checkpoint(Call call) {
  const Result<std::string> name = checkpoint_name(call);
  if (!name) return call.reply->send(problem_of(name.error()));
  hub::HubApi& hub = call.hub();
  hub.checkpoint(*name, [call = std::move(call)](Result<hub::CheckpointInfo> made) {
    call.context->executor.post([call, made = std::move(made)] {
      if (!made) return call.reply->send(problem_of(made.error()));
      log_act(call, "api.checkpoint_made", "a user made a checkpoint", made->directory);
      json::object body;
      body["name"] = made->name;
      body["directory"] = made->directory;
      body["head"] = made->head.value;
      body["era"] = to_hex(made->era.id);
      call.reply->send(json_response(201, text::write_canonical(std::move(body))));
    });
  });
}

void post_complete(Call call) {
  if (!call.http.body.empty() && call.http.body != "{}") {
    return call.reply->send(
        problem_of(Error{ErrorCode::invalid_argument, "this operation takes no body", ""}));
  }
  hub::HubApi& hub = call.hub();
  hub.declare_complete([call = std::move(call)](Status status) {
    call.context->executor.post([call, status = std::move(status)] {
      if (!status) return call.reply->send(problem_of(status.error()));
      log_act(call, "api.log_complete", "a user declared the log complete", "log");
      call.reply->send(empty_response());
    });
  });
}

}  // namespace zonesync::admin
