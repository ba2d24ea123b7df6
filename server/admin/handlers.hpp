// Every handler of the route table, by the file that has it.
#pragma once

#include "server/admin/call.hpp"

namespace zonesync::admin {

// about.cpp
[[nodiscard]] Answer get_hub(const Call& call);
[[nodiscard]] Answer who_am_i(const Call& call);
[[nodiscard]] Answer list_types(const Call& call);

// resource_read.cpp
[[nodiscard]] Answer get_resource(const Call& call);
[[nodiscard]] Answer list_resources(const Call& call);
[[nodiscard]] Answer get_history(const Call& call);

// resource_write.cpp
void put_resource(Call call);
void delete_resource(Call call);

// transactions.cpp
void post_transaction(Call call);

// diff.cpp
[[nodiscard]] Answer get_diff(const Call& call);
[[nodiscard]] Answer get_resource_diff(const Call& call);

// revert.cpp
void post_revert(Call call);

// jobs.cpp
[[nodiscard]] Answer list_jobs(const Call& call);
[[nodiscard]] Answer get_job(const Call& call);
void post_job(Call call);
void cancel_job(Call call);

// changes.cpp
void get_changes(Call call);

// wait.cpp
void wait_for_revision(Call call);

// zones.cpp
[[nodiscard]] Answer list_zones(const Call& call);
[[nodiscard]] Answer list_zone_overviews(const Call& call);
[[nodiscard]] Answer get_zone(const Call& call);
void put_zone(Call call);
void delete_zone(Call call);
void approve_mass_delete(Call call);
void put_zone_mode(Call call);

// sync_errors.cpp
[[nodiscard]] Answer list_sync_errors(const Call& call);

// zone_operations.cpp
void enable_zone(Call call);
void disable_zone(Call call);
void pause_zone(Call call);
void resume_zone(Call call);
void resync_zone(Call call);
void drain_zone(Call call);
void set_zone_scope(Call call);
void post_type(Call call);

// explain.cpp
[[nodiscard]] Answer explain_resource(const Call& call);

// store.cpp
void post_checkpoint(Call call);
void post_complete(Call call);

// health.cpp
[[nodiscard]] Answer get_livez(const Call& call);
[[nodiscard]] Answer get_readyz(const Call& call);

// metrics.cpp
[[nodiscard]] Answer get_metrics(const Call& call);

}  // namespace zonesync::admin
