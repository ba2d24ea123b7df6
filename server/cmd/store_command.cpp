// `zonesync-hub store`: the log of a hub that is not running, and a little of one that is.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "protocol/wire/codec.hpp"
#include "server/cmd/encryption.hpp"
#include "server/cmd/key_change.hpp"
#include "server/cmd/store_commands.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync::cmd {
namespace {

namespace json = boost::json;

struct StoreFlags {
  std::string config;
  std::string store;
  std::string key_file;
  std::string directory;
  bool as_json = false;
  bool reveal = false;
  SealingOptions sealing;  // by --config or --key-file
  std::optional<RunningHub> running;  // by --config: where to ask when a hub has the store open
  std::string api;
  std::string token_file;
};
using StoreCommand = int (*)(const StoreFlags&, const std::string& store);

/// Of a log that wants another key, which file holds it says more than the store's own words.
int failed(const StoreFlags& flags, const Error& error) {
  std::optional<Error> better;
  if (error.code == ErrorCode::forbidden && flags.running && flags.key_file.empty()) {
    better = key_trouble(flags.running->config, flags.config);
  }
  print_error(better.value_or(error));
  return exit_code_of(better.value_or(error));
}

void print(const StoreFlags& flags, const json::object& values) {
  if (flags.as_json) {
    std::cout << json::serialize(values) << '\n';
    return;
  }
  for (const auto& item : values) {
    if (const json::array* lines = item.value().if_array()) {  // texts: each on a line of its own
      std::cout << item.key() << ": " << lines->size() << '\n';
      for (const json::value& line : *lines) {
        std::cout << "  " << json::value_to<std::string>(line) << '\n';
      }
      continue;
    }
    std::cout << item.key() << ": "
              << (item.value().is_string() ? std::string(item.value().as_string())
                                           : json::serialize(item.value()))
              << '\n';
  }
}

json::object describe_state(const LogState& state) {
  return {{"log_id", to_hex(state.log_id)},
          {"head", state.head.value},
          {"complete", state.complete},
          {"era", to_hex(state.current_era().id)},
          {"era_start", state.eras.back().start.value},
          {"eras", state.eras.size()},
          {"trim_floor", state.trim_floor.value},
          {"tombstone_floor", state.tombstone_floor.value}};
}

int run_info(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path, nullptr, flags.sealing.key);
  if (!store) return failed(flags, store.error());
  const auto info = (*store)->info();
  if (!info) return failed(flags, info.error());
  json::object values = describe_state(info->state);
  values["format"] = info->format;
  values["live"] = info->live;
  if (!info->floors.types.empty()) {
    json::object types;
    for (const auto& [type, group] : info->floors.types) types[type] = group.floor.value;
    values["trim_floors_of_types"] = std::move(types);
  }
  values["anchored"] = info->anchor.has_value();
  if (info->anchor) values["anchor_head"] = info->anchor->head.value;
  if (info->restored) {
    values["restored_at_revision"] = info->restored->revision.value;
    values["restored_at_ms"] = info->restored->at_ms;
  }
  if (info->loss) {
    values["loss"] = {{"lineage", to_string(info->loss->lineage)},
                      {"found_head", info->loss->found.value},
                      {"known_head", info->loss->known.value}};
  }
  if (!info->master_key.empty()) {
    values["master_key"] = info->master_key;
    values["resealing"] = info->resealing;
  }
  print(flags, values);
  return kOk;
}

int run_verify(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path, nullptr, flags.sealing.key);
  if (!store) return failed(flags, store.error());
  const auto report = (*store)->verify();
  if (!report) return failed(flags, report.error());
  json::array texts(report->texts.begin(), report->texts.end());
  json::array notes(report->notes.begin(), report->notes.end());
  print(flags, {{"good", report->good()},
                {"entries", report->entries},
                {"newest", report->newest},
                {"aside", report->aside},
                {"segments", report->segments},
                {"chained_segments", report->chained_segments},
                {"sealed", report->sealed},
                {"unopened", report->unopened},
                {"problems", report->problems},
                {"texts", std::move(texts)},
                {"notes", std::move(notes)}});
  return report->good() ? kOk : kStorage;
}

json::object describe_entry(const LogEntry& entry, bool sealed) {
  const Change& change = entry.change;
  json::object line{{"revision", entry.position.revision.value},
                    {"index", entry.position.index},
                    {"kind", change.kind == ChangeKind::leave ? "leave" : "upsert"},
                    {"type", change.key.type},
                    {"mesh", change.key.mesh},
                    {"origin", change.key.origin},
                    {"name", change.key.name},
                    {"tag", change.cls.tag},
                    {"hash", to_hex(change.hash.id)},
                    {"payload_bytes", change.payload.size()}};
  if (sealed) line["sealed"] = true;
  if (entry.previous) line["replaces"] = entry.previous->position.revision.value;
  return line;
}

/// One JSON object per entry; payloads, which may be secret, only when asked for.
int run_dump(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path, nullptr, flags.sealing.key);
  if (!store) return failed(flags, store.error());
  const auto print_line = [&](const LogEntry& entry, bool sealed) {
    json::object line = describe_entry(entry, sealed);
    if (flags.reveal && !entry.change.payload.empty()) {
      if (const auto resource = wire::resource_of(entry.change.payload)) {
        line["spec"] = resource->spec;
        line["status"] = resource->status;
      }
    }
    std::cout << json::serialize(line) << '\n';
    return std::cout.good();
  };
  const Status status = (*store)->each_entry(print_line, flags.reveal);
  return status ? kOk : failed(flags, status.error());
}

/// A hub has the store open, and we know how to ask it.
bool ask_hub(const StoreFlags& flags, const Error& error) {
  return error.code == ErrorCode::unavailable && flags.running.has_value();
}

int run_checkpoint(const StoreFlags& flags, const std::string& path) {
  std::uint64_t head = 0;
  auto store = OfflineStore::open_to_change(path, nullptr, flags.sealing.key);
  if (store) {
    const auto info = (*store)->info();
    if (!info) return failed(flags, info.error());
    head = info->state.head.value;
    const auto made = (*store)->checkpoint(flags.directory);
    if (!made) return failed(flags, made.error());
  } else if (ask_hub(flags, store.error())) {
    const auto made = checkpoint_online(*flags.running, flags.directory);
    if (!made) return failed(flags, made.error());
    head = *made;
  } else {
    return failed(flags, store.error());
  }
  print(flags, {{"checkpoint", flags.directory}, {"head", head}});
  return kOk;
}

void print_next_steps(bool complete) {
  std::cerr << "next: start the hub; zones that know more are compared under the guards, and what "
               "they publish comes back.\n"
               "next: `zonesync sync status` and `zonesync get zones -o wide` show who holds. What "
               "a zone holds is approved there (zonesync-agent approve --store DIR), what the hub "
               "holds here (zonesync zones approve ZONE).\n";
  if (!complete) {
    std::cerr << "next: the log is partial, zones keep what it does not name; once it holds "
                 "everything: zonesync-hub store complete --config FILE\n";
  }
}

int run_restore(const StoreFlags& flags, const std::string& path) {
  const auto report = restore_store(flags.directory, path, flags.sealing);
  if (!report) return failed(flags, report.error());
  json::object values = describe_state(report->state);
  values["restored_from"] = flags.directory;
  if (!report->warning.empty()) values["warning"] = report->warning;
  if (report->anchor_before) values["head_before"] = report->anchor_before->head.value;
  print(flags, values);
  if (!flags.as_json) print_next_steps(report->state.complete);
  return kOk;
}

int run_compact(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open_to_change(path, nullptr, flags.sealing.key);
  if (!store) return failed(flags, store.error());
  if (auto status = (*store)->compact(); !status) return failed(flags, status.error());
  print(flags, {{"compacted", path}});
  return kOk;
}

/// The operator's word that the log knows everything: absences count again (protocol.md §4.9).
int run_complete(const StoreFlags& flags, const std::string& path) {
  RocksDbOptions options;
  options.sealing = flags.sealing;
  auto log = RocksDbChangeLog::open(path, std::move(options));
  if (!log && ask_hub(flags, log.error())) {
    const Status status = complete_online(*flags.running);
    if (!status) return failed(flags, status.error());
    print(flags, {{"complete", true}});
    return kOk;
  }
  if (!log) return failed(flags, log.error());
  if (auto status = (*log)->declare_complete(); !status) return failed(flags, status.error());
  print(flags, {{"complete", true}, {"head", (*log)->state().head.value}});
  return kOk;
}

int run_on_store(StoreFlags flags, StoreCommand command) {
  std::string path = flags.store;
  if (path.empty() && flags.config.empty()) {
    print_error(Error{ErrorCode::invalid_argument, "say which store: --config or --store", ""});
    return kUsage;
  }
  if (path.empty()) {
    const auto config = load_config(flags.config);
    if (!config) return config.error();
    auto sealing = sealing_of(*config);
    if (!sealing) {
      return failed(flags, key_trouble(*config, flags.config).value_or(sealing.error()));
    }
    flags.sealing = std::move(*sealing);
    flags.running = RunningHub{*config, flags.config, flags.api, flags.token_file};
    path = config->storage_dir.string();
  }
  if (!flags.key_file.empty()) {
    auto key = read_master_key(flags.key_file);
    if (!key) return failed(flags, key.error());
    flags.sealing.key = std::move(*key);
  }
  return command(flags, path);
}

}  // namespace

void add_store(CLI::App& app, Run& run) {
  auto flags = std::make_shared<StoreFlags>();
  CLI::App* store =
      app.add_subcommand("store", "Look at, verify, copy or restore a stopped hub's log");
  store->require_subcommand(1);
  const auto add = [&](const char* name, const char* doc, StoreCommand command,
                       const char* directory = nullptr) {
    CLI::App* added = store->add_subcommand(name, doc);
    added->add_option("--config", flags->config, "Configuration file of the hub");
    added->add_option("--store", flags->store, "Directory of the log, instead of --config");
    added->add_option("--key-file", flags->key_file,
                      "Master key of sealed values, instead of --config");
    added->add_flag("--json", flags->as_json, "One JSON object");
    if (directory != nullptr) added->add_option("DIR", flags->directory, directory)->required();
    added->callback([&run, flags, command] {
      run = [flags, command] { return run_on_store(*flags, command); };
    });
    return added;
  };
  add("info", "Identity, head, eras, floors", run_info);
  add("verify", "Walk everything; exit 74 when something does not fit", run_verify);
  add("dump", "Every entry as a line of JSON, without its content", run_dump)
      ->add_flag("--reveal", flags->reveal, "With content, that of sensitive types included");
  const auto online = [&](CLI::App* added) {
    added->add_option("--api", flags->api, "URL of a running hub's API, if not as configured");
    added->add_option("--token-file", flags->token_file,
                      "Admin token for it; absent = admin.token beside the configuration");
  };
  online(add("checkpoint", "A consistent copy in a new directory, also of a running hub (--config)",
             run_checkpoint, "New directory"));
  add("restore", "Put a checkpoint in the place of a log that was moved away; opens a new era",
      run_restore, "Directory of the checkpoint");
  online(add("complete",
             "Say that nothing is missing: full answers may remove what the log does not hold",
             run_complete));
  add("compact", "Give back the space of what was trimmed", run_compact);
  add_store_key_commands(*store, run);
  add_store_bench(*store, run);
}

}  // namespace zonesync::cmd
