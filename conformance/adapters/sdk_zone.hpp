// A client behind an adapter process (docs/conformance.md), met over real TLS websockets.
#pragma once

#include <memory>
#include <string>

#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

/// Starts the adapter once to ask what it can. Errors: unavailable, protocol, timeout.
[[nodiscard]] Result<std::unique_ptr<SubjectFactory>> make_sdk_factory(const std::string& command);

}  // namespace zonesync::conform
