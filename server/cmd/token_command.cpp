#include <CLI/CLI.hpp>
#include <iostream>

#include "server/auth/credentials.hpp"
#include "server/cmd/commands.hpp"

namespace zonesync::cmd {
namespace {

struct TokenFlags {
  std::string dir;
  std::string config;
  std::string name;
  std::string role = "viewer";
  std::string valid_for = "720h";
};

auth::UnixTime now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

tl::expected<HubConfig, int> config_of(const TokenFlags& flags) {
  if (flags.dir.empty() == flags.config.empty()) {
    print_error({ErrorCode::invalid_argument, "give either --dir or --config", ""});
    return tl::unexpected<int>(kUsage);
  }
  return load_config(flags.dir.empty() ? std::filesystem::path(flags.config)
                                       : config_in(flags.dir));
}

Result<std::chrono::seconds> lifetime(const TokenFlags& flags) {
  auto parsed = text::parse_duration_ms(flags.valid_for);
  if (!parsed) return fail(std::move(parsed.error()));
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(*parsed));
}

int print_token(const Result<auth::IssuedToken>& issued) {
  if (!issued) {
    print_error(issued.error());
    return exit_code_of(issued.error());
  }
  std::cout << issued->token << '\n';  // the token alone, for `> file`
  return kOk;
}

int run_zone_token(const TokenFlags& flags) {
  const auto config = config_of(flags);
  if (!config) return config.error();
  const auto valid_for = lifetime(flags);
  const auto keys = auth::SigningKeys::load(config->zone_keys_dir, auth::KeyPurpose::zone);
  if (!valid_for || !keys) {
    const Error& error = valid_for ? keys.error() : valid_for.error();
    print_error(error);
    return exit_code_of(error);
  }
  auth::ZoneTokenRequest request;
  request.zone = flags.name;
  request.audience = config->audience;
  request.valid_for = *valid_for;
  return print_token(auth::issue_zone_token(*keys, request, now()));
}

int run_user_token(const TokenFlags& flags) {
  const auto config = config_of(flags);
  if (!config) return config.error();
  const auto valid_for = lifetime(flags);
  const auto keys = auth::SigningKeys::load(config->api_keys_dir, auth::KeyPurpose::api);
  if (!valid_for || !keys) {
    const Error& error = valid_for ? keys.error() : valid_for.error();
    print_error(error);
    return exit_code_of(error);
  }
  auth::ApiTokenRequest request;
  request.subject = flags.name;
  request.valid_for = *valid_for;
  request.roles = {flags.role == "admin"    ? auth::Role::admin
                   : flags.role == "editor" ? auth::Role::editor
                                            : auth::Role::viewer};
  return print_token(auth::issue_api_token(*keys, request, now()));
}

void add_common(CLI::App* command, const std::shared_ptr<TokenFlags>& flags) {
  command->add_option("--dir", flags->dir, "Directory made by `init`");
  command->add_option("--config", flags->config, "Configuration file of the hub");
  command->add_option("--valid-for", flags->valid_for, "Lifetime, e.g. 24h")->capture_default_str();
}

}  // namespace

void add_token(CLI::App& app, Run& run) {
  auto flags = std::make_shared<TokenFlags>();
  CLI::App* token = app.add_subcommand("token", "Issue tokens; needs no running hub");
  token->require_subcommand(1);
  CLI::App* zone = token->add_subcommand("zone", "A token for one zone's agent");
  zone->add_option("--name", flags->name, "Zone")->required();
  add_common(zone, flags);
  zone->callback([&run, flags] { run = [flags] { return run_zone_token(*flags); }; });
  CLI::App* user = token->add_subcommand("user", "A token for the API");
  user->add_option("--name", flags->name, "User")->required();
  user->add_option("--role", flags->role, "viewer, editor or admin")
      ->check(CLI::IsMember({"viewer", "editor", "admin"}))
      ->capture_default_str();
  add_common(user, flags);
  user->callback([&run, flags] { run = [flags] { return run_user_token(*flags); }; });
}

}  // namespace zonesync::cmd
