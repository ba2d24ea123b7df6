// `zonesync-hub store`: the log of a hub that is not running.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "server/cmd/commands.hpp"
#include "storage/rocksdb/offline_store.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync::cmd {
namespace {

namespace json = boost::json;

struct StoreFlags {
  std::string config;
  std::string store;
  std::string directory;
  bool as_json = false;
};
using StoreCommand = int (*)(const StoreFlags&, const std::string& store);

int failed(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

void print(const StoreFlags& flags, const json::object& values) {
  if (flags.as_json) {
    std::cout << json::serialize(values) << '\n';
    return;
  }
  for (const auto& item : values) {
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
  auto store = OfflineStore::open(path);
  if (!store) return failed(store.error());
  const auto info = (*store)->info();
  if (!info) return failed(info.error());
  json::object values = describe_state(info->state);
  values["format"] = info->format;
  values["live"] = info->live;
  if (info->anchor) values["anchor_head"] = info->anchor->head.value;
  print(flags, values);
  return kOk;
}

int run_verify(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path);
  if (!store) return failed(store.error());
  const auto report = (*store)->verify();
  if (!report) return failed(report.error());
  json::array texts;
  for (const std::string& text : report->texts) texts.emplace_back(text);
  print(flags, {{"good", report->good()},
                {"entries", report->entries},
                {"newest", report->newest},
                {"segments", report->segments},
                {"chained_segments", report->chained_segments},
                {"problems", report->problems},
                {"texts", std::move(texts)}});
  return report->good() ? kOk : kStorage;
}

/// One JSON object per entry, without payloads: those may be secret.
int run_dump(const StoreFlags&, const std::string& path) {
  auto store = OfflineStore::open(path);
  if (!store) return failed(store.error());
  const Status status = (*store)->each_entry([](const LogEntry& entry) {
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
    if (entry.previous) line["replaces"] = entry.previous->position.revision.value;
    std::cout << json::serialize(line) << '\n';
    return std::cout.good();
  });
  return status ? kOk : failed(status.error());
}

int run_checkpoint(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path);
  if (!store) return failed(store.error());
  if (auto status = (*store)->checkpoint(flags.directory); !status) return failed(status.error());
  const auto info = (*store)->info();
  if (!info) return failed(info.error());
  print(flags, {{"checkpoint", flags.directory}, {"head", info->state.head.value}});
  return kOk;
}

int run_restore(const StoreFlags& flags, const std::string& path) {
  const auto report = restore_store(flags.directory, path);
  if (!report) return failed(report.error());
  json::object values = describe_state(report->state);
  values["restored_from"] = flags.directory;
  if (report->anchor_before) values["head_before"] = report->anchor_before->head.value;
  print(flags, values);
  return kOk;
}

int run_compact(const StoreFlags& flags, const std::string& path) {
  auto store = OfflineStore::open(path);
  if (!store) return failed(store.error());
  if (auto status = (*store)->compact(); !status) return failed(status.error());
  print(flags, {{"compacted", path}});
  return kOk;
}

/// The operator's word that the log knows everything: absences count again (protocol.md §4.9).
int run_complete(const StoreFlags& flags, const std::string& path) {
  auto log = RocksDbChangeLog::open(path, RocksDbOptions{});
  if (!log) return failed(log.error());
  if (auto status = (*log)->declare_complete(); !status) return failed(status.error());
  print(flags, {{"complete", true}, {"head", (*log)->state().head.value}});
  return kOk;
}

int run_on_store(const StoreFlags& flags, StoreCommand command) {
  if (!flags.store.empty()) return command(flags, flags.store);
  if (flags.config.empty()) {
    return failed(Error{ErrorCode::invalid_argument, "say which store: --config or --store", ""});
  }
  const auto config = load_config(flags.config);
  return config ? command(flags, config->storage_dir.string()) : config.error();
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
    added->add_flag("--json", flags->as_json, "One JSON object");
    if (directory != nullptr) added->add_option("DIR", flags->directory, directory)->required();
    added->callback([&run, flags, command] {
      run = [flags, command] { return run_on_store(*flags, command); };
    });
  };
  add("info", "Identity, head, eras, floors", run_info);
  add("verify", "Walk everything; exit 74 when something does not fit", run_verify);
  add("dump", "Every entry as a line of JSON, without its content", run_dump);
  add("checkpoint", "A consistent copy in a new directory", run_checkpoint, "New directory");
  add("restore", "Put a checkpoint in the place of a log that was moved away; opens a new era",
      run_restore, "Directory of the checkpoint");
  add("complete", "Say that nothing is missing: full answers may remove what the log does not hold",
      run_complete);
  add("compact", "Give back the space of what was trimmed", run_compact);
}

}  // namespace zonesync::cmd
