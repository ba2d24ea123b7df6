#include "server/cmd/key_change.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/auth/secret.hpp"
#include "server/cmd/encryption.hpp"
#include "storage/rocksdb/offline_store.hpp"

namespace zonesync {
namespace {

namespace fs = std::filesystem;

fs::path next_of(const fs::path& file) { return file.string() + ".new"; }
fs::path kept_of(const fs::path& file, const std::string& id) {
  return file.string() + ".old-" + id;
}

/// KEYFILE of KEYFILE.old-ID; nothing for another name.
std::optional<fs::path> plain_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t mark = name.rfind(".old-");
  if (mark == name.npos || mark == 0) return std::nullopt;
  return fs::path(file).replace_filename(name.substr(0, mark));
}

/// The change would put the new key, and later the log's only one, under an earlier key's name.
Error misnamed(const fs::path& file, const fs::path& plain) {
  return {ErrorCode::invalid_argument,
          "this is the name of an earlier key, and the new key would take it. Nothing was changed. "
          "Give the key a name of its own: move " + plain.string() + ", if it is there, to " +
              plain.string() + ".old-ID; cp -p " + file.string() + ' ' + plain.string() +
              "; name " + plain.string() + " in storage.encryption.key_file; run this again",
          file.string()};
}

/// Id of the master key that a log is sealed with; empty = nothing is sealed there.
Result<std::string> wanted_key(const fs::path& store) {
  auto opened = OfflineStore::open(store.string());
  if (!opened) return fail(std::move(opened.error()));
  auto info = (*opened)->info();
  if (!info) return fail(std::move(info.error()));
  return std::move(info->master_key);
}

/// What a place for a key holds.
struct Found {
  sealing::MasterKeyPtr key;  // null = no file, or no key file
  bool there = false;
  [[nodiscard]] bool holds(const std::string& id) const { return key && key->id == id; }
};

/// A file that is no key file is an answer. Errors: forbidden, too_large, storage_io.
Result<Found> look_at(const fs::path& file) {
  auto key = read_master_key(file);
  if (key) return Found{std::move(*key), true};
  if (key.error().code == ErrorCode::not_found) return Found{};
  if (key.error().code == ErrorCode::invalid_argument) return Found{nullptr, true};
  return fail(std::move(key.error()));
}

Status io_error(const std::string& what, const fs::path& file, const std::string& why) {
  return fail(ErrorCode::storage_io, what + ": " + why, file.string());
}

Status sync_folder_of(const fs::path& file) {
  return auth::sync_directory(fs::absolute(file).parent_path());
}

/// Makes a file durable that another process may have written without getting that far.
Status sync_file(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const std::string why = synced ? "" : std::strerror(errno);
  if (descriptor >= 0) ::close(descriptor);
  return synced ? sync_folder_of(file) : io_error("cannot sync", file, why);
}

Status rename_durably(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return io_error("cannot rename it to " + to.string(), from, error.message());
  return sync_folder_of(to);
}

/// The file beside `file` that holds key `id`, if any does.
std::optional<fs::path> neighbour_with(const fs::path& file, const std::string& id) {
  for (const fs::path& candidate : {next_of(file), kept_of(file, id)}) {
    const auto found = look_at(candidate);
    if (found && found->holds(id)) return candidate;
  }
  std::error_code error;  // names were changed by hand, perhaps
  const std::string prefix = file.filename().string() + ".";
  fs::directory_iterator folder(fs::absolute(file).parent_path(), error);
  std::vector<fs::path> candidates;
  for (; !error && folder != fs::directory_iterator(); folder.increment(error)) {
    if (folder->path().filename().string().starts_with(prefix)) {
      candidates.push_back(file.parent_path() / folder->path().filename());
    }
  }
  std::sort(candidates.begin(), candidates.end());
  for (const fs::path& candidate : candidates) {
    const auto found = look_at(candidate);
    if (found && found->holds(id)) return candidate;
  }
  return std::nullopt;
}

/// The log wants key `id`, and `file` does not hold it. `rekey` = the command that finishes an
/// interrupted change.
Error wrong_key(const fs::path& file, const Found& present, const std::string& id,
                const std::string& rekey) {
  std::string text = "the log is sealed with master key " + id + ", and the key file " +
                     (present.key    ? "holds key " + present.key->id
                      : present.there ? std::string("is no key file")
                                      : std::string("is missing"));
  const auto holder = neighbour_with(file, id);
  if (!holder) {
    text += "; no " + file.filename().string() +
            ".new or .old-ID beside it holds that key either. Put the file with it back from your "
            "copy: a new key opens nothing";
  } else if (*holder == next_of(file)) {
    text += "; " + holder->string() + " holds it: a change of keys was interrupted. ";
    text += present.there && !present.key ? "Move " + file.string() + " away, then finish it with: "
                                          : "Finish it with: ";
    text += rekey;
  } else {
    text += "; " + holder->string() +
            " holds it, an earlier key: this log is of before the last change of keys. Put that "
            "key in place: ";
    if (present.there) {
      const std::string there = present.key ? present.key->id : "unknown";
      text += "mv " + file.string() + ' ' + kept_of(file, there).string() + " && ";
    }
    text += "cp -p " + holder->string() + ' ' + file.string() +
            "; start, and change the keys (hub stopped) with: " + rekey;
  }
  return {ErrorCode::forbidden, std::move(text), file.string()};
}

/// One run of change_master_key.
class KeyChange {
 public:
  KeyChange(const fs::path& store, const fs::path& file, const KeyChangeOptions& options)
      : store_path_(store), file_(file), next_(next_of(file)), options_(options) {}

  Result<KeyChangeReport> run() {
    Status status = look();
    if (status) status = next_key_.holds(wanted_) && !present_.holds(wanted_) ? resume() : begin();
    if (status) status = put_in_place();
    if (status) status = reseal();
    if (!status) return fail(std::move(status.error()));
    return std::move(report_);
  }

 private:
  Status look() {
    auto wanted = wanted_key(store_path_);
    if (!wanted) return fail(std::move(wanted.error()));
    wanted_ = std::move(*wanted);
    if (wanted_.empty()) {
      return fail(ErrorCode::precondition_failed,
                  "nothing is sealed in this log yet; just name the new key file in the "
                  "configuration", store_path_.string());
    }
    auto present = look_at(file_);
    if (!present) return fail(std::move(present.error()));
    present_ = std::move(*present);
    auto next = look_at(next_);
    if (!next) return fail(std::move(next.error()));
    next_key_ = std::move(*next);
    return {};
  }

  /// The log has the new key already: the files follow.
  Status resume() {
    if (present_.there && !present_.key) {
      return fail(wrong_key(file_, present_, wanted_, "zonesync-hub store rekey"));
    }
    report_.finished = true;
    report_.notes.push_back("an interrupted change of keys was found: the log is sealed with the "
                            "key in " + next_.string() + " already");
    return open(next_key_.key);
  }

  Status begin() {
    if (!present_.holds(wanted_)) {
      return fail(wrong_key(file_, present_, wanted_, "zonesync-hub store rekey"));
    }
    if (const auto plain = plain_of(file_)) return fail(misnamed(file_, *plain));
    if (Status opened = open(present_.key); !opened) return opened;
    if (Status made = take_next(); !made) return made;
    if (Status stop = check(KeyChangeStep::key_made); !stop) return stop;
    if (Status sealed = opened_->rekey(*next_key_.key); !sealed) return sealed;
    return check(KeyChangeStep::log_sealed);
  }

  /// KEYFILE.new: the one that is there when it can be the next key, else a fresh one.
  Status take_next() {
    if (next_key_.key && !next_key_.holds(present_.key->id)) {
      report_.notes.push_back(next_.string() + " was there, with key " + next_key_.key->id +
                              ", which this log does not know: it is the new key now");
      return sync_file(next_);
    }
    if (next_key_.there) {
      const fs::path aside = next_.string() + ".unused";
      if (Status moved = rename_durably(next_, aside); !moved) return moved;
      report_.notes.push_back(next_.string() + (next_key_.key ? " held the key that was in use"
                                                              : " was no key file") +
                              ": it was moved to " + aside.string());
    }
    auto fresh = create_master_key(next_);
    if (!fresh) return fail(std::move(fresh.error()));
    next_key_ = Found{std::move(*fresh), true};
    return {};
  }

  Status put_in_place() {
    if (present_.key) {
      if (Status kept = keep_old(); !kept) return kept;
      if (Status stop = check(KeyChangeStep::old_kept); !stop) return stop;
    }
    if (Status renamed = rename_durably(next_, file_); !renamed) {
      renamed.error().message = "the log has its new key, but the file could not be put in place; "
                                "run this command again. " + renamed.error().message;
      return renamed;
    }
    report_.key = next_key_.key->id;
    return check(KeyChangeStep::in_place);
  }

  /// A copy: the key file itself stays until the new one takes its name.
  Status keep_old() {
    const sealing::MasterKey& old = *present_.key;
    const fs::path kept = kept_of(file_, old.id);
    report_.kept = kept;
    auto found = look_at(kept);
    if (!found) return fail(std::move(found.error()));
    if (found->key && sealing::to_text(*found->key) == sealing::to_text(old)) {
      return sync_file(kept);
    }
    if (found->key) {
      return fail(ErrorCode::conflict, "another key is in the place of the old one; move it away",
                  kept.string());
    }
    std::error_code error;
    fs::remove(kept, error);  // half a copy, of a run before
    const auth::Secret text(sealing::to_text(old));
    if (Status written = auth::write_secret_file(kept, text.expose()); !written) return written;
    return sync_folder_of(kept);
  }

  Status reseal() {
    if (options_.now) {
      if (Status done = opened_->reseal(); !done) return done;
    }
    auto info = opened_->info();
    if (!info) return fail(std::move(info.error()));
    report_.resealing = info->resealing;
    return opened_->compact();  // what the old keys opened leaves the disk
  }

  Status open(const sealing::MasterKeyPtr& key) {
    auto store = OfflineStore::open_to_change(store_path_.string(), nullptr, key);
    if (!store) return fail(std::move(store.error()));
    opened_ = std::move(*store);
    return {};
  }

  Status check(KeyChangeStep step) const {
    if (!options_.go_on || options_.go_on(step)) return {};
    return fail(ErrorCode::canceled, "the change of keys was stopped");
  }

  const fs::path store_path_;
  const fs::path file_;
  const fs::path next_;
  const KeyChangeOptions& options_;
  std::string wanted_;
  Found present_;
  Found next_key_;
  std::unique_ptr<OfflineStore> opened_;  // holds the store's lock
  KeyChangeReport report_;
};

}  // namespace

Result<KeyChangeReport> change_master_key(const fs::path& store, const fs::path& key_file,
                                          const KeyChangeOptions& options) {
  return KeyChange(store, key_file, options).run();
}

std::optional<Error> key_trouble(const HubConfig& config, const fs::path& config_file) {
  const fs::path& file = config.encryption_key_file;
  if (file.empty()) return std::nullopt;
  auto wanted = wanted_key(config.storage_dir);
  if (!wanted && wanted.error().code == ErrorCode::not_found) wanted = std::string();
  const auto present = look_at(file);
  if (!wanted || !present || present->holds(*wanted)) return std::nullopt;
  if (!wanted->empty()) {
    return wrong_key(file, *present, *wanted,
                     "zonesync-hub store rekey --config " + config_file.string());
  }
  if (present->key) return std::nullopt;
  const std::string remedy = "; nothing is sealed in the log yet, so a new one will do: "
                             "zonesync-hub store new-key " + file.string();
  if (!present->there) {
    return Error{ErrorCode::not_found, "there is no key file" + remedy, file.string()};
  }
  return Error{ErrorCode::invalid_argument,
               "this is no key file" + remedy + ", with this one moved away", file.string()};
}

}  // namespace zonesync
