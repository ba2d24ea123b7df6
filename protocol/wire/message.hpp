// One plain struct per wire message; docs/protocol.md is the specification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/model/buckets.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"
#include "protocol/model/verdict.hpp"

namespace zonesync::wire {

/// `u16 kind` of the packet header. Numbers are frozen.
enum class PacketKind : std::uint16_t {
  hello = 1,
  welcome = 2,
  goodbye = 3,
  sync = 4,
  synced = 5,
  want = 16,
  intent = 17,
  change = 18,
  part = 19,
  drop = 20,
  mark = 21,
  ack = 22,
  hold = 23,
  buckets = 24,
  differing = 25,
  prints = 26,
  remove = 27,
  list = 28,
  patch = 30,
};
[[nodiscard]] std::string_view to_string(PacketKind kind);

/// Direction of a flow: down = the hub is the sender, up = the zone is.
enum class FlowId : std::uint8_t { down = 0, up = 1 };
[[nodiscard]] std::string_view to_string(FlowId flow);

/// 16 bytes, little endian: u32 length (payload without padding), u8 flags (bit 0 zstd, bit 1
/// dictionary, bit 2 flow: 0 down, 1 up; others zero), u8 dictionary, u16 kind, u64 revision.
struct PacketHeader {
  std::uint32_t length = 0;
  PacketKind kind = PacketKind::hello;
  FlowId flow = FlowId::down;
  Revision revision;
  bool zstd = false;                    // the payload is a zstd frame of the real one (ZIP-01)
};

/// Identity and extent of a sender's log.
struct LogInfo {
  Id128 log_id;
  EraId era;
  Revision head;
  bool complete = false;
  friend bool operator==(const LogInfo&, const LogInfo&) = default;
};

/// How far a receiver staged an unfinished cut: every admitted change of revisions before
/// `at.revision` and the first `changes` of that one (STG-01).
struct Staged {
  Cursor at;                            // with the sender's era then, not that of the revision
  std::uint64_t changes = 0;
  bool full = false;                    // of a full cut; else of one from the wanted cursor
  Revision floor;                       // of the Intent that began or last resumed the cut
  friend bool operator==(const Staged&, const Staged&) = default;
};

struct Hello {
  std::string zone;
  InstanceId instance;
  std::string software;                 // "name/version" of the zone's software
  std::uint32_t version_min = 2;        // protocol versions
  std::uint32_t version_max = 2;
  std::vector<std::string> features;
  std::vector<std::string> types;       // requested; empty = all
  std::vector<std::string> meshes;      // requested; empty = all
  std::optional<Cursor> down_cursor;
  bool durable = true;
  std::uint64_t open_rejects = 0;
  Digest open_rejects_digest;
  LogInfo up_log;
  std::uint64_t down_window_bytes = 0;  // receive window the zone grants for the down flow
  std::optional<Staged> staged;         // of the down flow
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Welcome {
  std::uint64_t session = 0;
  Id128 hub_id;
  std::uint64_t generation = 0;
  std::uint32_t version = 2;
  ViewId down_view;
  ViewId up_view;
  std::vector<std::string> features;
  std::vector<TypeInfo> types;
  std::uint64_t message_max_bytes = 0;
  std::uint64_t up_window_bytes = 0;    // first grant of the up flow
  std::optional<Cursor> up_cursor;      // what the hub holds durably of the zone's log
  bool up_repair = false;               // no cursor, but content: compare by fingerprints
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// Close codes 4000-4999 are ours; docs/protocol.md has the table.
struct Goodbye {
  std::uint16_t code = 0;
  std::string reason;
  std::uint64_t retry_after_ms = 0;
  std::uint64_t fallback_ttl_ms = 0;    // 0 = no fallback to v1 asked for
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};
struct Sync {
  std::uint64_t id = 0;
  friend bool operator==(const Sync&, const Sync&) = default;
};
struct Synced {
  std::uint64_t id = 0;
  Revision revision;
  friend bool operator==(const Synced&, const Synced&) = default;
};

/// Receiver to sender: what it has and wants next.
struct Want {
  std::optional<Cursor> cursor;
  bool force_full = false;
  std::string why;                      // stable word for logs: "digest_mismatch", ...
  bool repair = false;                  // compare by fingerprints even where the cursor is valid
  bool no_patches = false;              // a patch failed: whole versions only (ZIP-16)
  std::optional<Staged> staged;         // go on behind it, if that is still possible
  friend bool operator==(const Want&, const Want&) = default;
};

enum class IntentReason : std::uint8_t { none = 1, changes = 2, repair = 3, full = 4 };
[[nodiscard]] std::string_view to_string(IntentReason reason);

/// Sender to receiver, answers one Want: what follows and why.
struct Intent {
  IntentReason reason = IntentReason::none;
  Id128 log_id;
  bool complete = false;                // of the sender's log
  ViewId view;
  std::optional<Cursor> from;           // set for none and changes
  Revision head;                        // of the log when this was decided
  std::string why;                      // stable word, e.g. "unknown_era", "view_changed"
  EraId era;                            // of the sender's log now; zero from an older peer
  std::optional<Staged> resumed;        // what is staged up to here is not sent again (STG-03)
  Revision floor;                       // of the sender's log: below it leaves may be missing
  friend bool operator==(const Intent&, const Intent&) = default;
};

/// A slice of a Change payload that is larger than a message; parts of one change follow each
/// other directly, in order. The packet header's revision is that of the change.
struct Part {
  std::uint32_t index = 0;
  std::uint32_t count = 0;
  std::uint64_t total_bytes = 0;
  std::string bytes;
  friend bool operator==(const Part&, const Part&) = default;
};

/// An upsert as a difference to the version of `key` with hash `base`, which the receiver holds.
/// The packet header's revision is that of the change.
struct Patch {
  ResourceKey key;
  Hash128 base;
  Hash128 hash;                         // of the resulting Change payload
  std::uint64_t size = 0;               // of the resulting Change payload
  std::string frame;                    // zstd with the base as prefix
  friend bool operator==(const Patch&, const Patch&) = default;
};

/// A class left the receiver's view, or enters it and is sent anew (VIEW-02).
struct Drop {
  Class cls;
  friend bool operator==(const Drop&, const Drop&) = default;
};

/// v1: the Changes (and Parts) up to the next List or Mark are all live resources of `type` in the
/// view at `version`; `digest` is over them, with their number. `nonce` counts a sender's lists.
struct List {
  std::string type;
  Digest digest;
  Revision version;
  std::uint64_t nonce = 0;
  friend bool operator==(const List&, const List&) = default;
};

// Repair by fingerprints, in this order: Buckets, Differing, Prints*, Remove*, then changes.

/// Receiver to sender: the sums of its 2^bits buckets, in bucket order.
struct Buckets {
  std::uint8_t bits = 0;
  std::vector<std::uint64_t> sums;
  friend bool operator==(const Buckets&, const Buckets&) = default;
};
/// Sender to receiver: buckets whose sums differ, ascending. None: no Prints follow.
struct Differing {
  std::vector<std::uint16_t> buckets;
  friend bool operator==(const Differing&, const Differing&) = default;
};
/// Receiver to sender: what it holds in those buckets, ascending over all packets.
struct Prints {
  std::vector<Print> records;
  bool last = false;
  friend bool operator==(const Prints&, const Prints&) = default;
};
/// Sender to receiver, counted in credit: printed keys that it does not have, ascending.
struct Remove {
  std::vector<Id128> fingerprints;
  friend bool operator==(const Remove&, const Remove&) = default;
};

/// End of a cut. `from` absent = the cut is a full one or a repair. `changes` counts the Change
/// packets (assembled), Drops and fingerprints of Remove since the previous Mark or Intent.
struct Mark {
  std::optional<Cursor> from;
  Cursor to;
  std::uint64_t changes = 0;
  std::optional<Digest> digest;
  friend bool operator==(const Mark&, const Mark&) = default;
};

/// Receiver to sender. Two cumulative numbers: credit and durability (protocol.md §4.4).
struct Ack {
  std::uint64_t received_bytes = 0;     // Change, Part and Drop packets with headers and padding
  std::uint64_t window_bytes = 0;       // sender may have this much beyond received_bytes in flight
  std::optional<Cursor> cursor;         // durable
  std::vector<Verdict> verdicts;
  friend bool operator==(const Ack&, const Ack&) = default;
};

/// Alive but not applying: disk full, paused, mass_delete ...
struct Hold {
  std::string reason;                   // stable word
  std::string text;
  bool released = false;                // true = the hold of this reason ended
  friend bool operator==(const Hold&, const Hold&) = default;
};

}  // namespace zonesync::wire
