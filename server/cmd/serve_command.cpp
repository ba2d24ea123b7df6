#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <fstream>

#include "protocol/runtime/signals.hpp"
#include "server/cmd/commands.hpp"
#include "server/cmd/hub_process.hpp"
#include "server/cmd/key_change.hpp"
#ifdef ZONESYNC_WITH_ADMIN
#include "server/admin/admin_server.hpp"
#endif

namespace zonesync::cmd {
namespace {

namespace json = boost::json;

struct ServeFlags {
  std::string config;
  std::string ready_file;
};

LogLevel level_of(const std::string& text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warn") return LogLevel::warn;
  return text == "error" ? LogLevel::error : LogLevel::info;
}

std::string numeric(const std::string& host) { return host == "localhost" ? "127.0.0.1" : host; }

/// A URL that reaches a listener from this machine.
std::string url(const std::string& scheme, const Endpoint& endpoint, std::uint16_t port,
                const std::string& path = {}) {
  std::string host = numeric(endpoint.host);
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return scheme + "://" + host + ":" + std::to_string(port) + path;
}

/// Written beside and renamed, so that whoever waits for it reads it whole.
Status write_ready_file(const std::string& path, const json::object& ready) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << json::serialize(ready) << '\n';
    file.close();
    if (!file) return fail(ErrorCode::storage_io, "cannot write the ready file", path);
  }
  std::error_code failed;
  std::filesystem::rename(temporary, path, failed);
  if (failed) return fail(ErrorCode::storage_io, "cannot write the ready file", path);
  return {};
}

/// The hub with its faces, on the main thread.
class Serving {
 public:
  Serving(HubConfig config, ServeFlags flags)
      : config_(std::move(config)), flags_(std::move(flags)) {
    StderrLoggerOptions options;
    options.format = config_.log_format == "json" ? LogFormat::json : LogFormat::logfmt;
    options.level = level_of(config_.log_level);
    logger_ = make_stderr_logger(options);
  }

  int run() {
    SignalCallbacks callbacks;
    callbacks.on_terminate = [this](int) { on_terminate(); };
    callbacks.on_reload = [this] { reload(); };
    SignalSet signals(main_, std::move(callbacks));
    if (auto status = start(); !status) {
      logger_->log({LogLevel::error, "hub.start.failed", "the hub cannot start",
                    {{"reason", describe(status.error())}}});
      stop();
      return exit_code_of(status.error());
    }
    const auto work = boost::asio::make_work_guard(main_);
    main_.run();
    stop();
    logger_->log({LogLevel::info, "hub.stopped", "the hub has stopped"});
    return exit_code_;
  }

 private:
  Status start() {
    HubProcess::Options options;
    options.config = config_;
    options.logger = logger_;
    options.on_fatal = [this](const Error&) {
      boost::asio::post(main_, [this] {
        exit_code_ = kStorage;
        main_.stop();
      });
    };
    auto hub = HubProcess::start(std::move(options));
    if (!hub) return fail(explained(std::move(hub.error())));
    hub_ = std::move(*hub);
    json::object ready{{"sync_url", url("wss", config_.listen_sync, hub_->sync_port(), "/sync")}};
    if (auto status = start_admin(ready); !status) return status;
    if (!config_.tls_ca_file.empty()) ready["ca_file"] = config_.tls_ca_file.string();
    const auto token = std::filesystem::absolute(flags_.config).parent_path() / "admin.token";
    if (std::filesystem::exists(token)) ready["admin_token"] = token.string();
    ready["zones"] = json::array();
    std::vector<LogField> fields;
    for (const auto& item : ready) {
      if (item.value().is_string()) {
        fields.push_back({std::string(item.key()), std::string(item.value().as_string())});
      }
    }
    fields.push_back({"head", std::to_string(hub_->source().head().value)});
    logger_->log({LogLevel::info, "hub.started", "the hub accepts zones", std::move(fields)});
    return flags_.ready_file.empty() ? Status{} : write_ready_file(flags_.ready_file, ready);
  }

  /// With what to do about a key file that does not open the log.
  [[nodiscard]] Error explained(Error error) const {
    std::error_code unknown;
    const bool of_key =
        error.field == config_.encryption_key_file.string() ||
        (error.code == ErrorCode::forbidden &&
         std::filesystem::equivalent(error.field, config_.storage_dir, unknown));
    if (!of_key) return error;
    return key_trouble(config_, flags_.config).value_or(std::move(error));
  }

  Status start_admin([[maybe_unused]] json::object& ready) {
#ifdef ZONESYNC_WITH_ADMIN
    admin::AdminOptions options;
    options.api_address = numeric(config_.listen_api.host);
    options.api_port = config_.listen_api.port;
    options.api_tls = hub_->tls();
    options.metrics_enabled = config_.metrics_enabled;
    options.metrics_address = numeric(config_.listen_metrics.host);
    options.metrics_port = config_.listen_metrics.port;
    auto started = admin::AdminServer::start(
        options, *hub_, [this] { return hub_->credentials(); }, logger_);
    if (!started) return fail(std::move(started.error()));
    admin_ = std::move(*started);
    ready["api_url"] = url("https", config_.listen_api, admin_->api_port());
    if (config_.metrics_enabled) {
      ready["metrics_url"] = url("http", config_.listen_metrics, admin_->metrics_port());
    }
#endif
    return {};
  }

  void on_terminate() {
    if (stopping_) std::_Exit(kFailed);  // asked twice: the person means now
    stopping_ = true;
    logger_->log({LogLevel::info, "hub.stopping", "the hub tells its zones to come back later"});
    main_.stop();
  }

  void reload() {
    if (!hub_) return;
    const Status status = hub_->reload();
    logger_->log({status ? LogLevel::info : LogLevel::error,
                  status ? "hub.reloaded" : "hub.reload.failed",
                  status ? "certificates, signing keys and revocations were read again; settings "
                           "need a restart"
                         : "reload failed; the hub goes on with what it had",
                  status ? std::vector<LogField>{}
                         : std::vector<LogField>{{"reason", describe(status.error())}}});
    compare_settings();
  }

  /// Says what the configuration holds by now that this hub does not do.
  void compare_settings() {
    HubConfigSources sources;
    sources.file = flags_.config;
    sources.environment = process_environment();
    const auto fresh = load_hub_config(sources);
    if (!fresh) {
      logger_->log({LogLevel::warn, "hub.reload.config_invalid",
                    "the hub goes on, but would not start with this configuration",
                    {{"reason", describe(fresh.error().front())}}});
      return;
    }
    std::string names;
    for (const std::string& path : changed_settings(config_, *fresh)) {
      names += (names.empty() ? "" : ",") + path;
    }
    if (names.empty()) return;
    logger_->log({LogLevel::warn, "hub.reload.restart_needed",
                  "the configuration differs from what runs; these settings need a restart",
                  {{"settings", names}}});
  }

  void stop() {
#ifdef ZONESYNC_WITH_ADMIN
    if (admin_) admin_->stop();
    admin_.reset();
#endif
    if (hub_) hub_->stop();
    hub_.reset();
  }

  HubConfig config_;
  ServeFlags flags_;
  std::shared_ptr<Logger> logger_;
  boost::asio::io_context main_;
  std::unique_ptr<HubProcess> hub_;
#ifdef ZONESYNC_WITH_ADMIN
  std::unique_ptr<admin::AdminServer> admin_;
#endif
  int exit_code_ = kOk;
  bool stopping_ = false;
};

int run_serve(const ServeFlags& flags) {
  auto config = load_config(flags.config);
  if (!config) return config.error();
  return Serving(std::move(*config), flags).run();
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command = app.add_subcommand("serve", "Run the hub");
  command->add_option("--config", flags->config, "Configuration file")->required();
  command->add_option("--ready-file", flags->ready_file,
                      "JSON with every address, written once the hub accepts zones");
  command->callback([&run, flags] { run = [flags] { return run_serve(*flags); }; });
}

}  // namespace zonesync::cmd
