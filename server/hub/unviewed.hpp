// What no zone's down view can hold: the rule of the log's second range.
#pragma once

#include "protocol/model/scope.hpp"

namespace zonesync::hub {

/// Whether no down view of any zone admits `cls`, whatever its scope: types that travel only to the
/// hub or stay there, a zone's own copies that are not shown to others, what is kept at home, and
/// of the hub's own records those that no session waits for. Types that are not registered are not
/// known to be unviewed. Agrees with View::admits.
[[nodiscard]] bool is_unviewed(const TypeRegistry& types, const Class& cls);

}  // namespace zonesync::hub
