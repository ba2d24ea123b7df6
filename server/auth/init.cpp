#include "server/auth/init.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "server/auth/credentials.hpp"
#include "storage/sealing/master_key.hpp"

namespace zonesync::auth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdminSubject = "admin";
constexpr std::size_t kSuffixBytes = 6;

/// The directory under construction; removed unless it was moved into place.
class Workspace {
 public:
  explicit Workspace(fs::path path) : path_(std::move(path)) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

Status make_private_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  return fail(ErrorCode::storage_io,
              std::string("cannot create the directory: ") + std::strerror(errno), path.string());
}

tl::unexpected<Error> already_there(const fs::path& directory) {
  return fail(ErrorCode::conflict,
              "there is something already; nothing was changed. Give another directory, or remove "
              "this one if its keys are no longer used",
              directory.string());
}

/// `directory` must be missing or an empty directory.
Status check_target(const fs::path& directory) {
  std::error_code error;
  const auto status = fs::status(directory, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (!error && status.type() != fs::file_type::directory) return already_there(directory);
  const bool empty = !error && fs::is_empty(directory, error);
  if (error) {
    return fail(ErrorCode::storage_io, "cannot look into the directory: " + error.message(),
                directory.string());
  }
  if (!empty) return already_there(directory);
  return {};
}

InitResult layout(const fs::path& root) {
  InitResult paths;
  paths.directory = root;
  paths.config_file = root / "hub.yaml";
  paths.data_dir = root / "data";
  paths.ca_file = root / "tls" / "ca.pem";
  paths.ca_key_file = root / "tls" / "ca.key";
  paths.certificate_file = root / "tls" / "hub.pem";
  paths.key_file = root / "tls" / "hub.key";
  paths.zone_keys_dir = root / "keys" / "zone";
  paths.api_keys_dir = root / "keys" / "api";
  paths.storage_key_file = root / "keys" / "storage.key";
  paths.admin_token_file = root / "admin.token";
  return paths;
}

/// A JSON string is a YAML double-quoted scalar: safe for any path or name.
std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

/// `paths` are those after the move into place.
std::string config_text(const InitResult& paths, const InitOptions& options) {
  std::string text = "# Made by `zonesync-hub init`.\n";
  text += "hub:\n  data_dir: " + quoted(paths.data_dir.string()) + "\n";
  text += "listen:\n";
  text += "  sync: " + quoted(options.listen_sync) + "\n";
  text += "  api: " + quoted(options.listen_api) + "\n";
  text += "  metrics: " + quoted(options.listen_metrics) + "\n";
  text += "tls:\n";
  text += "  cert_file: " + quoted(paths.certificate_file.string()) + "\n";
  text += "  key_file: " + quoted(paths.key_file.string()) + "\n";
  text += "  ca_file: " + quoted(paths.ca_file.string()) + "\n";
  text += "storage:\n  encryption:\n";
  text += "    key_file: " + quoted(paths.storage_key_file.string()) + "\n";
  text += "auth:\n";
  text += "  zone_keys_dir: " + quoted(paths.zone_keys_dir.string()) + "\n";
  text += "  api_keys_dir: " + quoted(paths.api_keys_dir.string()) + "\n";
  text += "  audience: " + quoted(options.audience) + "\n";
  return text;
}

Status write_tls(const InitResult& paths, const InitOptions& options) {
  CaOptions ca_options;
  ca_options.now = options.now;
  ca_options.valid_for = options.ca_valid_for;
  const auto ca = create_ca(ca_options);
  if (!ca) return fail(ca.error());
  ServerCertificateOptions server_options;
  server_options.dns_names = options.dns_names;
  server_options.ip_addresses = options.ip_addresses;
  server_options.now = options.now;
  server_options.valid_for = options.certificate_valid_for;
  const auto server = create_server_certificate(*ca, server_options);
  if (!server) return fail(server.error());
  if (auto made = make_private_directory(paths.ca_file.parent_path()); !made) return made;
  if (auto done = write_key_pair(*ca, paths.ca_file, paths.ca_key_file); !done) return done;
  if (auto done = write_key_pair(*server, paths.certificate_file, paths.key_file); !done) {
    return done;
  }
  return sync_directory(paths.ca_file.parent_path());
}

Status write_storage_key(const fs::path& path) {
  const auto key = sealing::generate_master_key();
  if (!key) return fail(key.error());
  const Secret text(sealing::to_text(**key));
  return write_secret_file(path, text.expose());
}

Status write_tokens(const InitResult& paths, const InitOptions& options) {
  if (auto made = make_private_directory(paths.zone_keys_dir.parent_path()); !made) return made;
  const auto zone = SigningKeys::rotate(paths.zone_keys_dir, KeyPurpose::zone,
                                        options.token_algorithm);
  if (!zone) return fail(zone.error());
  const auto api = SigningKeys::rotate(paths.api_keys_dir, KeyPurpose::api,
                                       options.token_algorithm);
  if (!api) return fail(api.error());
  const auto keys = SigningKeys::load(paths.api_keys_dir, KeyPurpose::api);
  if (!keys) return fail(keys.error());
  const ApiTokenRequest request{kAdminSubject, {Role::admin}, options.admin_token_valid_for};
  const auto issued = issue_api_token(*keys, request, options.now);
  if (!issued) return fail(issued.error());
  if (auto done = write_storage_key(paths.storage_key_file); !done) return done;
  if (auto synced = sync_directory(paths.zone_keys_dir.parent_path()); !synced) return synced;
  return write_secret_file(paths.admin_token_file, issued->token + "\n");
}

/// Builds at `paths` what will stand at `final_paths`.
Status build(const InitResult& paths, const InitResult& final_paths, const InitOptions& options) {
  if (options.audience.empty()) {
    return fail(ErrorCode::invalid_argument, "the audience must not be empty", "audience");
  }
  if (auto made = make_private_directory(paths.directory); !made) return made;
  if (auto made = make_private_directory(paths.data_dir); !made) return made;
  if (auto done = write_tls(paths, options); !done) return done;
  if (auto done = write_tokens(paths, options); !done) return done;
  const std::string config = config_text(final_paths, options);
  if (auto done = write_public_file(paths.config_file, config); !done) return done;
  return sync_directory(paths.directory);
}

}  // namespace

Result<InitResult> init_directory(const fs::path& directory, const InitOptions& options) {
  std::error_code error;
  fs::path target = fs::weakly_canonical(fs::absolute(directory, error), error);
  if (error || directory.empty()) {
    return fail(ErrorCode::invalid_argument, "not a usable directory name", directory.string());
  }
  if (!target.has_filename()) target = target.parent_path();  // it ended in a slash
  if (auto free = check_target(target); !free) return fail(free.error());
  const auto suffix = random_hex(kSuffixBytes);
  if (!suffix) return fail(suffix.error());
  fs::create_directories(target.parent_path(), error);
  Workspace workspace(target.parent_path() /
                      ("." + target.filename().string() + ".init-" + *suffix));
  const InitResult result = layout(target);
  if (auto built = build(layout(workspace.path()), result, options); !built) {
    return fail(built.error());
  }
  // rename(2) replaces an empty directory and refuses any other: no race with a second init.
  if (::rename(workspace.path().c_str(), target.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) return already_there(target);
    return fail(ErrorCode::storage_io,
                std::string("cannot move the new directory into place: ") + std::strerror(errno) +
                    "; if it is a mount point, give a folder inside it",
                target.string());
  }
  workspace.keep();
  if (auto synced = sync_directory(target.parent_path()); !synced) return fail(synced.error());
  return result;
}

}  // namespace zonesync::auth
