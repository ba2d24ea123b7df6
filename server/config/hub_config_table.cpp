// The one table of the hub's settings.
#include "protocol/model/limits.hpp"
#include "server/config/hub_config.hpp"

namespace zonesync {
namespace {

using text::ConfigKey;
using text::ConfigType;

ConfigKey flag_field(const char* path, const char* doc) {
  return {.path = path, .type = ConfigType::boolean, .default_text = "false", .doc = doc};
}

std::vector<ConfigKey> type_fields() {
  return {
      {.path = "name", .doc = "Type name, as in resources: letters and digits, first uppercase.",
       .required = true},
      {.path = "plural", .doc = "Path segment of the REST API: lowercase letters, digits, '-'.",
       .required = true},
      {.path = "scope", .type = ConfigType::choice, .default_text = "mesh",
       .doc = "Whether resources live in a mesh.", .choices = {"mesh", "global"}},
      flag_field("global_to_zones", "The global side provides it and every zone receives it."),
      flag_field("zone_to_global", "Zones provide it and the hub receives it."),
      flag_field("synced_across_zones", "What one zone provides reaches the other zones."),
      flag_field("provided_by_global",
                 "May be written at the hub even if zones do not receive it."),
      flag_field("legacy", "All top-level fields besides the common ones are the spec."),
      flag_field("sensitive",
                 "Holds secrets: stored encrypted, never sent compressed or as patches."),
      {.path = "rank", .type = ConfigType::integer, .default_text = "100",
       .doc = "Order inside a cut: lower is applied first.", .min = 0, .max = 1000},
      {.path = "max_bytes", .type = ConfigType::size, .default_text = "8MiB",
       .doc = "Largest spec and status together.", .min = 1,
       .max = static_cast<std::int64_t>(limits::kResourceMaxBytes)},
      {.path = "scope_labels", .type = ConfigType::string_list,
       .doc = "Labels that decide which views hold a resource."},
  };
}

std::vector<ConfigKey> retention_fields() {
  return {
      {.path = "type",
       .doc = "Type name, as in resources; a default type or one of `types`. An unknown one stops "
              "the start.",
       .required = true},
      {.path = "revisions", .type = ConfigType::integer, .default_text = "0",
       .doc = "Keep its superseded versions of the log's newest so many revisions; 0 = no such "
              "limit."},
      {.path = "age", .type = ConfigType::duration, .default_text = "0s",
       .doc = "Keep its superseded versions so long; 0s = no such limit."},
      {.path = "bytes", .type = ConfigType::size, .default_text = "0",
       .doc = "Keep its superseded versions within the newest so many bytes of this type; 0 = no "
              "such limit."},
  };
}

std::vector<ConfigKey> storage_keys() {
  return {
      {.path = "storage.dir", .doc = "Folder of the log; empty = `log` inside hub.data_dir."},
      {.path = "storage.backup_dir",
       .doc = "Folder of checkpoints made while the hub runs; empty = `backups` inside "
              "hub.data_dir. On the log's file system they share its files."},
      {.path = "storage.sync", .type = ConfigType::choice, .default_text = "always",
       .doc = "`always` = acknowledged means durable. `unsafe_never` loses acknowledged writes at "
              "a power cut; for throw-away tests.",
       .choices = {"always", "unsafe_never"}},
      {.path = "storage.ballast", .type = ConfigType::size, .default_text = "64MiB",
       .doc = "Space set aside so that the hub still starts on a completely full disk; 0 = none.",
       .max = std::int64_t{1} << 40},
      {.path = "storage.encryption.mode", .type = ConfigType::choice, .default_text = "on",
       .doc = "`on` = values of sensitive types are stored encrypted, and refused without "
              "storage.encryption.key_file. `off` = they are stored readable; a key file is then "
              "only used to read what was encrypted before.",
       .choices = {"on", "off"}},
      {.path = "storage.encryption.key_file",
       .doc = "File (mode 0600) of the master key, made by `zonesync-hub init` or `zonesync-hub "
              "store new-key FILE`. Without it what was encrypted is lost: keep a copy apart from "
              "the backups."},
      {.path = "storage.retention.revisions", .type = ConfigType::integer, .default_text = "0",
       .doc = "Keep superseded versions of the newest so many revisions; 0 = no such limit. "
              "Without any limit nothing is ever trimmed."},
      {.path = "storage.retention.age", .type = ConfigType::duration, .default_text = "0s",
       .doc = "Keep superseded versions so long, counted from the hub's start for what is older; "
              "0s = no such limit."},
      {.path = "storage.retention.bytes", .type = ConfigType::size, .default_text = "0",
       .doc = "Keep superseded versions within the newest so many bytes written since the hub's "
              "start; 0 = no such limit."},
      {.path = "storage.retention.tombstones", .type = ConfigType::duration, .default_text = "0s",
       .doc = "Records of deletions below the other limits go once every registered zone has "
              "them, at the latest after this time (a zone that was away longer is repaired; a "
              "log that is not complete waits for the zones); 0s = kept for ever."},
      {.path = "storage.retention.types", .type = ConfigType::records,
       .doc = "Types with a retention of their own: these limits hold for them in the place of "
              "those above; without any limit nothing of that type is trimmed.",
       .fields = retention_fields()},
  };
}

text::ConfigTable make_table() {
  text::ConfigTable table;
  table.program = "zonesync-hub";
  table.environment_prefix = "ZONESYNC_";
  table.keys = {
      {.path = "hub.name", .default_text = "zonesync-hub",
       .doc = "Name of this hub in status, logs and metrics."},
      {.path = "hub.data_dir", .doc = "Folder of everything the hub stores.", .required = true},
      {.path = "listen.sync", .default_text = "127.0.0.1:5685",
       .doc = "Where zones connect (wss). Port 0 takes a free one."},
      {.path = "listen.api", .default_text = "127.0.0.1:5681",
       .doc = "Where the REST API listens (https)."},
      {.path = "listen.metrics", .default_text = "127.0.0.1:5680",
       .doc = "Where /metrics, /livez and /readyz listen (http); empty turns it off."},
      {.path = "tls.cert_file", .doc = "Certificate chain of the hub (PEM).", .required = true},
      {.path = "tls.key_file", .doc = "Private key of that certificate (PEM).", .required = true},
      {.path = "tls.ca_file",
       .doc = "What clients should trust (PEM); only told to people and ready files."},
      {.path = "auth.zone_keys_dir", .doc = "Folder of the keys that sign and verify zone tokens.",
       .required = true},
      {.path = "auth.api_keys_dir", .doc = "Folder of the keys that sign and verify API tokens.",
       .required = true},
      {.path = "auth.audience", .default_text = "zonesync-hub",
       .doc = "Audience (`aud`) that zone tokens must carry: names this hub."},
      {.path = "zones.auto_register", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Register a zone by its first valid token; false = only an operator does."},
  };
  const std::vector<ConfigKey> storage = storage_keys();
  table.keys.insert(table.keys.end(), storage.begin(), storage.end());
  const std::vector<ConfigKey> rest = {
      {.path = "sync.delta.enabled", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Offer delta mode; false = zones get complete lists (v1).",
       .environment_aliases = {"KUMA_EXPERIMENTAL_KDS_DELTA_ENABLED"}},
      {.path = "sync.compression", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Grant zstd packets and patches to zones that offer them; never used for sensitive "
              "types."},
      {.path = "io.threads", .type = ConfigType::integer, .default_text = "0",
       .doc = "Threads that serve connections; 0 = one per processor.", .max = 256},
      {.path = "log.level", .type = ConfigType::choice, .default_text = "info",
       .doc = "Least severe level that is logged.", .choices = {"debug", "info", "warn", "error"}},
      {.path = "log.format", .type = ConfigType::choice, .default_text = "logfmt",
       .doc = "Form of a log line.", .choices = {"logfmt", "json"}},
      {.path = "types", .type = ConfigType::records,
       .doc = "Resource types besides the default ones.", .fields = type_fields()},
  };
  table.keys.insert(table.keys.end(), rest.begin(), rest.end());
  return table;
}

}  // namespace

const text::ConfigTable& hub_config_table() {
  static const text::ConfigTable table = make_table();
  return table;
}

}  // namespace zonesync
