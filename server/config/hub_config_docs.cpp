#include "protocol/text/config_docs.hpp"
#include "server/config/hub_config.hpp"

namespace zonesync {

std::string hub_config_defaults() { return text::config_defaults_yaml(hub_config_table()); }
std::string hub_config_schema() { return text::config_json_schema(hub_config_table()); }

std::string hub_config_page() {
  return R"(# Configuration of zonesync-hub

This page is generated from the table in `server/config/hub_config_table.cpp`; a test fails when it
is out of date. Run `config_test` with `ZONESYNC_UPDATE_DOCS=1` to write it again.

- Precedence: flags, environment, file, defaults. `zonesync-hub config effective --show-origin`
  shows which one won.
- The file is YAML 1.2. An unknown key, a wrong type or a value out of bounds stops the start with
  exit code 78; all errors are reported at once, each with its line.
- `SIGHUP` makes a running hub read certificates, signing keys and revoked tokens again, from the
  files and folders that it started with. No setting of this page changes without a restart: when
  the file says otherwise by then, the hub logs a warning (`hub.reload.restart_needed`) that names
  the settings, and one (`hub.reload.config_invalid`) when it would not start with that file.
- Relative paths in the file start at the file's folder, elsewhere at the working directory.
- Durations are written `500ms`, `10s`, `5m`, `1h`, `7d`; sizes `64KiB`, `10MiB`, `1GiB` or bytes;
  lists in the environment are comma-separated.
- An unknown `ZONESYNC_` variable that looks like a misspelt setting is an error; any other is
  reported as a warning and ignored.

)" + text::config_markdown(hub_config_table());
}

std::string hub_config_effective(const HubConfig& config, bool show_origin) {
  return text::config_effective_yaml(hub_config_table(), config.values, show_origin);
}

}  // namespace zonesync
