// Resources and operations in the form of the adapter protocols (docs/conformance.md).
#pragma once

#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

[[nodiscard]] boost::json::object to_json(const Resource& resource);
[[nodiscard]] boost::json::array to_json(const std::vector<ControlOp>& ops);
/// Errors: invalid_argument (a member of another type, a missing key).
[[nodiscard]] Result<Resource> resource_of(const boost::json::value& value);
[[nodiscard]] Result<std::vector<Resource>> resources_of(const boost::json::object& answer);
[[nodiscard]] Result<std::vector<ControlOp>> ops_of(const boost::json::object& request);

/// Members with defaults where they are absent or of another type.
[[nodiscard]] std::string text_at(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::uint64_t number_at(const boost::json::object& object, std::string_view name);
[[nodiscard]] bool flag_at(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::vector<std::string> texts_at(const boost::json::object& object,
                                                std::string_view name);

}  // namespace zonesync::conform
