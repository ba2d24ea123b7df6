// GET /metrics: Prometheus' text format, made from the hub's read models at each scrape.
#include <functional>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "server/admin/handlers.hpp"

namespace zonesync::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric series(MetricType type, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

class Families {
 public:
  MetricFamily& add(std::string name, std::string help, MetricType type) {
    return families_.emplace_back(
        MetricFamily{"zonesync_" + std::move(name), std::move(help), type, {}});
  }
  void counter(std::string name, std::string help, std::uint64_t value) {
    add(std::move(name), std::move(help), MetricType::Counter)
        .metric.push_back(series(MetricType::Counter, {}, static_cast<double>(value)));
  }
  void gauge(std::string name, std::string help, double value, Labels labels = {}) {
    add(std::move(name), std::move(help), MetricType::Gauge)
        .metric.push_back(series(MetricType::Gauge, std::move(labels), value));
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<MetricFamily> families_;
};

void add_hub(Families& out, const hub::HubInfo& info, const hub::HubCounters& counters) {
  out.gauge("build_info", "Always 1; the version is in the label.", 1,
            {{"version", info.version}});
  out.gauge("start_time_seconds", "When the hub started, unix time.",
            static_cast<double>(info.started_at_ms) / 1'000);
  out.gauge("ready", "1 = accepts zones and writes.", info.ready && !info.draining ? 1 : 0);
  out.gauge("log_revision", "Head of the log.", static_cast<double>(info.head.value));
  out.gauge("log_complete", "1 = the log is complete.", info.complete ? 1 : 0);
  out.gauge("log_era_start_revision", "Where the newest era of the log begins: its last opening.",
            static_cast<double>(info.era_start.value));
  if (info.restored_at) {
    out.gauge("log_restored_revision", "The log is a backup that ended here.",
              static_cast<double>(info.restored_at->value));
    out.gauge("log_restored_time_seconds", "When the backup was put in place, unix time.",
              static_cast<double>(info.restored_at_ms) / 1'000);
  }
  out.gauge("writes_refused", "1 = the disk is almost full: writes are refused, zones go on.",
            info.writes_refused ? 1 : 0);
  if (info.disk_free_bytes) {
    out.gauge("disk_free_bytes", "Bytes free where the log lies.",
              static_cast<double>(*info.disk_free_bytes));
  }
  out.counter("commits_total", "Segments made durable.", counters.commits);
  out.counter("transactions_total", "Revisions taken.", counters.transactions);
  out.counter("changes_total", "Changes logged.", counters.changes);
  out.counter("writes_unchanged_total", "Writes that found their content there.",
              counters.writes_unchanged);
  out.counter("writes_refused_total", "Writes refused by preconditions or limits.",
              counters.writes_refused);
  out.counter("commit_queue_full_total", "Writes answered 429.", counters.queue_full);
  out.gauge("commit_queue_requests", "Writes that wait.",
            static_cast<double>(counters.queue_requests));
  out.gauge("commit_queue_bytes", "Bytes of the writes that wait.",
            static_cast<double>(counters.queue_bytes));
  out.counter("up_cuts_total", "Cuts that zones published.", counters.up_cuts);
  out.counter("up_stale_total", "Up cuts fenced by generation or cursor.", counters.up_stale);
  out.counter("up_rejects_total", "Versions of zones that the hub refused.", counters.up_rejects);
  out.counter("sessions_opened_total", "Zone sessions opened.", counters.sessions_opened);
  out.counter("sessions_refused_total", "Zone sessions refused.", counters.sessions_refused);
  out.counter("upgrades_refused_total", "Websocket upgrades refused.", counters.upgrades_refused);
  out.counter("tls_failures_total", "TLS handshakes that failed.", counters.tls_failures);
  out.counter("protocol_errors_total", "Sessions ended by a broken rule.",
              counters.protocol_errors);
}

void add_floors(Families& out, const LogState& log) {
  out.gauge("log_trim_floor", "Superseded versions below this revision may be trimmed.",
            static_cast<double>(log.trim_floor.value));
  out.gauge("log_tombstone_floor",
            "Records of deletions up to this revision may be trimmed: a zone that acked less is "
            "repaired.",
            static_cast<double>(log.tombstone_floor.value));
}

struct ZoneMetric {
  const char* name;
  const char* help;
  MetricType type;
  std::function<double(const hub::ZoneStatus&)> value;
};

const std::vector<ZoneMetric>& zone_metrics() {
  using hub::ZoneStatus;
  constexpr auto gauge = MetricType::Gauge;
  constexpr auto counter = MetricType::Counter;
  const auto number = [](auto value) { return static_cast<double>(value); };
  static const std::vector<ZoneMetric> metrics{
      {"zone_connected", "1 = has a session.", gauge,
       [](const ZoneStatus& z) { return z.connected ? 1.0 : 0.0; }},
      {"zone_acked_revision", "Revision that is durable at the zone.", gauge,
       [=](const ZoneStatus& z) { return number(z.acked ? z.acked->value : 0); }},
      {"zone_lag_revisions", "Revisions between head and acked.", gauge,
       [=](const ZoneStatus& z) { return number(z.lag_revisions); }},
      {"zone_lag_seconds", "Age of the oldest change the zone has not acked.", gauge,
       [](const ZoneStatus& z) { return z.lag_seconds; }},
      {"zone_inflight_bytes", "Bytes sent and not acked.", gauge,
       [=](const ZoneStatus& z) { return number(z.in_flight_bytes); }},
      {"zone_diverged", "1 = the last digest comparison failed.", gauge,
       [](const ZoneStatus& z) { return z.converged == hub::Convergence::no ? 1.0 : 0.0; }},
      {"zone_mode_v1", "1 = the session is in v1 (complete lists), 0 = delta.", gauge,
       [](const ZoneStatus& z) { return z.mode == "v1" ? 1.0 : 0.0; }},
      {"zone_held", "1 = a guard waits for approval.", gauge,
       [](const ZoneStatus& z) { return z.hold_reason.empty() ? 0.0 : 1.0; }},
      {"zone_rejects", "Open rejects, both directions.", gauge,
       [=](const ZoneStatus& z) { return number(z.rejects_total); }},
      {"zone_up_resources", "Live resources of this origin.", gauge,
       [=](const ZoneStatus& z) { return number(z.up_resources); }},
      {"zone_last_seen_timestamp_seconds", "Last packet or disconnect, unix time.", gauge,
       [=](const ZoneStatus& z) { return number(z.last_seen_ms) / 1'000; }},
      {"zone_connections_total", "Sessions of the zone.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.sessions); }},
      {"zone_received_bytes_total", "Bytes the hub received from the zone.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.bytes_rx); }},
      {"zone_sent_bytes_total", "Bytes the hub sent to the zone.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.bytes_tx); }},
      {"zone_received_changes_total", "Changes received from the zone.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.changes_received); }},
      {"zone_sent_changes_total", "Changes sent to the zone.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.changes_sent); }},
      {"zone_digest_mismatches_total", "Digest comparisons that failed.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.digest_mismatches); }},
      {"zone_saved_bytes_total", "Bytes that compression and patches did not send.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.saved_bytes); }},
      {"zone_sent_patches_total", "Changes that went to the zone as patches.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.patches_sent); }},
      {"zone_resumed_cuts_total", "Interrupted cuts that went on where the zone had staged them.",
       counter, [=](const ZoneStatus& z) { return number(z.counters.cuts_resumed); }},
      {"zone_patch_failures_total", "Patches of the zone that found no base here.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.patch_failures); }},
      {"sync_sotw_equivalent_bytes_total", "What complete lists would have cost.", counter,
       [=](const ZoneStatus& z) { return number(z.counters.v1_bytes_est); }},
  };
  return metrics;
}

void add_zones(Families& out, std::vector<hub::ZoneStatus> zones, std::size_t series_max) {
  out.gauge("zones", "Registered zones.", static_cast<double>(zones.size()));
  const std::size_t without = zones.size() > series_max ? zones.size() - series_max : 0;
  out.gauge("zones_without_series", "Zones left out below, to bound the number of series.",
            static_cast<double>(without));
  zones.resize(zones.size() - without);
  if (zones.empty()) return;
  for (const ZoneMetric& metric : zone_metrics()) {
    MetricFamily& family = out.add(metric.name, metric.help, metric.type);
    for (const hub::ZoneStatus& zone : zones) {
      family.metric.push_back(series(metric.type, {{"zone", zone.name}}, metric.value(zone)));
    }
  }
  MetricFamily& resumes = out.add("sync_resumes_total", "How the hub answered a zone's cursor.",
                                  MetricType::Counter);
  for (const hub::ZoneStatus& zone : zones) {
    const std::pair<const char*, std::uint64_t> kinds[] = {
        {"none", zone.counters.intents_none},
        {"changes", zone.counters.intents_changes},
        {"repair", zone.counters.intents_repair},
        {"full", zone.counters.intents_full}};
    for (const auto& [kind, count] : kinds) {
      resumes.metric.push_back(series(MetricType::Counter, {{"zone", zone.name}, {"kind", kind}},
                                      static_cast<double>(count)));
    }
  }
}

void add_requests(Families& out, const RequestCounters& requests) {
  const auto counts = requests.counts();
  if (counts.empty()) return;
  MetricFamily& family =
      out.add("api_requests_total", "Requests answered, by route.", MetricType::Counter);
  for (const auto& [key, count] : counts) {
    const auto& [route, method, status] = key;
    family.metric.push_back(series(
        MetricType::Counter,
        {{"route", route}, {"method", method}, {"code", std::to_string(status)}},
        static_cast<double>(count)));
  }
}

}  // namespace

Answer get_metrics(const Call& call) {
  Families families;
  add_hub(families, call.hub().info(), call.hub().counters());
  add_floors(families, call.hub().log().state());
  add_zones(families, call.hub().zones(), call.context->options.zone_series_max);
  add_requests(families, call.context->requests);
  HttpResponse response = text_response(200, families.text());
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

}  // namespace zonesync::admin
