// The hub's log as a session reads it; honest but for the defects that live here.
#pragma once

#include "conformance/simulator/environment.hpp"
#include "protocol/flowlog/log_source.hpp"

namespace zonesync::sim {

/// Life cycle: one per session. Thread rule: one thread.
class SimSource final : public ChangeSource {
 public:
  SimSource(Environment& env, const LogSource& source) : env_(env), source_(source) {}

  [[nodiscard]] LogState state() const override { return source_.state(); }
  [[nodiscard]] Revision head() const override { return source_.head(); }
  [[nodiscard]] Result<ScanPage> scan(Position after, const View& view,
                                      std::size_t max_bytes) const override;
  [[nodiscard]] Result<ScanPage> scan_classes(Position after, const ClassFilter& wanted,
                                              std::size_t max_bytes) const override {
    return source_.scan_classes(after, wanted, max_bytes);
  }
  [[nodiscard]] std::vector<Class> classes_now(const ClassFilter& wanted) const override {
    return source_.classes_now(wanted);
  }
  [[nodiscard]] std::optional<std::vector<Class>> classes_between(
      Revision base, Position until, const ClassFilter& wanted) const override {
    return source_.classes_between(base, until, wanted);
  }
  [[nodiscard]] std::optional<Digest> digest_at(Revision revision,
                                                const View& view) const override;
  [[nodiscard]] std::optional<std::map<std::string, Digest>> type_digests_at(
      Revision revision, const View& view) const override {
    return source_.type_digests_at(revision, view);
  }
  [[nodiscard]] Result<StatePage> state_at(Revision revision, const std::string& type,
                                           const std::optional<ResourceKey>& after,
                                           const View& view,
                                           std::size_t max_bytes) const override {
    return source_.state_at(revision, type, after, view, max_bytes);
  }
  [[nodiscard]] Result<std::shared_ptr<const FingerprintTable>> fingerprints() const override {
    return source_.fingerprints();
  }
  [[nodiscard]] Result<LogEntry> read(Position position) const override {
    return source_.read(position);
  }
  [[nodiscard]] std::shared_ptr<const Frames> compressed(const LogEntry& entry) const override {
    return source_.compressed(entry);
  }
  [[nodiscard]] std::shared_ptr<const std::string> patch(const LogEntry& entry) const override {
    return source_.patch(entry);
  }

 private:
  [[nodiscard]] bool digest_is_off() const;
  static void hide_floor(ScanPage& page);

  Environment& env_;
  const LogSource& source_;
  mutable bool full_ = false;   // the last scan from the start: such a cut needs its digest
};

}  // namespace zonesync::sim
