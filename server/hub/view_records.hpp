// What decides views, as system entries: registered types, and the views that zones may still hold.
#pragma once

#include <deque>
#include <string>

#include "server/hub/system_entries.hpp"

namespace zonesync::hub {

/// Views of a zone, newest last; older ones than these answer as unknown (VIEW-06, VIEW-07).
inline constexpr std::size_t kViewsKept = 8;

/// The views that a zone may hold, and what it asked for last.
struct ViewsRecord {
  std::string zone;
  ZoneScope request;                // Hello and token together
  std::deque<View> views;           // newest last
};

/// Adds `view` as the newest. False = it is that already.
bool remember(ViewsRecord& record, const View& view);

[[nodiscard]] ResourceKey views_key(const std::string& zone);
[[nodiscard]] ResourceKey type_key(const std::string& type);
[[nodiscard]] Change encode(const ViewsRecord& record);
[[nodiscard]] Change encode(const TypeInfo& type);
/// Errors: storage_corrupt. A view whose id can no longer be made from its record is left out.
[[nodiscard]] Result<ViewsRecord> decode_views(const Change& change);
[[nodiscard]] Result<TypeInfo> decode_type(const Change& change);

}  // namespace zonesync::hub
