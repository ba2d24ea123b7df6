// What differs between two JSON values, by place.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace zonesync::admin {

/// [{"path": JSON pointer, "before"?, "after"?}] in the order of the members' names; a member that
/// is missing on one side is missing there. Arrays of one length are compared by element, others
/// as a whole.
[[nodiscard]] boost::json::array value_differences(const boost::json::value& before,
                                                   const boost::json::value& after);

}  // namespace zonesync::admin
