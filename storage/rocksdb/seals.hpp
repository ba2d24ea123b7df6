// How one open log seals: its data keys, and which types are sealed.
//
// Life cycle: construct, load, perhaps create_key; then only const functions. Thread rule: const
// functions from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/sealing_options.hpp"
#include "storage/sealing/sealed_entry.hpp"

namespace zonesync::rocksdb_store {

class Seals {
 public:
  explicit Seals(SealingOptions options) : options_(std::move(options)) {}

  /// Reads the log's data keys. Without a master key they stay closed. Errors: forbidden (another
  /// master key), storage_corrupt, storage_io.
  [[nodiscard]] Status load(const Database& database, const Id128& log_id);
  /// The log's first data key, if it has none and seals. Durable on return. Errors: storage_io,
  /// resource_exhausted, internal.
  [[nodiscard]] Status create_key(Database& database, const Id128& log_id);
  /// Whether the log can be served. Errors: forbidden (sealed, and there is no master key; the text
  /// says what to do).
  [[nodiscard]] Status check_open(const std::string& path) const;

  /// Keys to open with; null = there are none, or they are closed.
  [[nodiscard]] const sealing::KeyRing* keys() const;
  /// Master key that the log's data keys are wrapped with; empty = the log has no data key.
  [[nodiscard]] const std::string& master_id() const { return master_id_; }
  /// Whether new entries of `type` are sealed.
  [[nodiscard]] bool seals(std::string_view type) const;
  /// Whether entries of `type` may be stored at all. Errors: forbidden; says what to do.
  [[nodiscard]] Status admits(std::string_view type) const;

  /// How the predecessor of an entry is stored.
  struct Shown {
    Hash128 hash;
    bool sealed = false;
  };
  /// Stored form of an entry, sealed where its type is, or what it replaces is. `previous` must be
  /// given when the entry has a predecessor.
  [[nodiscard]] Result<sealing::StoredEntry> encode(const LogEntry& entry,
                                                    const std::optional<Shown>& previous) const;
  [[nodiscard]] Result<LogEntry> decode(const EntryView& view, Position position) const {
    return sealing::open_entry(view, position, keys());
  }
  [[nodiscard]] Result<std::string> encode_digest(const Class& cls, const Digest& digest) const;
  /// Both forms. Errors: storage_corrupt; forbidden (sealed, and no key).
  [[nodiscard]] Result<Digest> decode_digest(const Class& cls, std::string_view stored) const;

 private:
  SealingOptions options_;
  std::unique_ptr<sealing::KeyRing> ring_;
  std::string master_id_;
};

/// A stored class digest, whichever form it has.
[[nodiscard]] bool is_sealed_digest(std::string_view stored);
/// Readable in both forms; nothing when it is neither.
[[nodiscard]] std::optional<std::uint64_t> digest_count(std::string_view stored);

}  // namespace zonesync::rocksdb_store
