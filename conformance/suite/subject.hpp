// What is tested, behind an interface: a hub as a zone meets it, a zone (SDK) as a hub meets it.
// docs/conformance.md describes the adapter protocols that make a foreign program a subject.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/suite/link.hpp"
#include "protocol/core/time.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/result.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::conform {

enum class Mode : std::uint8_t { delta, v1 };
[[nodiscard]] std::string_view to_string(Mode mode);
/// The websocket subprotocol of a mode (CON-02).
[[nodiscard]] std::string_view subprotocol(Mode mode);

/// What cases may need beyond the connection itself; names are stable (docs/conformance.md).
using Capabilities = std::set<std::string, std::less<>>;

/// How a zone asks for its connection.
struct DialOptions {
  std::string zone;
  std::vector<std::string> subprotocols;
  std::optional<std::string> token;   // instead of the zone's own
  std::string path = "/sync";
};

/// Why a subject gave no connection.
struct DialRefusal {
  unsigned http_status = 0;
  std::string body;
  std::string text;
  bool retry_after = false;
};

/// What a hub says of one zone (P9).
struct ZoneFacts {
  bool connected = false;
  std::uint64_t generation = 0;
  std::optional<std::uint64_t> acked;        // revision
  std::optional<std::uint64_t> up_revision;  // durable at the hub
  std::string hold;
  std::uint64_t rejects = 0;
  std::string mode;
  std::string converged;
};

struct ControlOp {
  bool remove = false;
  Resource resource;   // for removes: the key only
};

/// A hub. Life cycle: one per case variant for self, one per run for a target.
class HubSubject {
 public:
  virtual ~HubSubject() = default;
  [[nodiscard]] virtual Capabilities capabilities() const = 0;
  [[nodiscard]] virtual tl::expected<std::unique_ptr<Link>, DialRefusal> connect(
      const DialOptions& options) = 0;
  /// Moves time for the subject: virtual, or by waiting.
  virtual void advance(Duration by) = 0;

  // -- control: errors say what the subject answered ----------------------------------------------
  /// One transaction; the revision it took, or the head when nothing changed.
  virtual Result<Revision> write(const std::vector<ControlOp>& ops) = 0;
  /// Present resources that any zone's view could hold, without system entries.
  virtual Result<std::vector<Resource>> state() = 0;
  virtual Result<ZoneFacts> zone(const std::string& name) = 0;
  /// `command`: approve-mass-delete, delete, enable, disable.
  virtual Status set_zone(const std::string& name, const std::string& command) = 0;
  virtual Status restart() = 0;
  /// Faults that only some subjects can play: lose_tail N, trim, fail_disk, heal_disk ...
  virtual Status fault(const std::string& name, std::uint64_t argument) = 0;
};

/// What a client says of itself.
struct ClientFacts {
  std::string state;                 // ZoneState word
  std::string mode;
  bool connected = false;
  std::string held;
  std::string peer_held;
  std::uint64_t revision = 0;        // durably applied
  std::uint64_t rejects = 0;         // own verdicts that are open
  std::uint64_t publish_rejects = 0; // the hub's verdicts that are open
  std::uint64_t outbox_acked = 0;
  std::uint64_t outbox_head = 0;
  std::uint16_t close_code = 0;      // of the last end
};

struct ClientOptions {
  std::string zone = "east";
  std::vector<std::string> types;
  std::vector<std::string> meshes;
  bool durable = true;
  Mode mode = Mode::delta;
};

/// A client of a zone. It connects to the hub that the suite plays.
class ZoneSubject {
 public:
  virtual ~ZoneSubject() = default;
  [[nodiscard]] virtual Capabilities capabilities() const = 0;
  virtual Status start(const ClientOptions& options) = 0;
  /// Waits for the client's next connection; nothing = it did not come. Accepts `mode`.
  [[nodiscard]] virtual std::unique_ptr<Link> accept(Mode mode) = 0;
  /// Waits for an attempt and refuses it with an HTTP status; false = no attempt came.
  virtual bool refuse_next(unsigned http_status, std::optional<std::uint32_t> retry_after_s) = 0;
  /// Whether an attempt to connect comes within that time.
  [[nodiscard]] virtual bool attempts_within(Duration within) = 0;
  virtual void advance(Duration by) = 0;

  /// What the application sees: accepted versions.
  virtual Result<std::vector<Resource>> store() = 0;
  virtual Result<ClientFacts> status() = 0;
  /// From now on resources whose spec contains `word` are refused with `invalid`; empty = none.
  virtual Status set_verdict(const std::string& word) = 0;
  virtual Status publish(const std::vector<ControlOp>& ops) = 0;
  virtual Status publish_complete() = 0;
  virtual Status approve_mass_delete() = 0;
  /// Starts a barrier; `barrier_done` tells the revision once it ended, 0 = failed.
  virtual Status barrier() = 0;
  virtual std::optional<std::uint64_t> barrier_done() = 0;
  /// A new process over the same store.
  virtual Status restart() = 0;
  virtual Status stop() = 0;
  virtual Status fault(const std::string& name, std::uint64_t argument) = 0;
};

/// Makes subjects. `fresh` = each case gets one that holds nothing.
class SubjectFactory {
 public:
  virtual ~SubjectFactory() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool has_hub() const { return true; }
  [[nodiscard]] virtual bool has_zone() const { return true; }
  /// Null = it could not be made; the seed decides ids.
  [[nodiscard]] virtual std::shared_ptr<HubSubject> hub(std::uint64_t seed) = 0;
  [[nodiscard]] virtual std::shared_ptr<ZoneSubject> zone(std::uint64_t seed) = 0;
  /// Modes that can be asked for.
  [[nodiscard]] virtual std::vector<Mode> modes() const = 0;
};

}  // namespace zonesync::conform
