// Assertions are for our own bugs only, never for input; they stay on in release builds.
#pragma once

namespace zonesync::detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define ZS_ASSERT(expression)                                                        \
  ((expression) ? static_cast<void>(0)                                               \
                : ::zonesync::detail::assertion_failed(#expression, __FILE__, __LINE__))
