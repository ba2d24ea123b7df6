#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "server/auth/credentials.hpp"
#include "server/auth/jwt.hpp"
#include "server/cmd/commands.hpp"

namespace zonesync::cmd {
namespace {

struct TokenFlags {
  std::string dir;
  std::string config;
  std::string name;
  std::string role = "viewer";
  std::string valid_for = "720h";
  std::string id;
  std::string token_file;
  bool user = false;
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

/// The id of a token that one of our keys signed, whatever its other claims say.
Result<std::string> id_of(const std::string& file, const auth::SigningKeys& keys) {
  std::ifstream in(file);
  if (!in) return fail(ErrorCode::not_found, "cannot open the token file", file);
  std::string token;
  in >> token;
  const auto claims = auth::verify_jwt(token, keys.keys());
  const auto* id = claims ? claims->if_contains("jti") : nullptr;
  if (id == nullptr || !id->is_string()) {
    return fail(ErrorCode::invalid_argument, "not a token of these keys; nothing to revoke", file);
  }
  return std::string(id->as_string());
}

int run_revoke(const TokenFlags& flags) {
  const auto config = config_of(flags);
  if (!config) return config.error();
  if (flags.id.empty() == flags.token_file.empty()) {
    print_error({ErrorCode::invalid_argument, "give either --id or --token-file", ""});
    return kUsage;
  }
  const auto& dir = flags.user ? config->api_keys_dir : config->zone_keys_dir;
  Result<std::string> id = flags.id;
  if (flags.id.empty()) {
    const auto keys = auth::SigningKeys::load(
        dir, flags.user ? auth::KeyPurpose::api : auth::KeyPurpose::zone);
    id = keys ? id_of(flags.token_file, *keys) : fail(keys.error());
  }
  Status done = id ? auth::RevocationList::append(dir / auth::kRevocationFile, *id)
                   : fail(id.error());
  if (!done) {
    print_error(done.error());
    return exit_code_of(done.error());
  }
  std::cout << *id << '\n';
  return kOk;
}

void add_common(CLI::App* command, const std::shared_ptr<TokenFlags>& flags) {
  command->add_option("--dir", flags->dir, "Directory made by `init`");
  command->add_option("--config", flags->config, "Configuration file of the hub");
  command->add_option("--valid-for", flags->valid_for, "Lifetime, e.g. 24h")->capture_default_str();
}

}  // namespace

void add_token(CLI::App& app, Run& run) {
  auto flags = std::make_shared<TokenFlags>();
  CLI::App* token = app.add_subcommand("token", "Issue and revoke tokens; needs no running hub");
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
  CLI::App* revoke = token->add_subcommand(
      "revoke", "Take a token away: a running hub ends its sessions within seconds");
  revoke->add_option("--dir", flags->dir, "Directory made by `init`");
  revoke->add_option("--config", flags->config, "Configuration file of the hub");
  revoke->add_option("--id", flags->id, "The token's id (claim jti)");
  revoke->add_option("--token-file", flags->token_file, "A file that holds the token");
  revoke->add_flag("--user", flags->user, "It is a token for the API, not a zone's");
  revoke->callback([&run, flags] { run = [flags] { return run_revoke(*flags); }; });
}

}  // namespace zonesync::cmd
