#include "server/demo/screen.hpp"

#include <array>
#include <cstdio>

#include <boost/json.hpp>

namespace zonesync::demo {
namespace {

boost::json::array zones_json(const Overview& overview) {
  boost::json::array zones;
  for (const ZoneRow& zone : overview.zones) {
    zones.push_back(boost::json::object{{"name", zone.name},
                                        {"mode", zone.mode},
                                        {"revision", zone.revision},
                                        {"lag", zone.lag},
                                        {"rejects", zone.rejects},
                                        {"in_flight", zone.in_flight},
                                        {"bytes_rx", zone.bytes_rx},
                                        {"v1_bytes_est", zone.v1_bytes_est}});
  }
  return zones;
}

std::string saved(const ZoneRow& zone) {
  if (zone.v1_bytes_est <= zone.bytes_rx || zone.v1_bytes_est == 0) return "-";
  const double part = 1.0 - static_cast<double>(zone.bytes_rx) /
                                static_cast<double>(zone.v1_bytes_est);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%%", 100.0 * part);
  return text;
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string status_line(const Overview& overview, std::chrono::milliseconds since) {
  return boost::json::serialize(boost::json::object{{"event", "status"},
                                                    {"t_ms", since.count()},
                                                    {"head", overview.head},
                                                    {"zones", zones_json(overview)}});
}

std::string end_line(const Overview& overview, bool ok) {
  return boost::json::serialize(boost::json::object{
      {"event", "end"}, {"ok", ok}, {"head", overview.head}, {"zones", zones_json(overview)}});
}

std::string banner(const World& world) {
  return "zonesync demo (temporary data, removed at the end; not for production)\n"
         "  sync     " + world.sync_url() + "\n"
         "  api      " + world.api_url() + "\n"
         "  metrics  " + world.metrics_url() + "\n"
         "  files    " + world.directory().string() + "\n"
         "  mirror   ls " + world.directory().string() + "/east/mirror/current/\n"
         "Try in a second terminal:\n"
         "  export PATH=" + world.program_dir() + ":$PATH ZONESYNC_API=" + world.api_url() + "\n"
         "  export ZONESYNC_CA=" + world.ca_file() + "\n"
         "  export ZONESYNC_TOKEN_FILE=" + world.admin_token_file() + "\n"
         "  zonesync get zones -w           (or: get MeshTimeout, watch, apply -f FILE)\n"
         "  zonesync-hub demo cut west      (then: demo heal west, demo slow edge)\n"
         "  zonesync-hub demo poison east   (then: zonesync sync errors, demo heal east)\n"
         "Ctrl-C ends it and leaves nothing behind.\n\n";
}

std::string table(const Overview& overview) {
  constexpr const char* kFormat = "%-10s %-6s %-5s %8s %6s %9s %8s %11s %11s %7s\n";
  char line[256];
  std::snprintf(line, sizeof line, kFormat, "ZONE", "MODE", "LINK", "REV", "LAG", "IN FLIGHT",
                "REJECTS", "RECEIVED", "AS V1", "SAVED");
  std::string text = "head " + std::to_string(overview.head) + "\n" + line;
  for (const ZoneRow& zone : overview.zones) {
    std::snprintf(line, sizeof line, kFormat, zone.name.c_str(),
                  zone.connected ? zone.mode.c_str() : "away", zone.link.c_str(),
                  std::to_string(zone.revision).c_str(), std::to_string(zone.lag).c_str(),
                  human_bytes(zone.in_flight).c_str(), std::to_string(zone.rejects).c_str(),
                  human_bytes(zone.bytes_rx).c_str(), human_bytes(zone.v1_bytes_est).c_str(),
                  saved(zone).c_str());
    text += line;
  }
  return text;
}

}  // namespace zonesync::demo
