// Health and metrics.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

class Health : public AdminFixture {
 protected:
  HttpResponse from_metrics(const std::string& target) {
    return send(metrics_client(), {"GET", target, {}, ""}, Port::metrics);
  }
};

TEST_F(Health, ready_and_not) {
  EXPECT_EQ(from_metrics("/livez").body, "ok\n");
  EXPECT_EQ(from_metrics("/readyz").status, 200u);
  hub_.set_ready(true, true);
  EXPECT_EQ(from_metrics("/readyz").status, 503u);
  EXPECT_EQ(from_metrics("/readyz").body, "draining\n");
  hub_.set_ready(false, false);
  const HttpResponse verbose = from_metrics("/readyz?verbose=true");
  EXPECT_EQ(verbose.status, 503u);
  EXPECT_NE(verbose.body.find("[-] hub"), std::string::npos);
  EXPECT_NE(verbose.body.find("[+] drain"), std::string::npos);
  EXPECT_EQ(from_metrics("/livez").status, 200u);
  EXPECT_EQ(from_metrics("/readyz?verbose=9").status, 400u);
}

// Zones are served on a full disk: the hub is ready, and says what it refuses.
TEST_F(Health, a_full_disk_shows_and_leaves_the_hub_ready) {
  EXPECT_NE(from_metrics("/readyz?verbose=true").body.find("[+] disk"), std::string::npos);
  EXPECT_NE(from_metrics("/metrics").body.find("zonesync_writes_refused 0"), std::string::npos);
  EXPECT_NE(get("/").body.find("\"writes_refused\":false"), std::string::npos);
  hub_.set_disk(true, 12'345);
  const HttpResponse verbose = from_metrics("/readyz?verbose=true");
  EXPECT_EQ(verbose.status, 200u);
  EXPECT_NE(verbose.body.find("[-] disk: almost full, writes are refused"), std::string::npos);
  const std::string metrics = from_metrics("/metrics").body;
  EXPECT_NE(metrics.find("zonesync_writes_refused 1"), std::string::npos);
  EXPECT_NE(metrics.find("zonesync_disk_free_bytes 12345"), std::string::npos);
  const std::string about = get("/").body;
  EXPECT_NE(about.find("\"writes_refused\":true"), std::string::npos) << about;
  EXPECT_NE(about.find("\"disk_free_bytes\":12345"), std::string::npos) << about;
}

TEST_F(Health, metrics_have_help_zones_and_requests) {
  hub::ZoneStatus east;
  east.name = "east";
  east.connected = true;
  east.lag_revisions = 5;
  east.counters.cuts_resumed = 3;
  hub_.set_zone(east);
  put("a", "1s");
  get("/nothing/here/at/all/x/y");
  const HttpResponse scraped = from_metrics("/metrics");
  const std::string& text = scraped.body;
  for (const char* line : {"# HELP zonesync_log_revision ", "# TYPE zonesync_commits_total counter",
                           "zonesync_commits_total 7", "zonesync_log_revision 1",
                           "zonesync_log_trim_floor 0", "zonesync_log_tombstone_floor 0",
                           "zonesync_build_info{version=\"1.2.3\"} 1",
                           "zonesync_zone_connected{zone=\"east\"} 1",
                           "zonesync_zone_lag_revisions{zone=\"east\"} 5",
                           "zonesync_zone_resumed_cuts_total{zone=\"east\"} 3",
                           "zonesync_zones_without_series 0",
                           "code=\"201\"", "route=\"(none)\""}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << '\n' << text;
  }
  EXPECT_EQ(text.find("/nothing"), std::string::npos) << "a path out of a request as a label";
}

TEST_F(Health, zone_series_are_bounded) {
  AdminOptions options;
  options.zone_series_max = 1;
  restart(options);
  for (const char* name : {"east", "west"}) hub_.set_zone(hub::ZoneStatus{.name = name});
  const std::string text = from_metrics("/metrics").body;
  EXPECT_NE(text.find("zone=\"east\""), std::string::npos);
  EXPECT_EQ(text.find("zone=\"west\""), std::string::npos);
  EXPECT_NE(text.find("zonesync_zones_without_series 1"), std::string::npos);
  EXPECT_NE(text.find("zonesync_zones 2"), std::string::npos);
}

TEST_F(Health, metrics_can_be_off) {
  AdminOptions options;
  options.metrics_enabled = false;
  restart(options);
  EXPECT_EQ(server_->metrics_port(), 0);
}

}  // namespace
}  // namespace zonesync::admin::testing
