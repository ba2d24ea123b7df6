// What every campaign takes and gives.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::campaigns {

struct CampaignOptions {
  std::string bin_dir;           // where zonesync-hub and zonesync-agent are
  unsigned rounds = 10;
  std::uint64_t seed = 1;
  bool unsafe_no_sync = false;   // power-cut only: the hub does not sync; losses must show
  bool sabotage = false;         // the campaign breaks its own promise; its checks must see that
};

/// What a campaign found. `failures` empty = every promise held.
class CampaignReport {
 public:
  explicit CampaignReport(const CampaignOptions& options) : options_(options) {}

  /// One broken promise; the first 50 are kept as texts, all are counted.
  void failed(std::string what);
  void count(std::string_view name, std::uint64_t more = 1);
  void set(std::string_view name, boost::json::value value) { facts_[name] = std::move(value); }
  [[nodiscard]] std::uint64_t counted(std::string_view name) const;
  [[nodiscard]] bool good() const { return failures_ == 0; }
  void round_done() { ++rounds_; }

  /// {"campaign", "ok", "seed", "rounds", counters ..., "failures": [text]}.
  [[nodiscard]] boost::json::object to_json(std::string_view campaign) const;

 private:
  CampaignOptions options_;
  boost::json::object facts_;
  boost::json::array texts_;
  std::uint64_t failures_ = 0;
  unsigned rounds_ = 0;
};

/// One campaign. Errors: unsupported = the machine lacks the means (skipped, or with --require an
/// error); anything else = the campaign itself could not run.
using CampaignFunction = Status (*)(const CampaignOptions&, CampaignReport&);

Status run_kill(const CampaignOptions& options, CampaignReport& report);
Status run_power_cut(const CampaignOptions& options, CampaignReport& report);
Status run_fsync_error(const CampaignOptions& options, CampaignReport& report);
Status run_disk_full(const CampaignOptions& options, CampaignReport& report);
Status run_corruption(const CampaignOptions& options, CampaignReport& report);
Status run_restore(const CampaignOptions& options, CampaignReport& report);
Status run_slow_zone(const CampaignOptions& options, CampaignReport& report);
Status run_stall(const CampaignOptions& options, CampaignReport& report);
Status run_storm(const CampaignOptions& options, CampaignReport& report);
Status run_duplicate_zone(const CampaignOptions& options, CampaignReport& report);
Status run_memory_limit(const CampaignOptions& options, CampaignReport& report);
Status run_interrupted_sync(const CampaignOptions& options, CampaignReport& report);

}  // namespace zonesync::campaigns
